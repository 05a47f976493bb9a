// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values.hpp"

#include <fastdds/rtps/common/InstanceHandle.hpp>

namespace binding {

/// Whether a struct's key is never longer than a handle, which then holds the key itself.
bool has_short_key(const Struct& structure);

/// Make the handle of the instance that values belong to: their key, or its MD5 if it `is_hashed`.
void write_handle(const Struct& structure, const Values& values, bool is_hashed,
        rtps::InstanceHandle_t& handle);

}  // namespace binding
