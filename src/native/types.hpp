// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "errors.hpp"

#include <fastdds/dds/topic/TypeSupport.hpp>
#include <fastdds/dds/xtypes/dynamic_types/DynamicData.hpp>
#include <fastdds/dds/xtypes/dynamic_types/DynamicType.hpp>
#include <nanobind/nanobind.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace binding {

namespace nb = nanobind;

using DataPtr = dds::traits<dds::DynamicData>::ref_type;
using TypePtr = dds::traits<dds::DynamicType>::ref_type;

enum class Kind { boolean, int32, uint32, float64, string, octets, strings, structure };

class StructType;

/// One member of a struct: what Python says about it, and the id that the built type gave it.
struct Member {
    Member(std::string name, std::variant<std::string, std::shared_ptr<StructType>> type, bool is_key,
            std::optional<uint32_t> id);

    std::string name;
    Kind kind;
    std::shared_ptr<StructType> structure;  // set for Kind::structure only
    bool is_key;
    std::optional<uint32_t> requested_id;
    dds::MemberId id{dds::MEMBER_ID_INVALID};
};

/// A struct built at run time; converts between its samples and plain tuples in member order.
class StructType {
public:
    StructType(const std::string& name, std::vector<Member> members, const std::string& extensibility);

    const TypePtr& dynamic_type() const { return type_; }
    const dds::TypeSupport& support() const { return support_; }
    const std::string& name() const { return name_; }

    DataPtr create() const;
    DataPtr from_python(nb::handle values) const;
    nb::object to_python(dds::DynamicData& data) const;

private:
    void assign(dds::DynamicData& data, nb::handle values) const;
    void assign_member(dds::DynamicData& data, const Member& member, nb::handle value) const;

    std::string name_;
    std::vector<Member> members_;
    TypePtr type_;
    dds::TypeSupport support_;
};

}  // namespace binding
