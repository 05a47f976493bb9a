// SPDX-License-Identifier: Apache-2.0
#include "endpoints.hpp"

#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/subscriber/Subscriber.hpp>
#include <fastdds/dds/topic/Topic.hpp>
#include <fastdds/rtps/common/WriteParams.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

namespace binding {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double longest_wait_s = 0.02;

template <class EndpointQos>
void apply(EndpointQos& to, const Qos& qos)
{
    to.reliability().kind =
            qos.reliable ? dds::RELIABLE_RELIABILITY_QOS : dds::BEST_EFFORT_RELIABILITY_QOS;
    to.durability().kind = qos.transient_local ? dds::TRANSIENT_LOCAL_DURABILITY_QOS
                                               : dds::VOLATILE_DURABILITY_QOS;
    if (qos.history_depth == 0) {
        to.history().kind = dds::KEEP_ALL_HISTORY_QOS;
    } else {
        to.history().kind = dds::KEEP_LAST_HISTORY_QOS;
        to.history().depth = qos.history_depth;
    }
    to.resource_limits().max_samples = qos.max_samples;
    to.resource_limits().max_instances = qos.max_instances;
    to.resource_limits().max_samples_per_instance = qos.max_samples_per_instance;
    // The default keeps every buffer at the size of the largest sample it ever held: megabytes,
    // here.
    to.endpoint().history_memory_policy = rtps::DYNAMIC_RESERVE_MEMORY_MODE;
}

dds::DataReaderQos reader_qos(dds::DataReaderQos defaults, const Qos& qos)
{
    apply(defaults, qos);
    return defaults;
}

dds::DataWriterQos writer_qos(dds::DataWriterQos defaults, const Qos& qos)
{
    apply(defaults, qos);
    defaults.reliable_writer_qos().times.heartbeat_period = duration_of(qos.heartbeat_period_s);
    return defaults;
}

/// Let an endpoint be in partitions of its own; publisher and subscriber have no others.
///
/// The names are separated by semicolons; that of the default partition is empty.
template <class EndpointQos>
EndpointQos in_partitions(EndpointQos qos, const std::string& names)
{
    qos.properties().properties().emplace_back("partitions", names);
    return qos;
}

std::string new_private_partition(const Participant& participant)
{
    static std::atomic<unsigned> number{0};
    return participant.guid() + "/" + std::to_string(++number);
}

/// Of a writer that any reader of ours matches, and that keeps nothing.
dds::DataWriterQos forgetter_qos(dds::DataWriterQos defaults)
{
    constexpr Qos qos{true, true, 1, 0, 0, 0, 0.1};
    return writer_qos(std::move(defaults), qos);
}

InstanceState state_of(dds::InstanceStateKind kind)
{
    switch (kind) {
        case dds::NOT_ALIVE_DISPOSED_INSTANCE_STATE: return InstanceState::disposed;
        case dds::NOT_ALIVE_NO_WRITERS_INSTANCE_STATE: return InstanceState::no_writers;
        default: return InstanceState::alive;
    }
}

std::vector<std::string> guids_of(const std::vector<dds::InstanceHandle_t>& handles)
{
    std::vector<std::string> guids;
    for (const auto& handle : handles) {
        guids.push_back(text_of(rtps::iHandle2GUID(handle)));
    }
    return guids;
}

/// The identity that a reply to a sample names. A sample that is a reply, or that asks for replies
/// to another identity, has one in its header, perhaps with a sequence number left open; else it is
/// the sample's own.
rtps::SampleIdentity correlation_of(const dds::SampleInfo& info)
{
    rtps::SampleIdentity correlation = info.related_sample_identity;
    if (correlation.writer_guid() == rtps::GUID_t::unknown()) {
        return info.sample_identity;
    }
    if (correlation.sequence_number() == rtps::SequenceNumber_t::unknown()) {
        correlation.sequence_number(info.sample_identity.sequence_number());
    }
    return correlation;
}

Sample sample_of(const StructType& type, const Content& content, const dds::SampleInfo& info)
{
    const auto* octets = static_cast<const rtps::octet*>(info.instance_handle.value);
    return {info.valid_data ? type.to_python(content) : nb::none(),
            std::string(octets, octets + 16), state_of(info.instance_state),
            text_of(info.sample_identity.writer_guid()), correlation_of(info),
            info.sample_identity.sequence_number().to64long(), info.source_timestamp.to_ns(),
            info.reception_timestamp.to_ns()};
}

}  // namespace

