// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include "keys.hpp"
#include "reading.hpp"
#include "writing.hpp"

#include <fastcdr/FastBuffer.h>

#include <limits>
#include <utility>

namespace binding {

Codec::Codec(std::shared_ptr<const Struct> structure)
    : structure_(std::move(structure))
    , has_short_key_(has_short_key(*structure_))
{
    set_name(structure_->name);
    is_compute_key_provided = structure_->has_key;
    // No limit, nor what is allocated in the dynamic memory modes; but without a number, Fast
    // DDS 3.2 has no pool.
    max_serialized_type_size = static_cast<uint32_t>(
            encapsulation_size + room_for(*structure_, defaults_of(*structure_)));
}

bool Codec::serialize(const void* const data, rtps::SerializedPayload_t& payload,
        dds::DataRepresentationId_t representation)
{
    return succeeds([&] {
        const bool is_xcdr2 = representation != dds::XCDR_DATA_REPRESENTATION;
        cdr::FastBuffer buffer(reinterpret_cast<char*>(payload.data), payload.max_size);
        cdr::Cdr to(buffer, cdr::Cdr::DEFAULT_ENDIAN, is_xcdr2 ? cdr::XCDRv2 : cdr::XCDRv1);
        payload.encapsulation = to.endianness() == cdr::Cdr::BIG_ENDIANNESS ? CDR_BE : CDR_LE;
        to.set_encoding_flag(encoding_of(*structure_, is_xcdr2));
        to.serialize_encapsulation();
        write_struct(to, *structure_, static_cast<const Content*>(data)->values);
        payload.length = static_cast<uint32_t>(to.get_serialized_data_length());
        return true;
    });
}

bool Codec::deserialize(rtps::SerializedPayload_t& payload, void* data)
{
    auto& content = *static_cast<Content*>(data);
    return succeeds([&] {
        content.payload = PayloadShare::of(payload);
        return read(*structure_, payload, content.payload.octets(), content.values);
    });
}

uint32_t Codec::calculate_serialized_size(const void* const data, dds::DataRepresentationId_t)
{
    const size_t size =
            encapsulation_size + room_for(*structure_, static_cast<const Content*>(data)->values);
    // Without room, `serialize` refuses.
    return size > std::numeric_limits<uint32_t>::max() ? 0 : static_cast<uint32_t>(size);
}

bool Codec::compute_key(
        rtps::SerializedPayload_t& payload, rtps::InstanceHandle_t& handle, bool force_md5)
{
    Content content;
    return read(*structure_, payload, payload.data, content.values)
            && compute_key(&content, handle, force_md5);
}

bool Codec::compute_key(const void* const data, rtps::InstanceHandle_t& handle, bool force_md5)
{
    if (!is_compute_key_provided) {
        return false;
    }
    const auto& content = *static_cast<const Content*>(data);
    if (content.handle) {
        handle = *content.handle;
        return true;
    }
    return succeeds([&] {
        write_handle(*structure_, content.values, force_md5 || !has_short_key_, handle);
        return true;
    });
}

}  // namespace binding
