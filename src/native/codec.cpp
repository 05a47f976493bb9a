// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include <fastcdr/Cdr.h>
#include <fastcdr/FastBuffer.h>
#include <fastcdr/exceptions/Exception.h>
#include <fastdds/utils/md5.hpp>

#include <algorithm>
#include <exception>
#include <limits>
#include <optional>
#include <utility>

namespace cdr = eprosima::fastcdr;

namespace binding {

namespace {

constexpr size_t encapsulation_size = 4;
constexpr size_t handle_size = 16;

/// A field with its value, as fastcdr takes one.
struct Slot {
    const Field& field;
    const Value& value;
};

void write_struct(cdr::Cdr& to, const Struct& structure, const Values& values);
void read_struct(cdr::Cdr& from, const Struct& structure, Values& values, const char* end);

bool is_xcdr2(const cdr::Cdr& stream)
{
    return stream.get_cdr_version() == cdr::XCDRv2;
}

cdr::EncodingAlgorithmFlag encoding_of(const Struct& structure, bool is_xcdr2)
{
    switch (structure.extensibility) {
        case Extensibility::appendable: return is_xcdr2 ? cdr::DELIMIT_CDR2 : cdr::PLAIN_CDR;
        case Extensibility::mutable_: return is_xcdr2 ? cdr::PL_CDR2 : cdr::PL_CDR;
        default: return is_xcdr2 ? cdr::PLAIN_CDR2 : cdr::PLAIN_CDR;
    }
}

/// Whether an action ends without an exception and says true. Those of fastcdr are no std::exception.
template <class Action>
bool succeeds(Action action) noexcept
{
    try {
        return action();
    } catch (const cdr::exception::Exception&) {
        return false;
    } catch (const std::exception&) {
        return false;
    }
}

size_t aligned(size_t position, size_t alignment)
{
    return (position + alignment - 1) / alignment * alignment;
}

// --- Writing ---

void write_value(cdr::Cdr& to, const Field& field, const Value& value)
{
    switch (field.kind) {
        case Kind::boolean: to.serialize(std::get<bool>(value.content)); break;
        case Kind::int32: to.serialize(std::get<int32_t>(value.content)); break;
        case Kind::uint32: to.serialize(std::get<uint32_t>(value.content)); break;
        case Kind::float64: to.serialize(std::get<double>(value.content)); break;
        case Kind::string: to.serialize(std::string(std::get<std::string_view>(value.content))); break;
        case Kind::structure: write_struct(to, *field.structure, std::get<Values>(value.content)); break;
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

// --- Room: at least what writing takes, whatever the representation; what is sent has its true length ---

size_t room_for(const Field& field, const Value& value);

size_t room_for(const Struct& structure, const Values& values)
{
    constexpr size_t around_struct = 16;  // its own length, or its end, with padding
    constexpr size_t around_field = 20;  // header of a member of a mutable struct, with padding
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

// --- Reading ---

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
        case Kind::float64: value.content = read_number<double>(from); break;
        case Kind::string: value.content = read_text(from, end); break;
        case Kind::octets: value.content = read_octets(from, end); break;
        case Kind::strings: value.content = read_texts(from, end); break;
        case Kind::structure: read_struct(from, *field.structure, std::get<Values>(value.content), end); break;
    }
}

size_t index_of(const Struct& structure, uint32_t member)
{
    if (structure.extensibility != Extensibility::mutable_) {
        return member;  // fastcdr counts them
    }
    const auto& fields = structure.fields;
    const auto found = std::find_if(
            fields.begin(), fields.end(), [member](const Field& field) { return field.id == member; });
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

/// How much of a payload is read, with its header; nothing for one that fastcdr 2.3 would read past its end.
///
/// It believes the header's number of padding octets, also where there are fewer. And what it does in XCDR1 to align
/// a member of a mutable struct may pass the end; such a struct ends at a multiple of four, without padding.
std::optional<size_t> readable_size(const Struct& structure, const rtps::octet* octets, size_t length)
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

/// Read values that point into the payload; false if it does not hold them.
bool read(const Struct& structure, rtps::SerializedPayload_t& payload, rtps::octet* octets, Values& values)
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

// --- Keys ---

/// Whether a field is part of the key: if it is marked or, within a struct that is, where none is marked.
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
            case Kind::uint32: position = aligned(position, sizeof(uint32_t)) + sizeof(uint32_t); break;
            case Kind::float64: position = aligned(position, sizeof(uint32_t)) + sizeof(double); break;
            case Kind::structure: position = end_of_longest_key(*field.structure, position, true); break;
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

void write_handle(const Struct& structure, const Values& values, bool is_hashed, rtps::InstanceHandle_t& handle)
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

namespace {

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

Value default_of(const Field& field)
{
    switch (field.kind) {
        case Kind::boolean: return {false};
        case Kind::int32: return {int32_t{0}};
        case Kind::uint32: return {uint32_t{0}};
        case Kind::float64: return {0.0};
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

Codec::Codec(std::shared_ptr<const Struct> structure)
    : structure_(std::move(structure))
    , are_keys_short_(end_of_longest_key(*structure_, 0, false) <= handle_size)
{
    set_name(structure_->name);
    is_compute_key_provided = structure_->has_key;
    // No limit, nor what is allocated in the dynamic memory modes; but without a number, Fast DDS 3.2 has no pool.
    max_serialized_type_size =
            static_cast<uint32_t>(encapsulation_size + room_for(*structure_, defaults_of(*structure_)));
}

bool Codec::serialize(const void* const data, rtps::SerializedPayload_t& payload,
        dds::DataRepresentationId_t representation)
{
    return succeeds([&] {
        const bool is_xcdr2 = representation != dds::XCDR_DATA_REPRESENTATION;
        cdr::FastBuffer buffer(reinterpret_cast<char*>(payload.data), payload.max_size);
        cdr::Cdr to(buffer, cdr::Cdr::DEFAULT_ENDIAN, is_xcdr2 ? cdr::XCDRv2 : cdr::XCDRv1);
        payload.encapsulation = to.endianness() == cdr::Cdr::BIG_ENDIANNESS ? CDR_BE : CDR_LE;
        to.set_encoding_flag(encoding_of(*structure_, is_xcdr2));
        to.serialize_encapsulation();
        write_struct(to, *structure_, static_cast<const Content*>(data)->values);
        payload.length = static_cast<uint32_t>(to.get_serialized_data_length());
        return true;
    });
}

bool Codec::deserialize(rtps::SerializedPayload_t& payload, void* data)
{
    auto& content = *static_cast<Content*>(data);
    return succeeds([&] {
        content.payload = PayloadShare::of(payload);
        return read(*structure_, payload, content.payload.octets(), content.values);
    });
}

uint32_t Codec::calculate_serialized_size(const void* const data, dds::DataRepresentationId_t)
{
    const size_t size = encapsulation_size + room_for(*structure_, static_cast<const Content*>(data)->values);
    // Without room, `serialize` refuses.
    return size > std::numeric_limits<uint32_t>::max() ? 0 : static_cast<uint32_t>(size);
}

bool Codec::compute_key(rtps::SerializedPayload_t& payload, rtps::InstanceHandle_t& handle, bool force_md5)
{
    Content content;
    return read(*structure_, payload, payload.data, content.values) && compute_key(&content, handle, force_md5);
}

bool Codec::compute_key(const void* const data, rtps::InstanceHandle_t& handle, bool force_md5)
{
    if (!is_compute_key_provided) {
        return false;
    }
    return succeeds([&] {
        write_handle(*structure_, static_cast<const Content*>(data)->values, force_md5 || !are_keys_short_, handle);
        return true;
    });
}

}  // namespace binding
