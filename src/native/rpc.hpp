// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "endpoints.hpp"

#include <fastdds/dds/rpc/Replier.hpp>
#include <fastdds/dds/rpc/Requester.hpp>
#include <fastdds/dds/rpc/Service.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace binding {

/// A request or reply, and 24 octets that tell which belong together.
using Message = std::pair<nb::object, nb::bytes>;

/// A service with its types in a participant; both ends of it start here.
class Service {
public:
    Service(std::shared_ptr<Participant> participant, std::string name, std::shared_ptr<StructType> request_type,
            std::shared_ptr<StructType> reply_type);

    std::shared_ptr<Participant> participant;
    std::string name;
    std::shared_ptr<StructType> request_type;
    std::shared_ptr<StructType> reply_type;
    dds::rpc::Service* service;
};

class Replier {
public:
    Replier(std::shared_ptr<Service> service, const Qos& qos);
    ~Replier();
    Replier(const Replier&) = delete;
    Replier& operator=(const Replier&) = delete;

    std::vector<Message> take(size_t limit);
    void reply(nb::handle value, nb::bytes correlation);
    std::pair<size_t, size_t> matched() const;

private:
    std::shared_ptr<Service> service_;
    dds::rpc::Replier* replier_;
};

class Requester {
public:
    Requester(std::shared_ptr<Service> service, const Qos& qos);
    ~Requester();
    Requester(const Requester&) = delete;
    Requester& operator=(const Requester&) = delete;

    nb::bytes request(nb::handle value);
    std::vector<Message> take(size_t limit);
    std::pair<size_t, size_t> matched() const;

private:
    std::shared_ptr<Service> service_;
    dds::rpc::Requester* requester_;
};

}  // namespace binding
