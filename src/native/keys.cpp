// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"

#include "writing.hpp"

#include <fastcdr/FastBuffer.h>
#include <fastdds/utils/md5.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace binding {

namespace {

constexpr size_t handle_size = 16;

size_t aligned(size_t position, size_t alignment)
{
    return (position + alignment - 1) / alignment * alignment;
}

/// Whether a field is part of the key: if it is marked or, within a struct that is, where none is
/// marked.
bool is_in_key(const Struct& structure, const Field& field, bool is_nested)
{
    return field.is_key || (is_nested && !structure.has_key);
}

constexpr size_t unlimited = std::numeric_limits<size_t>::max();

/// Where the longest key that starts at a position ends.
size_t end_of_longest_key(const Struct& structure, size_t position, bool is_nested)
{
    for (const Field& field : structure.fields) {
        if (!is_in_key(structure, field, is_nested)) {
            continue;
        }
        switch (field.kind) {
            case Kind::boolean: position += sizeof(uint8_t); break;
            case Kind::int32:
            case Kind::uint32:
                position = aligned(position, sizeof(uint32_t)) + sizeof(uint32_t);
                break;
            case Kind::double_:
                position = aligned(position, sizeof(uint32_t)) + sizeof(double);
                break;
            case Kind::structure:
                position = end_of_longest_key(*field.structure, position, true);
                break;
            default: return unlimited;
        }
        if (position == unlimited) {
            break;
        }
    }
    return position;
}

size_t room_for_key(const Struct& structure, const Values& values, bool is_nested)
{
    constexpr size_t padding = 4;
    size_t size = 0;
    for (size_t index = 0; index < structure.fields.size(); ++index) {
        const Field& field = structure.fields[index];
        if (is_in_key(structure, field, is_nested)) {
            const Value& value = values[index];
            size += field.kind == Kind::structure
                    ? room_for_key(*field.structure, std::get<Values>(value.content), true)
                    : padding + room_for(field, value);
        }
    }
    return size;
}

void write_key(cdr::Cdr& to, const Struct& structure, const Values& values, bool is_nested)
{
    for (size_t index = 0; index < structure.fields.size(); ++index) {
        const Field& field = structure.fields[index];
        if (!is_in_key(structure, field, is_nested)) {
            continue;
        }
        if (field.kind == Kind::structure) {
            write_key(to, *field.structure, std::get<Values>(values[index].content), true);
        } else {
            write_value(to, field, values[index]);
        }
    }
}

void set_handle(rtps::InstanceHandle_t& handle, const uint8_t* octets)
{
    for (size_t index = 0; index < handle_size; ++index) {
        handle.value[index] = octets[index];
    }
}

}  // namespace

bool has_short_key(const Struct& structure)
{
    return end_of_longest_key(structure, 0, false) <= handle_size;
}

void write_handle(const Struct& structure, const Values& values, bool is_hashed,
        rtps::InstanceHandle_t& handle)
{
    std::vector<uint8_t> key(std::max(handle_size, room_for_key(structure, values, false)));
    cdr::FastBuffer buffer(reinterpret_cast<char*>(key.data()), key.size());
    cdr::Cdr to(buffer, cdr::Cdr::BIG_ENDIANNESS, cdr::XCDRv2);
    to.set_encoding_flag(cdr::PLAIN_CDR2);
    write_key(to, structure, values, false);
    if (!is_hashed) {
        set_handle(handle, key.data());
        return;
    }
    eprosima::fastdds::MD5 hash;
    hash.init();
    hash.update(key.data(), static_cast<uint32_t>(to.get_serialized_data_length()));
    hash.finalize();
    set_handle(handle, hash.digest);
}

}  // namespace binding
