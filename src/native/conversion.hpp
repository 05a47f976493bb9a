// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values.hpp"

#include <nanobind/nanobind.h>

#include <string_view>

namespace binding {

namespace nb = nanobind;

/// Convert a tuple in member order.
///
/// The content points into `values`, which have to stay, and goes before the GIL is released for
/// good.
Content content_from_python(const Struct& structure, nb::handle values);

/// Convert to a tuple in member order.
nb::object content_to_python(const Struct& structure, const Content& content);

/// Decode text that may come from anywhere: what is not UTF-8 becomes replacement characters.
nb::object text_to_python(std::string_view text);

/// Make known to Python what lets a memoryview keep a payload.
void bind_views(nb::module_& m);

}  // namespace binding
