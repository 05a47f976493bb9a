// SPDX-License-Identifier: Apache-2.0
#include "reading.hpp"

#include "cdr_stream.hpp"

#include <fastcdr/FastBuffer.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace binding {

namespace {

void read_struct(cdr::Cdr& from, const Struct& structure, Values& values, const char* end);

size_t remaining(cdr::Cdr& from, const char* end)
{
    const char* position = from.get_current_position();
    return position < end ? static_cast<size_t>(end - position) : 0;
}

/// Octets whose length was stated; a payload that ends before them is refused.
Octets read_octets(cdr::Cdr& from, const char* end)
{
    uint32_t size = 0;
    from.deserialize(size);
    if (size > remaining(from, end)) {
        throw cdr::exception::BadParamException("the payload ends before its octets");
    }
    Octets octets{reinterpret_cast<const uint8_t*>(from.get_current_position()), size};
    from.jump(size);
    return octets;
}

std::string_view read_text(cdr::Cdr& from, const char* end)
{
    const Octets octets = read_octets(from, end);
    std::string_view text(reinterpret_cast<const char*>(octets.data), octets.size);
    if (!text.empty() && text.back() == '\0') {
        text.remove_suffix(1);
    }
    return text;
}

std::vector<std::string_view> read_texts(cdr::Cdr& from, const char* end)
{
    uint32_t stated = 0;
    if (is_xcdr2(from)) {
        from.deserialize(stated);
    }
    const char* start = from.get_current_position();
    uint32_t count = 0;
    from.deserialize(count);
    if (count > remaining(from, end) / sizeof(uint32_t)) {
        throw cdr::exception::BadParamException("the payload ends before its texts");
    }
    std::vector<std::string_view> texts;
    while (texts.size() < count) {
        texts.push_back(read_text(from, end));
    }
    if (is_xcdr2(from) && static_cast<size_t>(from.get_current_position() - start) != stated) {
        throw cdr::exception::BadParamException("texts are not as long as their header says");
    }
    return texts;
}

template <class Number>
Number read_number(cdr::Cdr& from)
{
    Number number{};
    from.deserialize(number);
    return number;
}

void read_value(cdr::Cdr& from, const Field& field, Value& value, const char* end)
{
    switch (field.kind) {
        case Kind::boolean: value.content = read_number<bool>(from); break;
        case Kind::int32: value.content = read_number<int32_t>(from); break;
        case Kind::uint32: value.content = read_number<uint32_t>(from); break;
        case Kind::double_: value.content = read_number<double>(from); break;
        case Kind::string: value.content = read_text(from, end); break;
        case Kind::octets: value.content = read_octets(from, end); break;
        case Kind::strings: value.content = read_texts(from, end); break;
        case Kind::structure:
            read_struct(from, *field.structure, std::get<Values>(value.content), end);
            break;
    }
}

size_t index_of(const Struct& structure, uint32_t member)
{
    if (structure.extensibility != Extensibility::mutable_) {
        return member;  // fastcdr counts them
    }
    const auto& fields = structure.fields;
    const auto found = std::find_if(fields.begin(), fields.end(),
            [member](const Field& field) { return field.id == member; });
    return static_cast<size_t>(found - fields.begin());
}

void read_struct(cdr::Cdr& from, const Struct& structure, Values& values, const char* end)
{
    from.deserialize_type(encoding_of(structure, is_xcdr2(from)),
            [&structure, &values, end](cdr::Cdr& stream, const cdr::MemberId& member) {
                const size_t index = index_of(structure, member.id);
                if (index >= structure.fields.size()) {
                    return false;
                }
                read_value(stream, structure.fields[index], values[index], end);
                return true;
            });
}

/// How much of a payload is read, with its header; nothing for one that fastcdr 2.3 would read past
/// its end.
///
/// It believes the header's number of padding octets, even where there are fewer. And what it does
/// in XCDR1 to align a member of a mutable struct may pass the end; such a struct ends at a
/// multiple of four, without padding.
std::optional<size_t> readable_size(
        const Struct& structure, const rtps::octet* octets, size_t length)
{
    constexpr size_t unit = 4;
    if (length < encapsulation_size) {
        return std::nullopt;
    }
    const bool is_xcdr1 = octets[1] < cdr::PLAIN_CDR2;
    const size_t padding = octets[3] % unit;
    if (is_xcdr1 && structure.extensibility == Extensibility::mutable_) {
        return padding == 0 ? std::optional(length / unit * unit) : std::nullopt;
    }
    if (length % unit != 0) {
        return length;  // fastcdr knows of none then
    }
    return length - encapsulation_size < padding ? std::nullopt : std::optional(length - padding);
}

}  // namespace

bool read(const Struct& structure, rtps::SerializedPayload_t& payload, rtps::octet* octets,
        Values& values)
{
    return succeeds([&] {
        auto* start = reinterpret_cast<char*>(octets);
        const auto size = readable_size(structure, octets, payload.length);
        if (!size) {
            return false;
        }
        cdr::FastBuffer buffer(start, *size);
        cdr::Cdr from(buffer, cdr::Cdr::DEFAULT_ENDIAN);
        from.read_encapsulation();
        payload.encapsulation = from.endianness() == cdr::Cdr::BIG_ENDIANNESS ? CDR_BE : CDR_LE;
        values = defaults_of(structure);
        read_struct(from, structure, values, start + *size);
        return true;
    });
}

}  // namespace binding
