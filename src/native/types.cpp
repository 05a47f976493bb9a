// SPDX-License-Identifier: Apache-2.0
#include "types.hpp"

#include <fastdds/dds/xtypes/dynamic_types/DynamicDataFactory.hpp>
#include <fastdds/dds/xtypes/dynamic_types/DynamicPubSubType.hpp>
#include <fastdds/dds/xtypes/dynamic_types/DynamicTypeBuilder.hpp>
#include <fastdds/dds/xtypes/dynamic_types/DynamicTypeBuilderFactory.hpp>
#include <fastdds/dds/xtypes/dynamic_types/DynamicTypeMember.hpp>
#include <fastdds/dds/xtypes/dynamic_types/MemberDescriptor.hpp>
#include <fastdds/dds/xtypes/dynamic_types/TypeDescriptor.hpp>

#include <map>
#include <utility>

namespace binding {

namespace {

Kind kind_named(const std::string& name)
{
    static const std::map<std::string, Kind> kinds{
            {"boolean", Kind::boolean}, {"int32", Kind::int32}, {"uint32", Kind::uint32},
            {"double", Kind::float64}, {"string", Kind::string}, {"sequence<octet>", Kind::octets},
            {"sequence<string>", Kind::strings}};
    auto found = kinds.find(name);
    if (found == kinds.end()) {
        throw nb::value_error(("no wire type is named " + name).c_str());
    }
    return found->second;
}

dds::ExtensibilityKind extensibility_named(const std::string& name)
{
    static const std::map<std::string, dds::ExtensibilityKind> kinds{
            {"final", dds::ExtensibilityKind::FINAL},
            {"appendable", dds::ExtensibilityKind::APPENDABLE},
            {"mutable", dds::ExtensibilityKind::MUTABLE}};
    auto found = kinds.find(name);
    if (found == kinds.end()) {
        throw nb::value_error(("no extensibility is named " + name).c_str());
    }
    return found->second;
}

TypePtr type_of(const Member& member)
{
    auto factory = dds::DynamicTypeBuilderFactory::get_instance();
    const auto unlimited = static_cast<uint32_t>(dds::LENGTH_UNLIMITED);
    switch (member.kind) {
        case Kind::boolean: return factory->get_primitive_type(dds::TK_BOOLEAN);
        case Kind::int32: return factory->get_primitive_type(dds::TK_INT32);
        case Kind::uint32: return factory->get_primitive_type(dds::TK_UINT32);
        case Kind::float64: return factory->get_primitive_type(dds::TK_FLOAT64);
        case Kind::string: return factory->create_string_type(unlimited)->build();
        case Kind::octets:
            return factory->create_sequence_type(factory->get_primitive_type(dds::TK_BYTE), unlimited)->build();
        case Kind::strings:
            return factory->create_sequence_type(factory->create_string_type(unlimited)->build(), unlimited)
                    ->build();
        case Kind::structure: break;
    }
    return member.structure->dynamic_type();
}

/// Computes each key with an object of its own. DynamicPubSubType 3.2 sizes its key buffer by the first
/// key it meets and writes longer ones past its end, and shares that buffer between threads.
class SafelyKeyedType : public dds::DynamicPubSubType {
public:
    using dds::DynamicPubSubType::DynamicPubSubType;

    bool compute_key(rtps::SerializedPayload_t& payload, rtps::InstanceHandle_t& handle, bool force_md5) override
    {
        return dds::DynamicPubSubType(get_dynamic_type()).compute_key(payload, handle, force_md5);
    }

