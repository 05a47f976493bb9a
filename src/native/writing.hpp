// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cdr_stream.hpp"

namespace binding {

void write_struct(cdr::Cdr& to, const Struct& structure, const Values& values);

/// Write a value without its member header, as keys have it.
void write_value(cdr::Cdr& to, const Field& field, const Value& value);

/// How many octets writing takes at most, whatever the representation; what is sent has its true
/// length.
size_t room_for(const Struct& structure, const Values& values);
size_t room_for(const Field& field, const Value& value);

}  // namespace binding
