// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values.hpp"

#include <fastdds/rtps/common/SerializedPayload.hpp>

namespace binding {

/// Read values that point into a payload's octets; false if it does not hold them.
///
/// Believes no length that the payload states before it has looked.
bool read(const Struct& structure, rtps::SerializedPayload_t& payload, rtps::octet* octets,
        Values& values);

}  // namespace binding
