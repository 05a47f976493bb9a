// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "conversion.hpp"

#include <fastdds/dds/topic/TypeSupport.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace binding {

class StructType;

/// One member of a struct, as Python describes it.
struct Member {
    Member(std::string name, std::variant<std::string, std::shared_ptr<StructType>> type,
            bool is_key, std::optional<uint32_t> id, bool is_borrowed);

    Field field;
    std::optional<uint32_t> requested_id;
};

/// A struct known at run time; converts between its samples and plain tuples in member order.
class StructType {
public:
    StructType(const std::string& name, const std::vector<Member>& members,
            const std::string& extensibility);

    const std::shared_ptr<const Struct>& structure() const { return structure_; }
    const dds::TypeSupport& support() const { return support_; }
    const std::string& name() const { return structure_->name; }

    Content from_python(nb::handle values) const
    {
        return content_from_python(*structure_, values);
    }
    nb::object to_python(const Content& content) const
    {
        return content_to_python(*structure_, content);
    }

    nb::bytes to_payload(nb::handle values, bool is_xcdr2) const;
    nb::object from_payload(nb::bytes payload) const;
    nb::bytes handle_of(nb::bytes payload, bool is_hashed) const;

private:
    std::shared_ptr<const Struct> structure_;
    dds::TypeSupport support_;
};

}  // namespace binding
