// SPDX-License-Identifier: Apache-2.0
#include "types.hpp"

#include "codec.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace binding {

namespace {

Kind kind_named(const std::string& name)
{
    static const std::map<std::string, Kind> kinds{{"boolean", Kind::boolean},
            {"int32", Kind::int32}, {"uint32", Kind::uint32}, {"double", Kind::double_},
            {"string", Kind::string}, {"sequence<octet>", Kind::octets},
            {"sequence<string>", Kind::strings}};
    auto found = kinds.find(name);
    if (found == kinds.end()) {
        throw nb::value_error(("no wire type is named " + name).c_str());
    }
    return found->second;
}

Extensibility extensibility_named(const std::string& name)
{
    static const std::map<std::string, Extensibility> kinds{{"final", Extensibility::final},
            {"appendable", Extensibility::appendable}, {"mutable", Extensibility::mutable_}};
    auto found = kinds.find(name);
    if (found == kinds.end()) {
        throw nb::value_error(("no extensibility is named " + name).c_str());
    }
    return found->second;
}

/// Fields with their ids: those that are given or, as IDL has it, one more than the last.
std::vector<Field> fields_of(const std::vector<Member>& members)
{
    std::vector<Field> fields;
    uint32_t next_id = 0;
    for (const Member& member : members) {
        fields.push_back(member.field);
        fields.back().id = member.requested_id.value_or(next_id);
        next_id = fields.back().id + 1;
    }
    return fields;
}

/// The codec relies on it that a mutable struct ends where the payload does, or where another one
/// does.
void require_decodable(const Struct& structure)
{
    for (const Field& field : structure.fields) {
        if (field.kind == Kind::structure
                && field.structure->extensibility == Extensibility::mutable_
                && structure.extensibility != Extensibility::mutable_) {
            const std::string member = structure.name + "." + field.name;
            throw nb::value_error((member + ": only a mutable struct holds a mutable one").c_str());
        }
    }
}

/// A payload around octets of Python, which stay Python's.
class BorrowedPayload : public rtps::SerializedPayload_t {
public:
    explicit BorrowedPayload(const nb::bytes& octets)
    {
        if (octets.size() > std::numeric_limits<uint32_t>::max()) {
            throw nb::value_error("no payload is that long");
        }
        length = max_size = static_cast<uint32_t>(octets.size());
        data = static_cast<rtps::octet*>(const_cast<void*>(octets.data()));
    }

    ~BorrowedPayload() { data = nullptr; }
};

}  // namespace

Member::Member(std::string name, std::variant<std::string, std::shared_ptr<StructType>> type,
        bool is_key, std::optional<uint32_t> id, bool is_borrowed)
    : field{std::move(name), Kind::structure, nullptr, is_key, is_borrowed, 0}
    , requested_id(id)
{
    if (auto* kind_name = std::get_if<std::string>(&type)) {
        field.kind = kind_named(*kind_name);
    } else {
        field.structure = std::get<std::shared_ptr<StructType>>(type)->structure();
    }
}

StructType::StructType(const std::string& name, const std::vector<Member>& members,
        const std::string& extensibility)
{
    Struct structure{name, fields_of(members), extensibility_named(extensibility), false};
    const auto& fields = structure.fields;
    require_decodable(structure);
    structure.has_key = std::any_of(
            fields.begin(), fields.end(), [](const Field& field) { return field.is_key; });
    structure_ = std::make_shared<const Struct>(std::move(structure));
    support_ = dds::TypeSupport(new Codec(structure_));
}

nb::bytes StructType::to_payload(nb::handle values, bool is_xcdr2) const
{
    const Content content = from_python(values);
    const auto representation =
            is_xcdr2 ? dds::XCDR2_DATA_REPRESENTATION : dds::XCDR_DATA_REPRESENTATION;
    rtps::SerializedPayload_t payload(
            support_->calculate_serialized_size(&content, representation));
    if (!support_->serialize(&content, payload, representation)) {
        throw Error("encode " + name() + ": ERROR");
    }
    return nb::bytes(payload.data, payload.length);
}

nb::object StructType::from_payload(nb::bytes payload) const
{
    BorrowedPayload borrowed(payload);
    Content content;
    return support_->deserialize(borrowed, &content) ? to_python(content) : nb::none();
}

nb::bytes StructType::handle_of(nb::bytes payload, bool is_hashed) const
{
    BorrowedPayload borrowed(payload);
    rtps::InstanceHandle_t handle;
    if (!support_->compute_key(borrowed, handle, is_hashed)) {
        throw Error("no key in this payload of " + name() + ": ERROR");
    }
    const auto* octets = static_cast<const rtps::octet*>(handle.value);
    return nb::bytes(octets, 16);
}

}  // namespace binding
