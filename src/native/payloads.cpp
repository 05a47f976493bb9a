// SPDX-License-Identifier: Apache-2.0
#include "payloads.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace binding {

/// The octets follow in the same piece of memory, so that a small payload costs one allocation.
struct PayloadShare::Block {
    std::atomic<size_t> shares{1};
    alignas(std::max_align_t) rtps::octet octets[1];

    static Block* of(rtps::octet* octets)
    {
        return reinterpret_cast<Block*>(octets - offsetof(Block, octets));
    }
};

PayloadShare::PayloadShare(const PayloadShare& other) : block_(other.block_)
{
    if (block_ != nullptr) {
        block_->shares.fetch_add(1, std::memory_order_relaxed);
    }
}

PayloadShare::PayloadShare(PayloadShare&& other) noexcept
    : block_(std::exchange(other.block_, nullptr))
{
}

PayloadShare& PayloadShare::operator=(PayloadShare other) noexcept
{
    std::swap(block_, other.block_);
    return *this;
}

PayloadShare::~PayloadShare()
{
    if (block_ != nullptr && block_->shares.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        std::free(block_);
    }
}

PayloadShare PayloadShare::allocate(uint32_t size)
{
    // Not zeroed: of a large payload, pages are only taken as its fragments arrive.
    void* memory = std::malloc(sizeof(Block) + size);
    return PayloadShare(memory == nullptr ? nullptr : new (memory) Block);
}

PayloadShare PayloadShare::of(const rtps::SerializedPayload_t& payload)
{
    if (payload.payload_owner == PayloadPool::instance().get()) {
        auto* block = Block::of(payload.data);
        block->shares.fetch_add(1, std::memory_order_relaxed);
        return PayloadShare(block);
    }
    PayloadShare copied = allocate(payload.length);
    if (!copied) {
        throw std::bad_alloc();
    }
    std::copy_n(payload.data, payload.length, copied.octets());
    return copied;
}

rtps::octet* PayloadShare::octets() const
{
    return block_->octets;
}

std::shared_ptr<PayloadPool> PayloadPool::instance()
{
    // Has no state of its own. Never destroyed: threads of DDS may outlive the statics of this
    // library.
    static auto* pool = new std::shared_ptr<PayloadPool>(std::make_shared<PayloadPool>());
    return *pool;
}

bool PayloadPool::get_payload(uint32_t size, rtps::SerializedPayload_t& payload)
{
    PayloadShare share = PayloadShare::allocate(size);
    if (!share) {
        payload.data = nullptr;
        payload.max_size = 0;
        payload.payload_owner = nullptr;
        return false;
    }
    payload.data = share.octets();
    payload.max_size = size;
    payload.payload_owner = this;
    std::exchange(share.block_, nullptr);  // `release_payload` gives it back
    return true;
}

bool PayloadPool::get_payload(
        const rtps::SerializedPayload_t& data, rtps::SerializedPayload_t& payload)
{
    if (data.payload_owner == this) {
        PayloadShare share = PayloadShare::of(data);
        payload.data = share.octets();
        payload.max_size = data.max_size;
        payload.payload_owner = this;
        std::exchange(share.block_, nullptr);
    } else if (get_payload(data.length, payload)) {
        std::copy_n(data.data, data.length, payload.data);
    } else {
        return false;
    }
    payload.length = data.length;
    payload.encapsulation = data.encapsulation;
    return true;
}

bool PayloadPool::release_payload(rtps::SerializedPayload_t& payload)
{
    PayloadShare last(PayloadShare::Block::of(payload.data));
    payload.length = 0;
    payload.pos = 0;
    payload.max_size = 0;
    payload.data = nullptr;
    payload.payload_owner = nullptr;
    return true;
}

}  // namespace binding
