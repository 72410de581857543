#pragma once

#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/http/fields.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::test {

/// One request after routing, as mapping, gateway responses and forwarding see it: GET
/// /prod/pets/7?a=1 on route /pets/{id}. Members are open, so that a test can change what it is
/// about; call facts() last.
struct RequestFixture {
    std::vector<http::Field> fields;
    http::RequestHead head;
    authz::StageFacts stage;
    authz::Grant grant;
    std::vector<std::string> parameter_names = {"id"};
    authz::RequestFacts request;

    RequestFixture() {
        using namespace std::chrono_literals;
        head.method = "GET";
        head.target = "/prod/pets/7?a=1";
        head.host = "api.example.com:8080";
        stage.api_id = "abc123";
        stage.stage = "prod";
        stage.region = "us-east-1";
        stage.account_id = "123456789012";
        stage.stage_prefix = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/";
        stage.base_path = "/prod";
        stage.stage_variables = {{"backend", "127.0.0.1:3000"}};
        request.target.path = "/prod/pets/7";
        request.target.query = "a=1";
        request.target.has_query = true;
        request.api_path = "/pets/7";
        request.resource_path = "/pets/{id}";
        request.parameters = {"7"};
        request.source_ip = "192.0.2.7";
        request.listener_port = 8080;
        request.request_id = "7c2af7db-31f3-42b5-8a6d-9ffc74e3b9e0";
        request.extended_request_id = "AyD6KEwwPHcEKxg=";
        request.trace_id = "Root=1-6a5145a8-536f3e792f6be9b44c1f46fa";
        request.time = WallTime(1783711144836ms);  // Fri, 10 Jul 2026 19:19:04.836 UTC
    }

    RequestFixture(const RequestFixture&) = delete;
    RequestFixture& operator=(const RequestFixture&) = delete;

    /// Adds a client field. The texts outlive the fixture.
    RequestFixture& field(std::string_view name, std::string_view value) {
        fields.push_back({name, value, http::find_field_id(name)});
        return *this;
    }

    /// The client of this request was authorized, with this context.
    RequestFixture& granted(std::string principal, std::vector<authz::ContextItem> context = {}) {
        grant.principal_id = std::move(principal);
        grant.context = std::move(context);
        request.grant = &grant;
        return *this;
    }

    const authz::RequestFacts& facts() {
        head.fields = fields;
        request.head = &head;
        request.stage = &stage;
        request.parameter_names = parameter_names;
        return request;
    }
};

}  // namespace gatehouse::test
