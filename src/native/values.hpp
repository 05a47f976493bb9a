// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "payloads.hpp"

#include <fastdds/rtps/common/InstanceHandle.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace binding {

enum class Kind { boolean, int32, uint32, double_, string, octets, strings, structure };

enum class Extensibility { final, appendable, mutable_ };

struct Struct;

/// One member of a struct on the wire.
struct Field {
    std::string name;
    Kind kind;
    std::shared_ptr<const Struct> structure;  // set for Kind::structure only
    bool is_key;
    bool is_borrowed;  // octets that are read where they were received
    uint32_t id;
};

/// A struct on the wire; never changes, so that any thread may use it.
struct Struct {
    std::string name;
    std::vector<Field> fields;
    Extensibility extensibility;
    bool has_key;  // whether a field is marked as part of it
};

/// Octets somewhere in memory.
struct Octets {
    const uint8_t* data{nullptr};
    size_t size{0};
};

struct Value;
using Values = std::vector<Value>;

/// The value of a field. Text and octets point to where they are: in Python's objects while they
/// are written, in a payload while they are read.
struct Value {
    std::variant<bool, int32_t, uint32_t, double, std::string_view, Octets,
            std::vector<std::string_view>, Values>
            content;
};

/// Keeps something alive, in whatever way it needs; destroyed by the thread that made it.
class Hold {
public:
    virtual ~Hold() = default;
};

/// What tells instances of a topic apart: 16 octets.
using Handle = rtps::InstanceHandle_t;

/// A sample between Python and a payload, and what keeps alive what its values point to.
struct Content {
    Content() = default;
    Content(Content&&) = default;
    Content& operator=(Content&&) = default;

    Values values;
    std::optional<Handle> handle;  // of its instance, where that is not computed from the values
    PayloadShare payload;          // where they were read from
    std::vector<std::unique_ptr<Hold>> holds;  // of what they will be written from
};

/// The values of a struct of which nothing was said.
Values defaults_of(const Struct& structure);

}  // namespace binding
