// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acknowledgments.hpp"

#include <fastdds/dds/domain/qos/DomainParticipantQos.hpp>

#include <memory>
#include <string>

namespace binding {

/// Let `states` hear all that the participant of `qos` will receive.
///
/// Changes nothing but that: the same transports, which send as before. Returns why it cannot be
/// done, and leaves `qos` alone then; empty if it is done.
std::string listen_in(
        eprosima::fastdds::dds::DomainParticipantQos& qos, std::shared_ptr<ReaderStates> states);

}  // namespace binding
