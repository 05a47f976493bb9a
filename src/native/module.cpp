// SPDX-License-Identifier: Apache-2.0
#include "endpoints.hpp"
#include "mailbox.hpp"
#include "participant.hpp"
#include "types.hpp"

#include <fastdds/config.hpp>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <exception>
#include <optional>

namespace binding {

namespace {

using namespace nb::literals;

/// A sample identity as octets: GUID prefix, entity id, sequence number.
struct Identity {
    rtps::octet prefix[rtps::GuidPrefix_t::size];
    rtps::octet entity[rtps::EntityId_t::size];
    int64_t sequence_number;
};

nb::bytes octets_of(const rtps::SampleIdentity& identity)
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

nb::list properties_to_python(const Properties& properties)
{
    nb::list list;
    for (const auto& [name, value] : properties) {
        list.append(nb::make_tuple(text_to_python(name), text_to_python(value)));
    }
    return list;
}

/// Raise `Error` with a message that may quote what a peer said.
void raise_error(const std::exception_ptr& raised, void* type)
{
    try {
        std::rethrow_exception(raised);
    } catch (const Error& error) {
        PyErr_SetObject(static_cast<PyObject*>(type), text_to_python(error.what()).ptr());
    }
}

Handle handle_of(const nb::bytes& instance)
{
    constexpr size_t size = 16;
    if (instance.size() != size) {
        throw nb::value_error("an instance handle has 16 octets");
    }
    Handle handle;
    std::memcpy(static_cast<rtps::octet*>(handle.value), instance.data(), size);
    return handle;
}

template <class Items>
nb::list list_of(Items&& items)
{
    nb::list list;
    for (auto& item : items) {
        list.append(nb::cast(std::move(item)));
    }
    return list;
}

void bind_types(nb::module_& m)
{
    nb::class_<StructType>(
            m, "StructType", "A struct on the wire; its samples are tuples in member order.")
            .def(nb::init<const std::string&, const std::vector<Member>&, const std::string&>(),
                    "name"_a, "members"_a, nb::kw_only(), "extensibility"_a,
                    "Build the type; `extensibility` is \"final\", \"appendable\" or \"mutable\".")
            .def_prop_ro("name", &StructType::name, "Name of the type on the wire.")
            .def("to_payload", &StructType::to_payload, "value"_a, nb::kw_only(), "is_xcdr2"_a,
                    nb::sig("def to_payload(self, value: tuple[typing.Any, ...], *, is_xcdr2: "
                            "bool) -> bytes"),
                    "Encode a sample as a writer does, in XCDR version 1 or 2.")
            .def("from_payload", &StructType::from_payload, "payload"_a,
                    nb::sig("def from_payload(self, payload: bytes) -> tuple[typing.Any, ...] | "
                            "None"),
                    "Decode a sample as a reader does; None for a payload that a reader skips.")
            .def("handle_of", &StructType::handle_of, "payload"_a, nb::kw_only(), "is_hashed"_a,
                    "Handle of the instance that a payload belongs to; `is_hashed` asks for the "
                    "MD5 of a short key too.");
    nb::class_<Member>(m, "Member", "One member of a struct.")
            .def(nb::init<std::string, std::variant<std::string, std::shared_ptr<StructType>>, bool,
                         std::optional<uint32_t>, bool>(),
                    "name"_a, "type"_a, nb::kw_only(), "is_key"_a, "id"_a.none(), "is_borrowed"_a,
                    "Describe a member; `type` is a struct or one of \"boolean\", \"int32\", "
                    "\"uint32\", \"double\", \"string\", \"sequence<octet>\" (bytes) and "
                    "\"sequence<string>\" (tuple of str). Text that is not UTF-8 is read with "
                    "replacement characters. Octets of a member that `is_borrowed` are read as a "
                    "memoryview over what was received, which it keeps; octets are written from "
                    "any buffer.");
    bind_views(m);
}

/// What ACKNACKs a datagram holds, for tests of hostile ones.
nb::list acknowledgments_in(const nb::bytes& datagram)
{
    Acknowledgments acknowledgments(static_cast<const uint8_t*>(datagram.data()), datagram.size());
    nb::list list;
    Acknowledgment found;
    while (acknowledgments.next(found)) {
        list.append(nb::make_tuple(text_of(found.reader), text_of(found.writer), found.up_to));
    }
    return list;
}

void bind_participant(nb::module_& m)
{
    m.def("acknowledgments_in", &acknowledgments_in, "datagram"_a,
            nb::sig("def acknowledgments_in(datagram: bytes) -> list[tuple[str, str, int]]"),
            "Read the acknowledgments of an RTPS datagram: GUIDs of reader and writer, and the "
            "number up to which the reader has all samples. What is not well formed is skipped.");
    nb::class_<PeerEvent>(m, "PeerEvent", "What discovery said about another participant.")
            .def_ro("status", &PeerEvent::status,
                    "\"discovered\", \"changed\", \"removed\" (left), \"dropped\" (lease ended).")
            .def_ro("guid", &PeerEvent::guid)
            .def_prop_ro(
                    "name", [](const PeerEvent& self) { return text_to_python(self.name); },
                    nb::sig("def name(self) -> str"))
            .def_prop_ro(
                    "properties",
                    [](const PeerEvent& self) { return properties_to_python(self.properties); },
                    nb::sig("def properties(self) -> list[tuple[str, str]]"))
            .def_ro("vendor", &PeerEvent::vendor,
                    "Number of its implementation of DDS: 0x010F for Fast DDS.")
            .def_ro("lease_duration_s", &PeerEvent::lease_duration_s,
                    "Seconds of silence after which it counts as dead.");
    nb::class_<LogLine>(m, "LogLine", "One line of Fast DDS's own log.")
            .def_ro("severity", &LogLine::severity, "\"error\" or \"warning\".")
            .def_ro("category", &LogLine::category)
            .def_prop_ro(
                    "message", [](const LogLine& self) { return text_to_python(self.message); },
                    nb::sig("def message(self) -> str"));
    nb::class_<Participant>(
            m, "Participant", "A participant of a domain. No thread of DDS takes the GIL.")
            .def(
                    "__init__",
                    [](Participant* self, uint32_t domain, std::string name, Properties propagated,
                            Properties local, double lease_duration_s, double announcement_period_s,
                            std::vector<std::string> interfaces) {
                        ParticipantOptions options{domain, std::move(name), std::move(propagated),
                                std::move(local), lease_duration_s, announcement_period_s,
                                std::move(interfaces)};
                        nb::gil_scoped_release release;
                        new (self) Participant(options);
                    },
                    nb::kw_only(), "domain"_a, "name"_a, "propagated_properties"_a,
                    "local_properties"_a, "lease_duration_s"_a, "announcement_period_s"_a,
                    "interfaces"_a,
                    "Join the domain. `interfaces` are names or IPv4 addresses to stay on; without "
                    "any, Fast DDS and its XML profile choose the transports.")
            .def_prop_ro("guid", &Participant::guid)
            .def_prop_ro("why_deaf", &Participant::why_deaf,
                    "Why acknowledgments of single readers are not heard; empty if they are.")
            .def(
                    "fileno", [](Participant& self) { return self.mailbox()->fileno(); },
                    "File descriptor that is readable when samples, peers, matches or log lines "
                    "may be waiting.")
            .def(
                    "clear", [](Participant& self) { self.mailbox()->clear(); },
                    "Make `fileno` unreadable again; call it before collecting, so that nothing is "
                    "missed.")
            .def(
                    "signal", [](Participant& self) { self.mailbox()->signal(); },
                    "Make `fileno` readable, as news would.")
            .def(
                    "take_peer_events",
                    [](Participant& self) { return list_of(self.mailbox()->take_peer_events()); },
                    nb::sig("def take_peer_events(self) -> list[PeerEvent]"),
                    "Collect what discovery found.")
            .def(
                    "take_log_lines",
                    [](Participant& self) { return list_of(self.mailbox()->take_log_lines()); },
                    nb::sig("def take_log_lines(self) -> list[LogLine]"),
                    "Collect what Fast DDS logged in this process, warnings and errors; at most "
                    "1000 lines wait.")
            .def(
                    "rejected_count",
                    [](Participant& self) { return self.mailbox()->rejected_count(); },
                    "How often a sample found no room in a reader so far.")
            .def("close", &Participant::close, nb::call_guard<nb::gil_scoped_release>(),
                    "Leave the domain and delete all endpoints; peers see it at once. May be "
                    "repeated.");
}

void bind_endpoints(nb::module_& m)
{
    nb::class_<Qos>(m, "Qos", "Quality of service of a reader or writer.")
            .def(
                    "__init__",
                    [](Qos* self, bool reliable, bool transient_local, int32_t history_depth,
                            int32_t max_samples, int32_t max_instances,
                            int32_t max_samples_per_instance, double heartbeat_period_s) {
                        new (self) Qos{reliable, transient_local, history_depth, max_samples,
                                max_instances, max_samples_per_instance, heartbeat_period_s};
                    },
                    nb::kw_only(), "reliable"_a, "transient_local"_a, "history_depth"_a,
                    "max_samples"_a, "max_instances"_a, "max_samples_per_instance"_a,
                    "heartbeat_period_s"_a,
                    "Everything is explicit: `history_depth` 0 keeps all, a limit of 0 is none.");
    nb::enum_<Receipt>(m, "Receipt", "Which of the matched readers have everything.")
            .value("NONE", Receipt::none, "None, or not all that answer.")
            .value("ANSWERING", Receipt::answering, "All that still answer, one at least.")
            .value("ALL", Receipt::all, "All, if there are any.");
    nb::enum_<InstanceState>(m, "InstanceState", "State of an instance when its sample was taken.")
            .value("ALIVE", InstanceState::alive)
            .value("DISPOSED", InstanceState::disposed)
            .value("NO_WRITERS", InstanceState::no_writers);
    nb::class_<Sample>(m, "Sample", "One sample as it was taken.")
            .def_prop_ro(
                    "value", [](const Sample& self) { return self.value; },
                    nb::sig("def value(self) -> tuple[typing.Any, ...] | None"),
                    "Members in order; None when only the state of the instance changed.")
            .def_prop_ro(
                    "instance",
                    [](const Sample& self) {
                        return nb::bytes(self.instance.data(), self.instance.size());
                    },
                    "Handle of the instance: 16 octets, equal for equal keys of one reader.")
            .def_ro("state", &Sample::state)
            .def_ro("writer", &Sample::writer, "GUID of the writer.")
            .def_prop_ro(
                    "correlation", [](const Sample& self) { return octets_of(self.correlation); },
                    "24 octets that a request and its reply share.")
            .def_ro("sequence_number", &Sample::sequence_number,
                    "Its place among what the writer has written, from 1.")
            .def_ro("source_timestamp_ns", &Sample::source_timestamp_ns)
            .def_ro("reception_timestamp_ns", &Sample::reception_timestamp_ns);
    nb::class_<Reader>(m, "Reader", "A reader of a topic. Dropping it deletes it.")
            .def(nb::init<std::shared_ptr<Participant>, const std::string&,
                         std::shared_ptr<StructType>, const Qos&>(),
                    "participant"_a, "topic"_a, "type"_a, "qos"_a)
            .def(
                    "take", [](Reader& self, size_t limit) { return list_of(self.take(limit)); },
                    "limit"_a, nb::sig("def take(self, limit: int) -> list[Sample]"),
                    "Take up to `limit` waiting samples.")
            .def(
                    "forget",
                    [](Reader& self, const nb::bytes& instance) {
                        self.forget(handle_of(instance));
                    },
                    "instance"_a,
                    "Free what the reader keeps of an instance, though its writers live on; their "
                    "next sample begins it again. Samples that wait are not lost, as long as "
                    "`history_depth` leaves room for four more.")
            .def("matched", &Reader::matched, "GUIDs of the matched writers.")
            .def("rejected_count", &Reader::rejected_count,
                    "How often a sample found no room so far; a reliable writer sends it again.");
    nb::class_<Writer>(m, "Writer", "A writer of a topic. Dropping it deletes it.")
            .def(nb::init<std::shared_ptr<Participant>, const std::string&,
                         std::shared_ptr<StructType>, const Qos&>(),
                    "participant"_a, "topic"_a, "type"_a, "qos"_a)
            .def_prop_ro("guid", &Writer::guid)
            .def(
                    "write",
                    [](Writer& self, nb::handle value,
                            const std::optional<nb::bytes>& correlation) {
                        return octets_of(self.write(value,
                                correlation ? std::optional(identity_of(*correlation))
                                            : std::nullopt));
                    },
                    "value"_a, "correlation"_a = nb::none(),
                    nb::sig("def write(self, value: tuple[typing.Any, ...], correlation: bytes | "
                            "None = None) -> bytes"),
                    "Write a sample, in reply to the one that came with `correlation`; returns the "
                    "correlation that replies to it will have. A reliable writer blocks up to its "
                    "maximum blocking time when it is full.")
            .def("register", &Writer::register_instance, "value"_a,
                    nb::sig("def register(self, value: tuple[typing.Any, ...]) -> None"),
                    "Begin the instance of the key members of `value` without a sample, so that "
                    "`unregister` can end what another writer has written of it.")
            .def("unregister", &Writer::unregister, "value"_a,
                    nb::sig("def unregister(self, value: tuple[typing.Any, ...]) -> bool"),
                    "Dispose and unregister the instance of the key members of `value`; its memory "
                    "is free again once all readers acknowledged that. False when there is no such "
                    "instance.")
            .def("wait_for_acknowledgments", &Writer::wait_for_acknowledgments, "timeout_s"_a,
                    "Block until all matched reliable readers acknowledged everything; False when "
                    "time ran out.")
            .def("wait_for_receipt", &Writer::wait_for_receipt, "timeout_s"_a, "patience_s"_a,
                    "Block until all matched readers acknowledged what was written before, or all "
                    "those that still answer. A reader that was heard once and lacks something "
                    "answers no more after `patience_s` of such waits without a word of it. "
                    "Readers of this process are not heard.")
            .def("is_instance_acknowledged", &Writer::is_instance_acknowledged, "value"_a,
                    nb::sig("def is_instance_acknowledged(self, value: tuple[typing.Any, ...]) -> "
                            "bool"),
                    "Whether all matched reliable readers acknowledged the last sample of the "
                    "instance of the key members of `value`; blocks for a millisecond at most.")
            .def("matched", &Writer::matched, "GUIDs of the matched readers.");
}

}  // namespace

NB_MODULE(_fastdds, m)
{
    m.doc() = "Fast DDS as carbon_node needs it: mechanism only, every policy comes from Python.";
    // A process that ends while it still holds a participant has not leaked anything worth a
    // warning.
    nb::set_leak_warnings(false);
    m.attr("VERSION") = FASTDDS_VERSION_STR;
    nb::exception<Error> error(m, "Error");
    error.doc() = "Fast DDS refused; the message ends in its return code.";
    nb::register_exception_translator(raise_error, error.ptr());
    bind_types(m);
    bind_participant(m);
    bind_endpoints(m);
}

}  // namespace binding