    bool compute_key(const void* const data, rtps::InstanceHandle_t& handle, bool force_md5) override
    {
        return dds::DynamicPubSubType(get_dynamic_type()).compute_key(data, handle, force_md5);
    }
};

nb::object text_to_python(const std::string& text)
{
    PyObject* decoded = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
    if (decoded == nullptr) {
        throw nb::python_error();
    }
    return nb::steal(decoded);
}

std::string text_from_python(nb::handle value)
{
    if (!PyUnicode_Check(value.ptr())) {
        throw nb::cast_error();
    }
    Py_ssize_t size = 0;
    const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
    if (text == nullptr) {
        throw nb::python_error();
    }
    return {text, static_cast<size_t>(size)};
}

std::vector<std::string> texts_from_python(nb::handle values)
{
    std::vector<std::string> texts;
    for (nb::handle value : nb::cast<nb::tuple>(values)) {
        texts.push_back(text_from_python(value));
    }
    return texts;
}

nb::object texts_to_python(const std::vector<std::string>& texts)
{
    nb::list values;
    for (const std::string& text : texts) {
        values.append(text_to_python(text));
    }
    return nb::tuple(values);
}

dds::ByteSeq octets_from_python(nb::handle value)
{
    auto octets = nb::cast<nb::bytes>(value);
    const auto* first = reinterpret_cast<const uint8_t*>(octets.c_str());
    return {first, first + octets.size()};
}

template <class Value, class Getter>
Value get(dds::DynamicData& data, const Member& member, Getter getter)
{
    Value value{};
    check((data.*getter)(value, member.id), "read " + member.name);
    return value;
}

nb::object member_to_python(dds::DynamicData& data, const Member& member)
{
    using Data = dds::DynamicData;
    switch (member.kind) {
        case Kind::boolean: return nb::bool_(get<bool>(data, member, &Data::get_boolean_value));
        case Kind::int32: return nb::int_(get<int32_t>(data, member, &Data::get_int32_value));
        case Kind::uint32: return nb::int_(get<uint32_t>(data, member, &Data::get_uint32_value));
        case Kind::float64: return nb::float_(get<double>(data, member, &Data::get_float64_value));
        case Kind::string: return text_to_python(get<std::string>(data, member, &Data::get_string_value));
        case Kind::strings:
            return texts_to_python(get<dds::StringSeq>(data, member, &Data::get_string_values));
        case Kind::octets: {
            auto octets = get<dds::ByteSeq>(data, member, &Data::get_byte_values);
            return nb::bytes(octets.data(), octets.size());
        }
        case Kind::structure: break;
    }
    auto nested = data.loan_value(member.id);
    nb::object value = member.structure->to_python(*nested);
    check(data.return_loaned_value(nested), "read " + member.name);
    return value;
}

}  // namespace

Member::Member(std::string name, std::variant<std::string, std::shared_ptr<StructType>> type, bool is_key,
        std::optional<uint32_t> id)
    : name(std::move(name))
    , is_key(is_key)
    , requested_id(id)
{
    if (auto* kind_name = std::get_if<std::string>(&type)) {
        kind = kind_named(*kind_name);
    } else {
        kind = Kind::structure;
        structure = std::get<std::shared_ptr<StructType>>(type);
    }
}

StructType::StructType(const std::string& name, std::vector<Member> members, const std::string& extensibility)
    : name_(name)
    , members_(std::move(members))
{
    auto descriptor = dds::traits<dds::TypeDescriptor>::make_shared();
    descriptor->kind(dds::TK_STRUCTURE);
    descriptor->name(name);
    descriptor->extensibility_kind(extensibility_named(extensibility));
    auto builder = dds::DynamicTypeBuilderFactory::get_instance()->create_type(descriptor);
    for (const Member& member : members_) {
        auto described = dds::traits<dds::MemberDescriptor>::make_shared();
        described->name(member.name);
        described->type(type_of(member));
        described->is_key(member.is_key);
        if (member.requested_id) {
            described->id(*member.requested_id);
        }
        check(builder->add_member(described), "add member " + member.name + " to type " + name);
    }
    type_ = builder->build();
    if (!type_) {
        throw Error("cannot build type " + name);
    }
    for (Member& member : members_) {
        dds::traits<dds::DynamicTypeMember>::ref_type built;
        check(type_->get_member_by_name(built, member.name), "find member " + member.name);
        member.id = built->get_id();
    }
    support_ = dds::TypeSupport(new SafelyKeyedType(type_));
}

DataPtr StructType::create() const
{
    return dds::DynamicDataFactory::get_instance()->create_data(type_);
}

DataPtr StructType::from_python(nb::handle values) const
{
    DataPtr data = create();
    assign(*data, values);
    return data;
}

void StructType::assign(dds::DynamicData& data, nb::handle values) const
{
    if (!PyTuple_Check(values.ptr()) || nb::len(values) != members_.size()) {
        throw nb::type_error((name_ + ": expected a tuple of " + std::to_string(members_.size()) + " values").c_str());
    }
    for (size_t index = 0; index < members_.size(); ++index) {
        assign_member(data, members_[index], PyTuple_GET_ITEM(values.ptr(), static_cast<Py_ssize_t>(index)));
    }
}

void StructType::assign_member(dds::DynamicData& data, const Member& member, nb::handle value) const
{
    const std::string action = "write " + name_ + "." + member.name;
    try {
        switch (member.kind) {
            case Kind::boolean: return check(data.set_boolean_value(member.id, nb::cast<bool>(value)), action);
            case Kind::int32: return check(data.set_int32_value(member.id, nb::cast<int32_t>(value)), action);
            case Kind::uint32: return check(data.set_uint32_value(member.id, nb::cast<uint32_t>(value)), action);
            case Kind::float64: return check(data.set_float64_value(member.id, nb::cast<double>(value)), action);
            case Kind::string: return check(data.set_string_value(member.id, text_from_python(value)), action);
            case Kind::octets: return check(data.set_byte_values(member.id, octets_from_python(value)), action);
            case Kind::strings: return check(data.set_string_values(member.id, texts_from_python(value)), action);
            case Kind::structure: break;
        }
    } catch (const nb::cast_error&) {
        throw nb::type_error((action + ": the value does not fit its wire type").c_str());
    }
    auto nested = data.loan_value(member.id);
    member.structure->assign(*nested, value);
    check(data.return_loaned_value(nested), action);
}

nb::object StructType::to_python(dds::DynamicData& data) const
{
    nb::object values = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(members_.size())));
    for (size_t index = 0; index < members_.size(); ++index) {
        PyTuple_SET_ITEM(values.ptr(), static_cast<Py_ssize_t>(index),
                member_to_python(data, members_[index]).release().ptr());
    }
    return values;
}

}  // namespace binding
