// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "participant.hpp"
#include "types.hpp"

#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/publisher/qos/DataWriterQos.hpp>
#include <fastdds/dds/subscriber/DataReader.hpp>
#include <fastdds/dds/subscriber/SampleInfo.hpp>
#include <fastdds/dds/subscriber/qos/DataReaderQos.hpp>
#include <fastdds/rtps/common/SampleIdentity.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace binding {

/// Quality of service of a reader or writer; what it does not name keeps the default of Fast DDS or
/// its XML profile.
struct Qos {
    bool reliable;
    bool transient_local;
    int32_t history_depth;  // 0 keeps all
    int32_t max_samples;
    int32_t max_instances;
    int32_t max_samples_per_instance;
    double heartbeat_period_s;  // of a reliable writer
};

/// Which of the matched readers have everything that was written.
enum class Receipt { none, answering, all };

enum class InstanceState { alive, disposed, no_writers };

/// One sample as it was taken.
struct Sample {
    nb::object value;  // tuple in member order; None when only the state of the instance changed
    std::string instance;  // handle: 16 octets, equal for equal keys of one reader
    InstanceState state;
    std::string writer;
    rtps::SampleIdentity correlation;  // what a request and its reply share
    uint64_t sequence_number;          // of the writer, from 1
    int64_t source_timestamp_ns;
    int64_t reception_timestamp_ns;
};

/// A reader, which keeps a record of each instance until the last writer has unregistered it.
///
/// Fast DDS has no call that lets a reader forget an instance. So a private writer, which nobody
/// else matches because it is alone with the reader in a partition, does what the writers failed to
/// do: it ends the instance.
class Reader {
public:
    Reader(std::shared_ptr<Participant> participant, const std::string& topic,
            std::shared_ptr<StructType> type, const Qos& qos);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    std::vector<Sample> take(size_t limit);
    void forget(const Handle& instance);
    std::vector<std::string> matched() const;
    int32_t rejected_count() const;

private:
    std::shared_ptr<Participant> participant_;
    std::shared_ptr<StructType> type_;
    std::string private_partition_;
    dds::DataReader* reader_;
    dds::DataWriter* forgetter_{nullptr};
};

class Writer {
public:
    Writer(std::shared_ptr<Participant> participant, const std::string& topic,
            std::shared_ptr<StructType> type, const Qos& qos);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Write a sample, in reply to another one if that one's correlation is given; returns its own.
    rtps::SampleIdentity write(
            nb::handle value, const std::optional<rtps::SampleIdentity>& correlation);
    void register_instance(nb::handle value);
    bool unregister(nb::handle value);
    bool wait_for_acknowledgments(double timeout_s);
    Receipt wait_for_receipt(double timeout_s, double patience_s);
    bool is_instance_acknowledged(nb::handle value);
    std::vector<std::string> matched() const;
    std::string guid() const { return guid_; }

private:
    bool are_all_acknowledged(double timeout_s);

    std::shared_ptr<Participant> participant_;
    std::shared_ptr<StructType> type_;
    dds::DataWriter* writer_;
    rtps::GUID_t rtps_guid_;
    std::string guid_;
    std::atomic<int64_t> last_written_{0};  // sequence number of the last sample
};

}  // namespace binding
