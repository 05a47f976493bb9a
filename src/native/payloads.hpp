// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "errors.hpp"

#include <fastdds/rtps/common/SerializedPayload.hpp>
#include <fastdds/rtps/history/IPayloadPool.hpp>

#include <cstdint>
#include <memory>

namespace binding {

/// A share in the octets of a payload, which the last share frees, on whatever thread it goes.
class PayloadShare {
public:
    PayloadShare() = default;
    PayloadShare(const PayloadShare& other);
    PayloadShare(PayloadShare&& other) noexcept;
    PayloadShare& operator=(PayloadShare other) noexcept;
    ~PayloadShare();

    /// New octets, not initialised; an empty share if there is no memory for them.
    static PayloadShare allocate(uint32_t size);

    /// A share in a payload of our pool, or in a copy of any other.
    ///
    /// Throws std::bad_alloc if there is no memory for the copy.
    static PayloadShare of(const rtps::SerializedPayload_t& payload);

    explicit operator bool() const { return block_ != nullptr; }
    rtps::octet* octets() const;

private:
    friend class PayloadPool;
    struct Block;

    explicit PayloadShare(Block* block) : block_(block) {}

    Block* block_{nullptr};
};

/// Where readers keep what they receive: a sample that was taken may keep its payload, and does not
/// copy it.
///
/// A payload outlives reader, participant and pool for as long as someone has a share in it.
class PayloadPool : public rtps::IPayloadPool {
public:
    static std::shared_ptr<PayloadPool> instance();

    bool get_payload(uint32_t size, rtps::SerializedPayload_t& payload) override;
    bool get_payload(
            const rtps::SerializedPayload_t& data, rtps::SerializedPayload_t& payload) override;
    bool release_payload(rtps::SerializedPayload_t& payload) override;
};

}  // namespace binding
