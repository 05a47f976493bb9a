// SPDX-License-Identifier: Apache-2.0
#include "participant.hpp"

#include "listening.hpp"

#include <fastdds/dds/domain/DomainParticipantFactory.hpp>
#include <fastdds/dds/domain/qos/DomainParticipantQos.hpp>
#include <fastdds/dds/log/Log.hpp>
#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/subscriber/Subscriber.hpp>
#include <fastdds/dds/topic/Topic.hpp>
#include <fastdds/rtps/transport/UDPv4TransportDescriptor.hpp>

#include <chrono>
#include <sstream>

namespace binding {

namespace {

const char* name_of(rtps::ParticipantDiscoveryStatus status)
{
    switch (status) {
        case rtps::ParticipantDiscoveryStatus::DISCOVERED_PARTICIPANT: return "discovered";
        case rtps::ParticipantDiscoveryStatus::CHANGED_QOS_PARTICIPANT: return "changed";
        case rtps::ParticipantDiscoveryStatus::REMOVED_PARTICIPANT: return "removed";
        case rtps::ParticipantDiscoveryStatus::DROPPED_PARTICIPANT: return "dropped";
        default: return "ignored";
    }
}

Properties properties_of(const dds::ParticipantBuiltinTopicData& data)
{
    Properties properties;
    for (const auto& property : data.properties) {
        properties.emplace_back(property.first(), property.second());
    }
    return properties;
}

void stay_on(dds::DomainParticipantQos& qos, const std::vector<std::string>& interfaces)
{
    auto udp = std::make_shared<rtps::UDPv4TransportDescriptor>();
    for (const std::string& name : interfaces) {
        udp->interface_allowlist.emplace_back(name);
    }
    qos.transport().use_builtin_transports = false;
    qos.transport().user_transports.push_back(udp);
}

// Callbacks only post to the mailbox: they are done long before.
constexpr std::chrono::seconds callback_patience{10};

// Its ports would pass 65535, for which Fast DDS ends the process instead of refusing.
constexpr uint32_t highest_domain = 232;

dds::DomainParticipantQos qos_of(const ParticipantOptions& options)
{
    if (options.domain > highest_domain) {
        throw Error("domain " + std::to_string(options.domain) + " is above 232: BAD_PARAMETER");
    }
    auto* factory = dds::DomainParticipantFactory::get_instance();
    // The defaults are those of the XML profile file, where the environment names one.
    check(factory->load_profiles(), "load the XML profiles");
    dds::DomainParticipantQos qos = factory->get_default_participant_qos();
    qos.name(options.name.c_str());
    for (const auto& [name, value] : options.propagated_properties) {
        qos.properties().properties().emplace_back(name, value, true);
    }
    for (const auto& [name, value] : options.local_properties) {
        qos.properties().properties().emplace_back(name, value, false);
    }
    auto& discovery = qos.wire_protocol().builtin.discovery_config;
    discovery.leaseDuration = duration_of(options.lease_duration_s);
    discovery.leaseDuration_announcementperiod = duration_of(options.announcement_period_s);
    if (!options.interfaces.empty()) {
        stay_on(qos, options.interfaces);
    }
    return qos;
}

/// What Fast DDS logged while it refused: its return value alone never says why.
std::string logged_errors(Mailbox& mailbox)
{
    dds::Log::Flush();
    std::string text;
    for (const LogLine& line : mailbox.take_log_lines()) {
        text += (text.empty() ? ": " : "; ") + line.category + " " + line.message;
    }
    return text;
}

}  // namespace

std::string text_of(const rtps::GUID_t& guid)
{
    std::ostringstream text;
    text << guid;
    return text.str();
}

dds::Duration_t duration_of(double seconds)
{
    const auto whole = static_cast<int32_t>(seconds);
    return {whole, static_cast<uint32_t>((seconds - whole) * 1e9)};
}

double seconds_of(const dds::Duration_t& duration)
{
    return duration.seconds + duration.nanosec * 1e-9;
}

/// Runs on the threads of DDS: it only posts to the mailbox.
class Participant::Listener : public dds::DomainParticipantListener {
public:
    Listener(std::shared_ptr<Mailbox> mailbox, std::shared_ptr<ReaderStates> readers)
        : mailbox_(std::move(mailbox))
        , readers_(std::move(readers))
    {
    }

