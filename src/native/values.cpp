// SPDX-License-Identifier: Apache-2.0
#include "values.hpp"

namespace binding {

namespace {

Value default_of(const Field& field)
{
    switch (field.kind) {
        case Kind::boolean: return {false};
        case Kind::int32: return {int32_t{0}};
        case Kind::uint32: return {uint32_t{0}};
        case Kind::double_: return {0.0};
        case Kind::string: return {std::string_view()};
        case Kind::octets: return {Octets()};
        case Kind::strings: return {std::vector<std::string_view>()};
        case Kind::structure: break;
    }
    return {defaults_of(*field.structure)};
}

}  // namespace

Values defaults_of(const Struct& structure)
{
    Values values;
    values.reserve(structure.fields.size());
    for (const Field& field : structure.fields) {
        values.push_back(default_of(field));
    }
    return values;
}

}  // namespace binding
