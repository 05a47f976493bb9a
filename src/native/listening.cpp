// SPDX-License-Identifier: Apache-2.0
#include "listening.hpp"

#include <fastdds/rtps/transport/ChainingTransport.hpp>
#include <fastdds/rtps/transport/UDPv4TransportDescriptor.hpp>
#include <fastdds/rtps/transport/shared_mem/SharedMemTransportDescriptor.hpp>

#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

namespace binding {

namespace {

namespace dds = eprosima::fastdds::dds;
using Descriptor = std::shared_ptr<rtps::TransportDescriptorInterface>;

/// A transport that tells what it receives; all the rest is the one below.
class ListeningTransport : public rtps::ChainingTransport {
public:
    ListeningTransport(const rtps::ChainingTransportDescriptor& descriptor,
            std::shared_ptr<ReaderStates> states)
        : ChainingTransport(descriptor)
        , states_(std::move(states))
    {
    }

    // What the transport below has made of the descriptor, with the system's sizes of buffers.
    rtps::TransportDescriptorInterface* get_configuration() override
    {
        return low_level_transport_->get_configuration();
    }

    // Senders stay those of the transport below: it looks for its own among those that are open.
    bool OpenOutputChannel(rtps::SendResourceList& senders, const rtps::Locator_t& to) override
    {
        return low_level_transport_->OpenOutputChannel(senders, to);
    }

    bool OpenOutputChannels(
            rtps::SendResourceList& senders, const rtps::LocatorSelectorEntry& to) override
    {
        return low_level_transport_->OpenOutputChannels(senders, to);
    }

    void CloseOutputChannels(
            rtps::SendResourceList& senders, const rtps::LocatorSelectorEntry& to) override
    {
        low_level_transport_->CloseOutputChannels(senders, to);
    }

    void shutdown() override { low_level_transport_->shutdown(); }

    bool send(rtps::SenderResource* sender, const std::vector<rtps::NetworkBuffer>& buffers,
            uint32_t size, rtps::LocatorsIterator* to, rtps::LocatorsIterator* to_end,
            const std::chrono::steady_clock::time_point& until) override
    {
        return sender->send(buffers, size, to, to_end, until);
    }

    void receive(rtps::TransportReceiverInterface* receiver, const rtps::octet* datagram,
            uint32_t size, const rtps::Locator_t& local, const rtps::Locator_t& remote) override
    {
        states_->heard(datagram, size);
        receiver->OnDataReceived(datagram, size, local, remote);
    }

private:
    std::shared_ptr<ReaderStates> states_;
};

struct ListeningDescriptor : public rtps::ChainingTransportDescriptor {
    ListeningDescriptor(Descriptor below, std::shared_ptr<ReaderStates> states_)
        : ChainingTransportDescriptor(std::move(below))
        , states(std::move(states_))
    {
    }

    rtps::TransportInterface* create_transport() const override
    {
        return new ListeningTransport(*this, states);
    }

    std::shared_ptr<ReaderStates> states;
};

std::string environment(const char* name)
{
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

/// The transports that Fast DDS would choose; none if only it knows.
std::optional<rtps::BuiltinTransports> chosen_transports()
{
    const std::string choice = environment("FASTDDS_BUILTIN_TRANSPORTS");
    if (choice.empty() || choice == "DEFAULT") {
        return rtps::BuiltinTransports::DEFAULT;
    }
    if (choice == "UDPv4") {
        return rtps::BuiltinTransports::UDPv4;
    }
    if (choice == "SHM") {
        return rtps::BuiltinTransports::SHM;
    }
    return std::nullopt;
}

bool can_listen(const Descriptor& descriptor)
{
    return dynamic_cast<const rtps::UDPv4TransportDescriptor*>(descriptor.get()) != nullptr
            || dynamic_cast<const rtps::SharedMemTransportDescriptor*>(descriptor.get()) != nullptr;
}

/// What else decides on transports once the participant is created; empty if nothing does.
std::string other_authority(const dds::DomainParticipantQos& qos)
{
    for (const char* name : {"FASTDDS_ENVIRONMENT_FILE", "ROS2_EASY_MODE"}) {
        if (!environment(name).empty()) {
            return std::string(name) + " is set";
        }
    }
    if (environment("ROS_DISCOVERY_SERVER").find("TCP") != std::string::npos) {
        return "ROS_DISCOVERY_SERVER names a server on TCP";
    }
    if (!qos.wire_protocol().easy_mode().empty()) {
        return "the XML profile sets the easy mode";
    }
    if (qos.transport().netmask_filter != rtps::NetmaskFilterKind::AUTO) {
        return "the XML profile sets a netmask filter";
    }
    return "";
}

}  // namespace

std::string listen_in(dds::DomainParticipantQos& qos, std::shared_ptr<ReaderStates> states)
{
    if (const std::string other = other_authority(qos); !other.empty()) {
        return other;
    }
    dds::DomainParticipantQos chosen = qos;
    if (qos.transport().use_builtin_transports) {
        const auto transports = chosen_transports();
        if (!transports) {
            return "FASTDDS_BUILTIN_TRANSPORTS is not DEFAULT, UDPv4 or SHM";
        }
        chosen.setup_transports(*transports);
    }
    std::vector<Descriptor> listening;
    for (const Descriptor& descriptor : chosen.transport().user_transports) {
        if (!can_listen(descriptor)) {
            return "a transport is neither UDPv4 nor shared memory";
        }
        listening.push_back(std::make_shared<ListeningDescriptor>(descriptor, states));
    }
    qos.transport().use_builtin_transports = false;
    qos.transport().user_transports = std::move(listening);
    return "";
}

}  // namespace binding
