// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "values.hpp"

#include <fastdds/dds/topic/TopicDataType.hpp>

#include <memory>

namespace binding {

/// Encodes and decodes a struct known at run time; the samples that Fast DDS hands it are of type
/// `Content`.
///
/// Fast DDS's own DynamicPubSubType copies large octets several times. Threads of DDS call this
/// too: it has no state but the struct, and never throws.
class Codec : public dds::TopicDataType {
public:
    explicit Codec(std::shared_ptr<const Struct> structure);

    bool serialize(const void* const data, rtps::SerializedPayload_t& payload,
            dds::DataRepresentationId_t representation) override;
    bool deserialize(rtps::SerializedPayload_t& payload, void* data) override;
    uint32_t calculate_serialized_size(
            const void* const data, dds::DataRepresentationId_t representation) override;
    void* create_data() override { return new Content; }
    void delete_data(void* data) override { delete static_cast<Content*>(data); }
    bool compute_key(rtps::SerializedPayload_t& payload, rtps::InstanceHandle_t& handle,
            bool force_md5) override;
    bool compute_key(
            const void* const data, rtps::InstanceHandle_t& handle, bool force_md5) override;

private:
    std::shared_ptr<const Struct> structure_;
    bool has_short_key_;
};

}  // namespace binding
