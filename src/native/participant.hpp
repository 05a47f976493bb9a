// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "acknowledgments.hpp"
#include "errors.hpp"
#include "mailbox.hpp"
#include "types.hpp"

#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantListener.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

namespace binding {

using Properties = std::vector<std::pair<std::string, std::string>>;

struct ParticipantOptions {
    uint32_t domain;
    std::string name;
    Properties propagated_properties;
    Properties local_properties;
    double lease_duration_s;
    double announcement_period_s;
    std::vector<std::string>
            interfaces;  // names or addresses to stay on; none means those that Fast DDS chooses
};

std::string text_of(const rtps::GUID_t& guid);
dds::Duration_t duration_of(double seconds);
double seconds_of(const dds::Duration_t& duration);

/// A participant with its publisher and subscriber, shared by the endpoints made in it.
///
/// Endpoints may be used and dropped in any order and from any thread: each use holds `Use`, and
/// after `close` every use raises instead of touching what is gone.
class Participant {
public:
    explicit Participant(const ParticipantOptions& options);
    ~Participant();
    Participant(const Participant&) = delete;
    Participant& operator=(const Participant&) = delete;

    void close();
    std::string guid() const { return guid_; }
    const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
    ReaderStates& readers() const { return *readers_; }
    /// Why single readers are not followed; empty if they are.
    const std::string& why_deaf() const { return why_deaf_; }

    /// Keeps the participant from being closed while it lives.
    class Use {
    public:
        explicit Use(Participant& participant);
        dds::DomainParticipant* operator->() const { return participant_.participant_; }
        dds::Publisher* publisher() const { return participant_.publisher_; }
        dds::Subscriber* subscriber() const { return participant_.subscriber_; }
        dds::Topic* topic(const std::string& name, const StructType& type) const;

    private:
        Participant& participant_;
        std::shared_lock<std::shared_mutex> lock_;
    };

    /// Clean up in the participant, unless closing it did so already.
    template <class Action>
    void if_open(Action action)
    {
        try {
            action(Use(*this));
        } catch (const Error&) {
            // Closed: the entity went with its participant.
        }
    }

private:
    class Listener;

    std::shared_ptr<Mailbox> mailbox_;
    std::shared_ptr<ReaderStates> readers_;
    std::string why_deaf_;
    std::unique_ptr<dds::DomainParticipantListener> listener_;
    std::atomic<bool> is_closing_{false};
    mutable std::shared_mutex mutex_;
    dds::DomainParticipant* participant_{nullptr};
    dds::Publisher* publisher_{nullptr};
    dds::Subscriber* subscriber_{nullptr};
    std::string guid_;
};

}  // namespace binding
