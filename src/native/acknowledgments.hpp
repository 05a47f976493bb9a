// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fastdds/rtps/common/Guid.hpp>
#include <fastdds/rtps/common/Types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace binding {

namespace rtps = eprosima::fastdds::rtps;

/// What one ACKNACK says, the submessage by which a reader tells a writer what it has.
struct Acknowledgment {
    rtps::GUID_t reader;
    rtps::GUID_t writer;  // its prefix is unknown where the datagram names no receiver
    int64_t up_to;        // it has all samples up to this number; 0 is none
};

/// The ACKNACKs of a datagram, one after the other; what is not well formed ends it.
///
/// Reads nothing outside of the datagram, whatever that says. Encrypted ones are not seen.
class Acknowledgments {
public:
    Acknowledgments(const uint8_t* datagram, size_t size);

    /// Read the next one; false if there is none.
    bool next(Acknowledgment& found);

private:
    bool read(uint8_t kind, const uint8_t* content, size_t size, bool is_little,
            Acknowledgment& found);

    const uint8_t* at_;
    const uint8_t* end_;
    rtps::GuidPrefix_t source_;
    rtps::GuidPrefix_t destination_;
};

/// What each single reader has acknowledged, as far as that was heard.
///
/// Fast DDS tells only what all readers have. Threads of DDS tell this what arrives; they never
/// wait for Python, and nothing is allocated for what a packet says.
class ReaderStates {
public:
    using Clock = std::chrono::steady_clock;

    /// Follow a reader of a writer from now on, or no longer.
    void matched(const rtps::GUID_t& writer, const rtps::GUID_t& reader);
    void unmatched(const rtps::GUID_t& writer, const rtps::GUID_t& reader);

    void heard(const uint8_t* datagram, size_t size);
    void heard(const Acknowledgment& acknowledgment);

    /// Whether all readers that still answer, and one at least, have all samples up to a number.
    ///
    /// A reader answers no more if it lacks something and was not heard for `patience` of the time
    /// in which this was asked. One that was never heard counts as answering: how it answers may be
    /// out of sight. Of the time between two questions little counts, since this process may have
    /// stood still itself.
    bool have(const rtps::GUID_t& writer, int64_t up_to, std::chrono::duration<double> patience,
            Clock::time_point now);

private:
    struct State {
        rtps::GUID_t writer;
        rtps::GUID_t reader;
        int64_t up_to{0};
        bool was_heard{false};
        std::chrono::duration<double> silent{0};
        Clock::time_point asked_at{};
    };

    State* find(const rtps::GUID_t& writer, const rtps::GUID_t& reader);

    std::mutex mutex_;
    std::vector<State> states_;
};

}  // namespace binding
