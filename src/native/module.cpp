// SPDX-License-Identifier: Apache-2.0
#include "endpoints.hpp"
#include "mailbox.hpp"
#include "participant.hpp"
#include "rpc.hpp"
#include "types.hpp"

#include <fastdds/config.hpp>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

namespace binding {

namespace {

using namespace nb::literals;

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
    nb::class_<StructType>(m, "StructType", "A struct on the wire; its samples are tuples in member order.")
            .def(nb::init<const std::string&, const std::vector<Member>&, const std::string&>(), "name"_a, "members"_a,
                    nb::kw_only(), "extensibility"_a,
                    "Build the type; `extensibility` is \"final\", \"appendable\" or \"mutable\".")
            .def_prop_ro("name", &StructType::name, "Name of the type on the wire.")
            .def("to_payload", &StructType::to_payload, "value"_a, nb::kw_only(), "is_xcdr2"_a,
                    nb::sig("def to_payload(self, value: tuple[typing.Any, ...], *, is_xcdr2: bool) -> bytes"),
                    "Encode a sample as a writer does, in XCDR version 1 or 2.")
            .def("from_payload", &StructType::from_payload, "payload"_a,
                    nb::sig("def from_payload(self, payload: bytes) -> tuple[typing.Any, ...] | None"),
                    "Decode a sample as a reader does; None for a payload that a reader skips.")
            .def("handle_of", &StructType::handle_of, "payload"_a, nb::kw_only(), "is_hashed"_a,
                    "Handle of the instance that a payload belongs to; `is_hashed` asks for the MD5 of a short key too.");
    nb::class_<Member>(m, "Member", "One member of a struct.")
            .def(nb::init<std::string, std::variant<std::string, std::shared_ptr<StructType>>, bool,
                         std::optional<uint32_t>, bool>(),
                    "name"_a, "type"_a, nb::kw_only(), "is_key"_a, "id"_a.none(), "is_borrowed"_a,
                    "Describe a member; `type` is a struct or one of \"boolean\", \"int32\", \"uint32\", \"double\", "
                    "\"string\", \"sequence<octet>\" (bytes) and \"sequence<string>\" (tuple of str). Text that is "
                    "not UTF-8 is read with replacement characters. Octets of a member that `is_borrowed` are read as a "
                    "memoryview over what was received, which it keeps; octets are written from any buffer.");
    bind_views(m);
}

void bind_participant(nb::module_& m)
{
    nb::class_<PeerEvent>(m, "PeerEvent", "What discovery said about another participant.")
            .def_ro("status", &PeerEvent::status, "\"discovered\", \"changed\", \"removed\" (left), \"dropped\" (lease ended).")
            .def_ro("guid", &PeerEvent::guid)
            .def_ro("name", &PeerEvent::name)
            .def_ro("properties", &PeerEvent::properties);
    nb::class_<LogLine>(m, "LogLine", "One line of Fast DDS's own log.")
            .def_ro("severity", &LogLine::severity, "\"error\" or \"warning\".")
            .def_ro("category", &LogLine::category)
            .def_ro("message", &LogLine::message);
    nb::class_<Participant>(m, "Participant", "A participant of a domain. No thread of DDS takes the GIL.")
            .def("__init__",
                    [](Participant* self, uint32_t domain, std::string name, Properties propagated, Properties local,
                            double lease_duration_s, double announcement_period_s,
                            std::vector<std::string> interfaces) {
                        ParticipantOptions options{domain, std::move(name), std::move(propagated), std::move(local),
                                lease_duration_s, announcement_period_s, std::move(interfaces)};
                        nb::gil_scoped_release release;
                        new (self) Participant(options);
                    },
                    nb::kw_only(), "domain"_a, "name"_a, "propagated_properties"_a, "local_properties"_a,
                    "lease_duration_s"_a, "announcement_period_s"_a, "interfaces"_a,
                    "Join the domain. `interfaces` are names or IPv4 addresses to stay on; without any, Fast DDS and its XML "
                    "profile choose the transports.")
            .def_prop_ro("guid", &Participant::guid)
            .def("fileno", [](Participant& self) { return self.mailbox()->fileno(); },
                    "File descriptor that is readable when samples, peers, matches or log lines may be waiting.")
            .def("clear", [](Participant& self) { self.mailbox()->clear(); },
                    "Make `fileno` unreadable again; call it before collecting, so that nothing is missed.")
            .def("signal", [](Participant& self) { self.mailbox()->signal(); },
                    "Make `fileno` readable, as news would.")
            .def("take_peer_events", [](Participant& self) { return list_of(self.mailbox()->take_peer_events()); },
                    nb::sig("def take_peer_events(self) -> list[PeerEvent]"), "Collect what discovery found.")
            .def("take_log_lines", [](Participant& self) { return list_of(self.mailbox()->take_log_lines()); },
                    nb::sig("def take_log_lines(self) -> list[LogLine]"),
                    "Collect what Fast DDS logged in this process, warnings and errors; at most 1000 lines wait.")
            .def("close", &Participant::close, nb::call_guard<nb::gil_scoped_release>(),
                    "Leave the domain and delete all endpoints; peers see it at once. May be repeated.");
}

void bind_endpoints(nb::module_& m)
{
    nb::class_<Qos>(m, "Qos", "Quality of service of a reader or writer.")
            .def("__init__",
                    [](Qos* self, bool reliable, bool transient_local, int32_t history_depth, int32_t max_samples,
                            int32_t max_instances, int32_t max_samples_per_instance, double heartbeat_period_s) {
                        new (self) Qos{reliable, transient_local, history_depth, max_samples, max_instances,
                                max_samples_per_instance, heartbeat_period_s};
                    },
                    nb::kw_only(), "reliable"_a, "transient_local"_a, "history_depth"_a, "max_samples"_a,
                    "max_instances"_a, "max_samples_per_instance"_a, "heartbeat_period_s"_a,
                    "Everything is explicit: `history_depth` 0 keeps all, a limit of 0 is none.");
    nb::enum_<InstanceState>(m, "InstanceState", "State of an instance when its sample was taken.")
            .value("ALIVE", InstanceState::alive)
            .value("DISPOSED", InstanceState::disposed)
            .value("NO_WRITERS", InstanceState::no_writers);
    nb::class_<Sample>(m, "Sample", "One sample as it was taken.")
            .def_prop_ro("value", [](const Sample& self) { return self.value; },
                    nb::sig("def value(self) -> tuple[typing.Any, ...] | None"),
                    "Members in order; None when only the state of the instance changed.")
            .def_prop_ro("instance", [](const Sample& self) { return nb::bytes(self.instance.data(), self.instance.size()); },
                    "Handle of the instance: 16 octets, equal for equal keys of one reader.")
            .def_ro("state", &Sample::state)
            .def_ro("writer", &Sample::writer, "GUID of the writer.")
            .def_ro("source_timestamp_ns", &Sample::source_timestamp_ns)
            .def_ro("reception_timestamp_ns", &Sample::reception_timestamp_ns);
    nb::class_<Reader>(m, "Reader", "A reader of a topic. Dropping it deletes it.")
            .def(nb::init<std::shared_ptr<Participant>, const std::string&, std::shared_ptr<StructType>, const Qos&>(),
                    "participant"_a, "topic"_a, "type"_a, "qos"_a)
            .def("take", [](Reader& self, size_t limit) { return list_of(self.take(limit)); }, "limit"_a,
                    nb::sig("def take(self, limit: int) -> list[Sample]"), "Take up to `limit` waiting samples.")
            .def("matched", &Reader::matched, "GUIDs of the matched writers.");
    nb::class_<Writer>(m, "Writer", "A writer of a topic. Dropping it deletes it.")
            .def(nb::init<std::shared_ptr<Participant>, const std::string&, std::shared_ptr<StructType>, const Qos&>(),
                    "participant"_a, "topic"_a, "type"_a, "qos"_a)
            .def_prop_ro("guid", &Writer::guid)
            .def("write", &Writer::write, "value"_a, nb::sig("def write(self, value: tuple[typing.Any, ...]) -> None"),
                    "Write a sample; a reliable writer blocks up to its maximum blocking time when it is full.")
            .def("dispose", &Writer::dispose, "value"_a, nb::sig("def dispose(self, value: tuple[typing.Any, ...]) -> None"),
                    "Dispose the instance of the key members of `value`; it stays allocated.")
            .def("unregister", &Writer::unregister, "value"_a,
                    nb::sig("def unregister(self, value: tuple[typing.Any, ...]) -> bool"),
                    "Dispose and unregister the instance of the key members of `value`; its memory is free again "
                    "once all readers acknowledged that. False when there is no such instance.")
            .def("wait_for_acknowledgments", &Writer::wait_for_acknowledgments, "timeout_s"_a,
                    "Block until all matched reliable readers acknowledged everything; False when time ran out.")
            .def("matched", &Writer::matched, "GUIDs of the matched readers.");
}

void bind_rpc(nb::module_& m)
{
    nb::class_<Service>(m, "Service", "A service with its request and reply types.")
            .def(nb::init<std::shared_ptr<Participant>, std::string, std::shared_ptr<StructType>,
                         std::shared_ptr<StructType>>(),
                    "participant"_a, "name"_a, "request_type"_a, "reply_type"_a);
    nb::class_<Replier>(m, "Replier", "The serving end of a service.")
            .def(nb::init<std::shared_ptr<Service>, const Qos&>(), "service"_a, "qos"_a)
            .def("take", [](Replier& self, size_t limit) { return list_of(self.take(limit)); }, "limit"_a,
                    nb::sig("def take(self, limit: int) -> list[tuple[tuple[typing.Any, ...], bytes]]"),
                    "Take up to `limit` waiting requests, each with its correlation.")
            .def("reply", &Replier::reply, "value"_a, "correlation"_a,
                    nb::sig("def reply(self, value: tuple[typing.Any, ...], correlation: bytes) -> None"),
                    "Answer the request that came with `correlation`.")
            .def("matched", &Replier::matched, "How many request writers and reply readers are matched.");
    nb::class_<Requester>(m, "Requester", "The calling end of a service.")
            .def(nb::init<std::shared_ptr<Service>, const Qos&>(), "service"_a, "qos"_a)
            .def("request", &Requester::request, "value"_a,
                    nb::sig("def request(self, value: tuple[typing.Any, ...]) -> bytes"),
                    "Send a request; returns the correlation of its reply.")
            .def("take", [](Requester& self, size_t limit) { return list_of(self.take(limit)); }, "limit"_a,
                    nb::sig("def take(self, limit: int) -> list[tuple[tuple[typing.Any, ...], bytes]]"),
                    "Take up to `limit` waiting replies, each with its correlation.")
            .def("matched", &Requester::matched, "How many reply writers and request readers are matched.");
}

}  // namespace

NB_MODULE(_fastdds, m)
{
    m.doc() = "Fast DDS as carbon_node needs it: mechanism only, every policy comes from Python.";
    // A process that ends while it still holds a participant has not leaked anything worth a warning.
    nb::set_leak_warnings(false);
    m.attr("VERSION") = FASTDDS_VERSION_STR;
    nb::exception<Error>(m, "Error").doc() = "Fast DDS refused; the message ends in its return code.";
    bind_types(m);
    bind_participant(m);
    bind_endpoints(m);
    bind_rpc(m);
}

}  // namespace binding
