// SPDX-License-Identifier: Apache-2.0
#include "writing.hpp"

#include <string>

namespace binding {

namespace {

/// A field with its value, as fastcdr takes one.
struct Slot {
    const Field& field;
    const Value& value;
};

}  // namespace

}  // namespace binding

namespace eprosima::fastcdr {

template <>
void serialize(Cdr& to, const binding::Slot& slot)
{
    binding::write_value(to, slot.field, slot.value);
}

}  // namespace eprosima::fastcdr

namespace binding {

void write_struct(cdr::Cdr& to, const Struct& structure, const Values& values)
{
    cdr::Cdr::state state(to);
    to.begin_serialize_type(state, encoding_of(structure, is_xcdr2(to)));
    for (size_t index = 0; index < structure.fields.size(); ++index) {
        const Field& field = structure.fields[index];
        to.serialize_member(cdr::MemberId(field.id), Slot{field, values[index]});
    }
    to.end_serialize_type(state);
}

void write_value(cdr::Cdr& to, const Field& field, const Value& value)
{
    switch (field.kind) {
        case Kind::boolean: to.serialize(std::get<bool>(value.content)); break;
        case Kind::int32: to.serialize(std::get<int32_t>(value.content)); break;
        case Kind::uint32: to.serialize(std::get<uint32_t>(value.content)); break;
        case Kind::double_: to.serialize(std::get<double>(value.content)); break;
        case Kind::string:
            to.serialize(std::string(std::get<std::string_view>(value.content)));
            break;
        case Kind::structure:
            write_struct(to, *field.structure, std::get<Values>(value.content));
            break;
        case Kind::strings: {
            const auto& texts = std::get<std::vector<std::string_view>>(value.content);
            to.serialize(std::vector<std::string>(texts.begin(), texts.end()));
            break;
        }
        case Kind::octets: {
            const auto& octets = std::get<Octets>(value.content);
            to.serialize_sequence(octets.data, octets.size);
            break;
        }
    }
}

size_t room_for(const Struct& structure, const Values& values)
{
    constexpr size_t around_struct = 16;  // its own length, or its end, with padding
    constexpr size_t around_field = 20;   // header of a member of a mutable struct, with padding
    size_t size = around_struct;
    for (size_t index = 0; index < structure.fields.size(); ++index) {
        size += around_field + room_for(structure.fields[index], values[index]);
    }
    return size;
}

size_t room_for(const Field& field, const Value& value)
{
    constexpr size_t around_text = 8;  // length, end, padding
    switch (field.kind) {
        case Kind::string: return around_text + std::get<std::string_view>(value.content).size();
        case Kind::octets: return sizeof(uint32_t) + std::get<Octets>(value.content).size;
        case Kind::structure: return room_for(*field.structure, std::get<Values>(value.content));
        case Kind::strings: {
            size_t size = 2 * sizeof(uint32_t);
            for (std::string_view text : std::get<std::vector<std::string_view>>(value.content)) {
                size += around_text + text.size();
            }
            return size;
        }
        default: return sizeof(double);
    }
}

}  // namespace binding
