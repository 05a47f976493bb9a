// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "errors.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace binding {

/// What discovery said about another participant.
struct PeerEvent {
    std::string status;  // "discovered", "changed", "removed" (it said goodbye) or "dropped" (its
                         // lease ended)
    std::string guid;
    std::string name;
    std::vector<std::pair<std::string, std::string>> properties;
    int vendor;  // of its DDS implementation, as RTPS numbers them
    double lease_duration_s;
};

/// One line of Fast DDS's own log.
struct LogLine {
    std::string severity;  // "error" or "warning"
    std::string category;
    std::string message;
};

/// Where the threads of DDS leave messages for the one thread that runs Python.
///
/// They never take the GIL: they append under a lock of their own and make the eventfd readable.
/// The reader of the eventfd clears it first and then collects, so that it misses no message.
class Mailbox {
public:
    Mailbox();
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    int fileno() const { return event_fd_; }
    void signal() noexcept;
    void clear() noexcept;

    void post(PeerEvent event);
    void post(const LogLine& line);
    void count_rejected() noexcept;
    std::deque<PeerEvent> take_peer_events();
    std::deque<LogLine> take_log_lines();
    uint64_t rejected_count() const noexcept { return rejected_count_; }

private:
    int event_fd_;
    std::atomic<uint64_t> rejected_count_{0};
    std::mutex mutex_;
    std::deque<PeerEvent> peer_events_;
    std::deque<LogLine> log_lines_;
};

/// From now until it dies, let `mailbox` have every line of Fast DDS's log, which is one per
/// process.
void subscribe_to_log(const std::shared_ptr<Mailbox>& mailbox);

}  // namespace binding