    void on_participant_discovery(dds::DomainParticipant*, rtps::ParticipantDiscoveryStatus status,
            const dds::ParticipantBuiltinTopicData& data, bool&) override
    {
        mailbox_->post(PeerEvent{name_of(status), text_of(data.guid),
                data.participant_name.to_string(), properties_of(data),
                data.vendor_id[0] << 8 | data.vendor_id[1], seconds_of(data.lease_duration)});
    }

    void on_data_on_readers(dds::Subscriber*) override { mailbox_->signal(); }
    void on_data_available(dds::DataReader*) override { mailbox_->signal(); }
    void on_sample_rejected(dds::DataReader*, const dds::SampleRejectedStatus&) override
    {
        mailbox_->count_rejected();
    }
    void on_subscription_matched(dds::DataReader*, const dds::SubscriptionMatchedStatus&) override
    {
        mailbox_->signal();
    }
    void on_publication_matched(
            dds::DataWriter* writer, const dds::PublicationMatchedStatus& status) override
    {
        const rtps::GUID_t reader = rtps::iHandle2GUID(status.last_subscription_handle);
        if (status.current_count_change > 0) {
            readers_->matched(writer->guid(), reader);
        } else if (status.current_count_change < 0) {
            // Not at 0: a match and the end of one may be told together, with the last of the two.
            readers_->unmatched(writer->guid(), reader);
        }
        mailbox_->signal();
    }

private:
    std::shared_ptr<Mailbox> mailbox_;
    std::shared_ptr<ReaderStates> readers_;
};

Participant::Participant(const ParticipantOptions& options)
    : mailbox_(std::make_shared<Mailbox>())
    , readers_(std::make_shared<ReaderStates>())
    , listener_(std::make_unique<Listener>(mailbox_, readers_))
{
    subscribe_to_log(mailbox_);
    dds::DomainParticipantQos qos = qos_of(options);
    why_deaf_ = listen_in(qos, readers_);
    participant_ = dds::DomainParticipantFactory::get_instance()->create_participant(
            options.domain, qos, listener_.get());
    if (participant_ == nullptr) {
        throw Error("cannot create participant " + options.name + " in domain "
                + std::to_string(options.domain) + logged_errors(*mailbox_));
    }
    guid_ = text_of(participant_->guid());
    publisher_ = participant_->create_publisher(dds::PUBLISHER_QOS_DEFAULT);
    subscriber_ = participant_->create_subscriber(dds::SUBSCRIBER_QOS_DEFAULT);
}

Participant::~Participant()
{
    close();
}

void Participant::close()
{
    // Lets nobody begin another use, who could keep this thread waiting for ever.
    is_closing_ = true;
    std::unique_lock<std::shared_mutex> lock(mutex_);
    if (participant_ == nullptr) {
        return;
    }
    // With a time limit of our own, since that of delete_participant overflows: it spins, and keeps
    // the lock from the very callback that it waits for.
    participant_->set_listener(nullptr, callback_patience);
    // Both can only fail for entities of another participant, or for those still in use: `mutex_`
    // excludes them.
    participant_->delete_contained_entities();
    dds::DomainParticipantFactory::get_instance()->delete_participant(participant_);
    participant_ = nullptr;
}

Participant::Use::Use(Participant& participant)
    : participant_(participant)
    , lock_(participant.mutex_)
{
    if (participant.is_closing_ || participant.participant_ == nullptr) {
        throw Error("the participant is closed: ALREADY_DELETED");
    }
}

dds::Topic* Participant::Use::topic(const std::string& name, const StructType& type) const
{
    dds::DomainParticipant* participant = participant_.participant_;
    if (auto* existing = participant->lookup_topicdescription(name)) {
        return static_cast<dds::Topic*>(existing);
    }
    check(type.support().register_type(participant), "register type " + type.name());
    return check_created(
            participant->create_topic(name, type.name(), dds::TOPIC_QOS_DEFAULT), "topic " + name);
}

}  // namespace binding
