// SPDX-License-Identifier: Apache-2.0
#include "rpc.hpp"

#include <fastdds/dds/domain/qos/ReplierQos.hpp>
#include <fastdds/dds/domain/qos/RequesterQos.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/subscriber/Subscriber.hpp>

#include <cstring>

namespace binding {

namespace {

/// A sample identity as octets: GUID prefix, entity id, sequence number.
struct Identity {
    rtps::octet prefix[rtps::GuidPrefix_t::size];
    rtps::octet entity[rtps::EntityId_t::size];
    int64_t sequence_number;
};

nb::bytes correlation_of(const rtps::SampleIdentity& identity)
{
    Identity octets{};
    std::memcpy(octets.prefix, identity.writer_guid().guidPrefix.value, sizeof octets.prefix);
    std::memcpy(octets.entity, identity.writer_guid().entityId.value, sizeof octets.entity);
    octets.sequence_number = identity.sequence_number().to64long();
    return nb::bytes(&octets, sizeof octets);
}

rtps::SampleIdentity identity_of(const nb::bytes& correlation)
{
    Identity octets{};
    if (correlation.size() != sizeof octets) {
        throw nb::value_error("a correlation has 24 octets");
    }
    std::memcpy(&octets, correlation.c_str(), sizeof octets);
    rtps::SampleIdentity identity;
    std::memcpy(identity.writer_guid().guidPrefix.value, octets.prefix, sizeof octets.prefix);
    std::memcpy(identity.writer_guid().entityId.value, octets.entity, sizeof octets.entity);
    identity.sequence_number(rtps::SequenceNumber_t(static_cast<uint64_t>(octets.sequence_number)));
    return identity;
}

template <class EndQos>
EndQos qos_of(const Participant::Use& use, const Qos& qos)
{
    EndQos both;
    both.reader_qos = reader_qos(use.subscriber()->get_default_datareader_qos(), qos);
    both.writer_qos = writer_qos(use.publisher()->get_default_datawriter_qos(), qos);
    return both;
}

template <class Take>
std::vector<Message> take_messages(Participant& participant, const StructType& type, size_t limit, Take take)
{
    std::vector<std::pair<Content, dds::rpc::RequestInfo>> taken;
    {
        nb::gil_scoped_release release;
        Participant::Use use(participant);
        for (bool more = true; more && taken.size() < limit;) {
            Content content;
            dds::rpc::RequestInfo info;
            const auto code = take(&content, info);
            if (code == dds::RETCODE_OK && info.valid_data) {
                taken.emplace_back(std::move(content), info);
            } else if (code == dds::RETCODE_NO_DATA) {
                more = false;
            } else {
                check(code, "take from " + type.name());
            }
        }
    }
    std::vector<Message> messages;
    for (const auto& [content, info] : taken) {
        messages.emplace_back(type.to_python(content), correlation_of(info.related_sample_identity));
    }
    return messages;
}

std::pair<size_t, size_t> matches(Participant& participant, dds::DataReader* reader, dds::DataWriter* writer)
{
    nb::gil_scoped_release release;
    Participant::Use use(participant);
    std::vector<dds::InstanceHandle_t> writers;
    std::vector<dds::InstanceHandle_t> readers;
    check(reader->get_matched_publications(writers), "matched writers");
    check(writer->get_matched_subscriptions(readers), "matched readers");
    return {writers.size(), readers.size()};
}

}  // namespace

Service::Service(std::shared_ptr<Participant> participant, std::string name,
        std::shared_ptr<StructType> request_type, std::shared_ptr<StructType> reply_type)
    : participant(std::move(participant))
    , name(std::move(name))
    , request_type(std::move(request_type))
    , reply_type(std::move(reply_type))
{
    nb::gil_scoped_release release;
    Participant::Use use(*this->participant);
    service = use.service(this->name, {this->request_type->support(), this->reply_type->support()});
}

Replier::Replier(std::shared_ptr<Service> service, const Qos& qos)
    : service_(std::move(service))
{
    nb::gil_scoped_release release;
    Participant::Use use(*service_->participant);
    replier_ = check_created(
            use->create_service_replier(service_->service, qos_of<dds::ReplierQos>(use, qos)),
            "replier of " + service_->name);
}

Replier::~Replier()
{
    nb::gil_scoped_release release;
    service_->participant->if_open(
            [this](const Participant::Use& use) { use->delete_service_replier(service_->name, replier_); });
}

std::vector<Message> Replier::take(size_t limit)
{
    return take_messages(*service_->participant, *service_->request_type, limit,
            [this](void* data, dds::rpc::RequestInfo& info) { return replier_->take_request(data, info); });
}

void Replier::reply(nb::handle value, nb::bytes correlation)
{
    Content content = service_->reply_type->from_python(value);
    dds::rpc::RequestInfo info;
    info.related_sample_identity = identity_of(correlation);
    nb::gil_scoped_release release;
    Participant::Use use(*service_->participant);
    check(replier_->send_reply(&content, info), "reply of " + service_->name);
}

std::pair<size_t, size_t> Replier::matched() const
{
    return matches(*service_->participant, replier_->get_replier_reader(), replier_->get_replier_writer());
}

Requester::Requester(std::shared_ptr<Service> service, const Qos& qos)
    : service_(std::move(service))
{
    nb::gil_scoped_release release;
    Participant::Use use(*service_->participant);
    requester_ = check_created(
            use->create_service_requester(service_->service, qos_of<dds::RequesterQos>(use, qos)),
            "requester of " + service_->name);
}

Requester::~Requester()
{
    nb::gil_scoped_release release;
    service_->participant->if_open(
            [this](const Participant::Use& use) { use->delete_service_requester(service_->name, requester_); });
}

nb::bytes Requester::request(nb::handle value)
{
    Content content = service_->request_type->from_python(value);
    dds::rpc::RequestInfo info;
    {
        nb::gil_scoped_release release;
        Participant::Use use(*service_->participant);
        check(requester_->send_request(&content, info), "request of " + service_->name);
    }
    return correlation_of(info.related_sample_identity);
}

std::vector<Message> Requester::take(size_t limit)
{
    return take_messages(*service_->participant, *service_->reply_type, limit,
            [this](void* data, dds::rpc::RequestInfo& info) { return requester_->take_reply(data, info); });
}

std::pair<size_t, size_t> Requester::matched() const
{
    return matches(*service_->participant, requester_->get_requester_reader(), requester_->get_requester_writer());
}

}  // namespace binding
