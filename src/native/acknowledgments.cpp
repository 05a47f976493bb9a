// SPDX-License-Identifier: Apache-2.0
#include "acknowledgments.hpp"

#include <algorithm>
#include <cstring>

namespace binding {

namespace {

// Sizes and numbers of RTPS 2.5, sections 8.3 and 9.4.
constexpr size_t header_size = 20;
constexpr size_t prefix_at = 8;
constexpr size_t submessage_header_size = 4;
constexpr size_t info_source_size = 20;
constexpr uint8_t little_endian = 0x01;

enum Kind : uint8_t {
    pad = 0x01,
    acknack = 0x06,
    info_timestamp = 0x09,
    info_source = 0x0c,
    info_destination = 0x0e,
};

// Two entities, the number below which the reader has all, the length of its bitmap, and its count.
constexpr size_t shortest_acknack = 4 + 4 + 8 + 4 + 4;
constexpr uint32_t longest_bitmap = 256;

// More than two looks of one wait are apart, and much less than anybody's patience.
constexpr std::chrono::duration<double> longest_step{0.05};

uint32_t number(const uint8_t* octets, size_t size, bool is_little)
{
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
        value = value << 8 | octets[is_little ? size - 1 - i : i];
    }
    return value;
}

rtps::GuidPrefix_t prefix_of(const uint8_t* octets)
{
    rtps::GuidPrefix_t prefix;
    std::memcpy(prefix.value, octets, rtps::GuidPrefix_t::size);
    return prefix;
}

rtps::EntityId_t entity_of(const uint8_t* octets)
{
    rtps::EntityId_t entity;
    std::memcpy(entity.value, octets, rtps::EntityId_t::size);
    return entity;
}

}  // namespace

Acknowledgments::Acknowledgments(const uint8_t* datagram, size_t size)
    : at_(datagram)
    , end_(datagram)
{
    if (size >= header_size && std::memcmp(datagram, "RTPS", 4) == 0) {
        source_ = prefix_of(datagram + prefix_at);
        at_ = datagram + header_size;
        end_ = datagram + size;
    }
}

bool Acknowledgments::next(Acknowledgment& found)
{
    while (static_cast<size_t>(end_ - at_) >= submessage_header_size) {
        const uint8_t kind = at_[0];
        const bool is_little = (at_[1] & little_endian) != 0;
        size_t size = number(at_ + 2, 2, is_little);
        const uint8_t* content = at_ + submessage_header_size;
        const auto left = static_cast<size_t>(end_ - content);
        if (size == 0 && kind != pad && kind != info_timestamp) {
            // The last one, which goes on to the end.
            size = left;
        }
        if (size > left) {
            break;
        }
        at_ = content + size;
        if (read(kind, content, size, is_little, found)) {
            return true;
        }
    }
    at_ = end_;
    return false;
}

bool Acknowledgments::read(
        uint8_t kind, const uint8_t* content, size_t size, bool is_little, Acknowledgment& found)
{
    if (kind == info_destination && size >= rtps::GuidPrefix_t::size) {
        destination_ = prefix_of(content);
    } else if (kind == info_source && size == info_source_size) {
        source_ = prefix_of(content + prefix_at);
    } else if (kind == acknack && size >= shortest_acknack) {
        const uint32_t bits = number(content + 16, 4, is_little);
        if (bits > longest_bitmap || size < shortest_acknack + (bits + 31) / 32 * 4) {
            return false;
        }
        const auto high = static_cast<int32_t>(number(content + 8, 4, is_little));
        const uint32_t low = number(content + 12, 4, is_little);
        found.reader = rtps::GUID_t(source_, entity_of(content));
        found.writer = rtps::GUID_t(destination_, entity_of(content + 4));
        // A reader that has nothing asks from 0 or 1 on.
        found.up_to = high < 0 ? 0 : std::max<int64_t>((int64_t{high} << 32 | low) - 1, 0);
        return true;
    }
    return false;
}

void ReaderStates::matched(const rtps::GUID_t& writer, const rtps::GUID_t& reader)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    if (find(writer, reader) == nullptr) {
        State state;
        state.writer = writer;
        state.reader = reader;
        states_.push_back(state);
    }
}

void ReaderStates::unmatched(const rtps::GUID_t& writer, const rtps::GUID_t& reader)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    if (State* state = find(writer, reader)) {
        *state = states_.back();
        states_.pop_back();
    }
}

void ReaderStates::heard(const uint8_t* datagram, size_t size)
{
    Acknowledgments acknowledgments(datagram, size);
    Acknowledgment found;
    while (acknowledgments.next(found)) {
        heard(found);
    }
}

void ReaderStates::heard(const Acknowledgment& acknowledgment)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    if (State* state = find(acknowledgment.writer, acknowledgment.reader)) {
        state->up_to = std::max(state->up_to, acknowledgment.up_to);
        state->was_heard = true;
        state->silent = {};
    }
}

bool ReaderStates::have(const rtps::GUID_t& writer, int64_t up_to,
        std::chrono::duration<double> patience, Clock::time_point now)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    bool has_one = false;
    bool is_one_waited_for = false;
    for (State& state : states_) {
        if (state.writer != writer) {
            continue;
        }
        if (state.up_to >= up_to) {
            state.silent = {};
            has_one = true;
        } else {
            const std::chrono::duration<double> step = now - state.asked_at;
            state.silent += std::min(step, longest_step);
            is_one_waited_for |= !state.was_heard || state.silent < patience;
        }
        state.asked_at = now;
    }
    return has_one && !is_one_waited_for;
}

ReaderStates::State* ReaderStates::find(const rtps::GUID_t& writer, const rtps::GUID_t& reader)
{
    const auto found = std::find_if(states_.begin(), states_.end(), [&](const State& state) {
        return state.reader == reader && state.writer.entityId == writer.entityId
                && (writer.guidPrefix == rtps::c_GuidPrefix_Unknown
                        || writer.guidPrefix == state.writer.guidPrefix);
    });
    return found == states_.end() ? nullptr : &*found;
}

}  // namespace binding