Reader::Reader(std::shared_ptr<Participant> participant, const std::string& topic,
        std::shared_ptr<StructType> type, const Qos& qos)
    : participant_(std::move(participant))
    , type_(std::move(type))
    , private_partition_(new_private_partition(*participant_))
{
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    auto* subscriber = use.subscriber();
    const auto own_qos = reader_qos(subscriber->get_default_datareader_qos(), qos);
    reader_ = check_created(
            subscriber->create_datareader(use.topic(topic, *type_),
                    type_->structure()->has_key ? in_partitions(own_qos, ";" + private_partition_)
                                                : own_qos,
                    nullptr, dds::StatusMask::all(), PayloadPool::instance()),
            "reader of " + topic);
}

Reader::~Reader()
{
    nb::gil_scoped_release release;
    participant_->if_open([this](const Participant::Use& use) {
        if (forgetter_ != nullptr) {
            use.publisher()->delete_datawriter(forgetter_);
        }
        use.subscriber()->delete_datareader(reader_);
    });
}

std::vector<Sample> Reader::take(size_t limit)
{
    std::vector<std::pair<Content, dds::SampleInfo>> taken;
    {
        nb::gil_scoped_release release;
        Participant::Use use(*participant_);
        while (taken.size() < limit) {
            Content content;
            dds::SampleInfo info;
            const auto code = reader_->take_next_sample(&content, &info);
            if (code == dds::RETCODE_NO_DATA) {
                break;
            }
            check(code, "take from " + type_->name());
            if (forgetter_ == nullptr || info.sample_identity.writer_guid() != forgetter_->guid()) {
                taken.emplace_back(std::move(content), info);
            }
        }
    }
    std::vector<Sample> samples;
    samples.reserve(taken.size());
    for (const auto& [content, info] : taken) {
        samples.push_back(sample_of(*type_, content, info));
    }
    return samples;
}

void Reader::forget(const Handle& instance)
{
    Content content;
    content.values = defaults_of(*type_->structure());
    content.handle = instance;
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    if (reader_->lookup_instance(&content) == dds::HANDLE_NIL) {
        return;
    }
    if (forgetter_ == nullptr) {
        auto* publisher = use.publisher();
        const auto qos = forgetter_qos(publisher->get_default_datawriter_qos());
        forgetter_ = check_created(
                publisher->create_datawriter(
                        use.topic(reader_->get_topicdescription()->get_name(), *type_),
                        in_partitions(qos, private_partition_)),
                "writer that ends instances of " + type_->name());
    }
    // The first end leaves the writers that have not ended the instance; one that begins again has
    // its new writer only, and is gone with it.
    for (int round = 0; round < 2; ++round) {
        check(forgetter_->write(&content), "begin an instance of " + type_->name());
        check(forgetter_->unregister_instance(&content, dds::HANDLE_NIL),
                "end an instance of " + type_->name());
    }
}

std::vector<std::string> Reader::matched() const
{
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    std::vector<dds::InstanceHandle_t> handles;
    check(reader_->get_matched_publications(handles), "matched writers");
    return guids_of(handles);
}

int32_t Reader::rejected_count() const
{
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    dds::SampleRejectedStatus status;
    check(reader_->get_sample_rejected_status(status), "rejected samples");
    return status.total_count;
}

