// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values.hpp"

#include <fastcdr/Cdr.h>
#include <fastcdr/exceptions/Exception.h>

#include <cstddef>
#include <exception>

namespace binding {

namespace cdr = eprosima::fastcdr;

/// The header of every payload: which encoding it has, and how much padding at its end.
constexpr size_t encapsulation_size = 4;

inline bool is_xcdr2(const cdr::Cdr& stream)
{
    return stream.get_cdr_version() == cdr::XCDRv2;
}

inline cdr::EncodingAlgorithmFlag encoding_of(const Struct& structure, bool is_xcdr2)
{
    switch (structure.extensibility) {
        case Extensibility::appendable: return is_xcdr2 ? cdr::DELIMIT_CDR2 : cdr::PLAIN_CDR;
        case Extensibility::mutable_: return is_xcdr2 ? cdr::PL_CDR2 : cdr::PL_CDR;
        default: return is_xcdr2 ? cdr::PLAIN_CDR2 : cdr::PLAIN_CDR;
    }
}

/// Whether an action ends without an exception and returns true; those of fastcdr are no
/// std::exception.
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

}  // namespace binding
