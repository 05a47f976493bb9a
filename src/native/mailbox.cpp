// SPDX-License-Identifier: Apache-2.0
#include "mailbox.hpp"

#include <fastdds/dds/log/Log.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace binding {

namespace {

// A peer that makes Fast DDS log without end must not fill the memory of a busy process.
constexpr size_t log_lines_limit = 1000;

LogLine line_of(const dds::Log::Entry& entry)
{
    const char* severity = entry.kind == dds::Log::Kind::Error ? "error" : "warning";
    return {severity, entry.context.category ? entry.context.category : "", entry.message};
}

class LogSubscribers : public dds::LogConsumer {
public:
    void add(const std::shared_ptr<Mailbox>& mailbox)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        mailboxes_.erase(std::remove_if(mailboxes_.begin(), mailboxes_.end(),
                                 [](const auto& each) { return each.expired(); }),
                mailboxes_.end());
        mailboxes_.push_back(mailbox);
    }

    void Consume(const dds::Log::Entry& entry) override
    {
        const LogLine line = line_of(entry);
        std::lock_guard<std::mutex> lock(mutex_);
        for (const auto& each : mailboxes_) {
            if (auto mailbox = each.lock()) {
                mailbox->post(line);
            }
        }
    }

private:
    std::mutex mutex_;
    std::vector<std::weak_ptr<Mailbox>> mailboxes_;
};

}  // namespace

Mailbox::Mailbox() : event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    if (event_fd_ < 0) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
}

Mailbox::~Mailbox()
{
    close(event_fd_);
}

void Mailbox::signal() noexcept
{
    // It fails only when the counter is full, and then it is readable already.
    [[maybe_unused]] int ignored = eventfd_write(event_fd_, 1);
}

void Mailbox::clear() noexcept
{
    // It fails only when nothing was signalled.
    eventfd_t count;
    [[maybe_unused]] int ignored = eventfd_read(event_fd_, &count);
}

void Mailbox::post(PeerEvent event)
{
    {
        std::lock_guard<std::mutex> lock(mutex_);
        peer_events_.push_back(std::move(event));
    }
    signal();
}

void Mailbox::post(const LogLine& line)
{
    {
        std::lock_guard<std::mutex> lock(mutex_);
        if (log_lines_.size() < log_lines_limit) {
            log_lines_.push_back(line);
        }
    }
    signal();
}

void Mailbox::count_rejected() noexcept
{
    ++rejected_count_;
    signal();
}

std::deque<PeerEvent> Mailbox::take_peer_events()
{
    std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(peer_events_, {});
}

std::deque<LogLine> Mailbox::take_log_lines()
{
    std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(log_lines_, {});
}

void subscribe_to_log(const std::shared_ptr<Mailbox>& mailbox)
{
    // Fast DDS owns its consumers until the process ends; the first one replaces its printing to
    // stdout.
    static LogSubscribers* subscribers = [] {
        auto consumer = std::make_unique<LogSubscribers>();
        LogSubscribers* kept = consumer.get();
        dds::Log::SetVerbosity(dds::Log::Kind::Warning);
        dds::Log::ClearConsumers();
        dds::Log::RegisterConsumer(std::move(consumer));
        return kept;
    }();
    subscribers->add(mailbox);
}

}  // namespace binding