Writer::Writer(std::shared_ptr<Participant> participant, const std::string& topic,
        std::shared_ptr<StructType> type, const Qos& qos)
    : participant_(std::move(participant))
    , type_(std::move(type))
{
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    auto* publisher = use.publisher();
    writer_ = check_created(publisher->create_datawriter(use.topic(topic, *type_),
                                    writer_qos(publisher->get_default_datawriter_qos(), qos)),
            "writer of " + topic);
    rtps_guid_ = writer_->guid();
    guid_ = text_of(rtps_guid_);
}

Writer::~Writer()
{
    nb::gil_scoped_release release;
    participant_->if_open(
            [this](const Participant::Use& use) { use.publisher()->delete_datawriter(writer_); });
}

rtps::SampleIdentity Writer::write(
        nb::handle value, const std::optional<rtps::SampleIdentity>& correlation)
{
    const Content content = type_->from_python(value);
    rtps::WriteParams params;
    if (correlation) {
        params.related_sample_identity(*correlation);
    }
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    check(writer_->write(&content, params), "write " + type_->name());
    last_written_ = params.sample_identity().sequence_number().to64long();
    return params.sample_identity();
}

void Writer::register_instance(nb::handle value)
{
    const Content content = type_->from_python(value);
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    if (writer_->register_instance(&content) == dds::HANDLE_NIL) {
        throw Error("register an instance of " + type_->name() + ": OUT_OF_RESOURCES");
    }
}

bool Writer::unregister(nb::handle value)
{
    const Content content = type_->from_python(value);
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    const auto code = writer_->unregister_instance(&content, dds::HANDLE_NIL);
    if (code == dds::RETCODE_PRECONDITION_NOT_MET) {
        return false;
    }
    check(code, "unregister " + type_->name());
    return true;
}

bool Writer::wait_for_acknowledgments(double timeout_s)
{
    nb::gil_scoped_release release;
    const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_s);
    for (;;) {
        const std::chrono::duration<double> left = deadline - Clock::now();
        if (are_all_acknowledged(left.count())) {
            return true;
        }
        if (left.count() <= longest_wait_s) {
            return false;
        }
    }
}

Receipt Writer::wait_for_receipt(double timeout_s, double patience_s)
{
    nb::gil_scoped_release release;
    const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_s);
    const std::chrono::duration<double> patience(patience_s);
    // What is written meanwhile is for the next wait.
    const int64_t wanted = last_written_;
    for (;;) {
        const std::chrono::duration<double> left = deadline - Clock::now();
        if (are_all_acknowledged(left.count())) {
            return Receipt::all;
        }
        if (participant_->readers().have(rtps_guid_, wanted, patience, Clock::now())) {
            return Receipt::answering;
        }
        if (left.count() <= longest_wait_s) {
            return Receipt::none;
        }
    }
}

/// Wait for a short step at most: who closes the participant waits for this one.
bool Writer::are_all_acknowledged(double timeout_s)
{
    Participant::Use use(*participant_);
    const auto code = writer_->wait_for_acknowledgments(
            duration_of(std::clamp(timeout_s, 0.0, longest_wait_s)));
    // Fast DDS documents TIMEOUT, and returns ERROR when the time is over.
    if (code != dds::RETCODE_OK && code != dds::RETCODE_TIMEOUT && code != dds::RETCODE_ERROR) {
        check(code, "wait for acknowledgments of " + type_->name());
    }
    return code == dds::RETCODE_OK;
}

bool Writer::is_instance_acknowledged(nb::handle value)
{
    const Content content = type_->from_python(value);
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    // Without a wait, Fast DDS would not even take the lock that another thread holds just now.
    return writer_->wait_for_acknowledgments(&content, dds::HANDLE_NIL, duration_of(0.0005))
            == dds::RETCODE_OK;
}

std::vector<std::string> Writer::matched() const
{
    nb::gil_scoped_release release;
    Participant::Use use(*participant_);
    std::vector<dds::InstanceHandle_t> handles;
    check(writer_->get_matched_subscriptions(handles), "matched readers");
    return guids_of(handles);
}

}  // namespace binding
