// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fastdds/dds/core/ReturnCode.hpp>
#include <fastdds/rtps/common/Guid.hpp>

#include <stdexcept>
#include <string>

namespace binding {

namespace dds = eprosima::fastdds::dds;
namespace rtps = eprosima::fastdds::rtps;

/// What Fast DDS refused to do; Python sees it as `_fastdds.Error`.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

inline const char* name_of(dds::ReturnCode_t code)
{
    switch (code) {
        case dds::RETCODE_OK: return "OK";
        case dds::RETCODE_ERROR: return "ERROR";
        case dds::RETCODE_UNSUPPORTED: return "UNSUPPORTED";
        case dds::RETCODE_BAD_PARAMETER: return "BAD_PARAMETER";
        case dds::RETCODE_PRECONDITION_NOT_MET: return "PRECONDITION_NOT_MET";
        case dds::RETCODE_OUT_OF_RESOURCES: return "OUT_OF_RESOURCES";
        case dds::RETCODE_NOT_ENABLED: return "NOT_ENABLED";
        case dds::RETCODE_IMMUTABLE_POLICY: return "IMMUTABLE_POLICY";
        case dds::RETCODE_INCONSISTENT_POLICY: return "INCONSISTENT_POLICY";
        case dds::RETCODE_ALREADY_DELETED: return "ALREADY_DELETED";
        case dds::RETCODE_TIMEOUT: return "TIMEOUT";
        case dds::RETCODE_NO_DATA: return "NO_DATA";
        case dds::RETCODE_ILLEGAL_OPERATION: return "ILLEGAL_OPERATION";
        default: return "UNKNOWN";
    }
}

inline void check(dds::ReturnCode_t code, const std::string& action)
{
    if (code != dds::RETCODE_OK) {
        throw Error(action + ": " + name_of(code));
    }
}

template <class Pointer>
Pointer* check_created(Pointer* created, const std::string& what)
{
    if (created == nullptr) {
        throw Error("cannot create " + what);
    }
    return created;
}

}  // namespace binding
