#include "gatehouse/app/gateway.hpp"
#include "support/allocations.hpp"
#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

namespace gateway_allocation_test {

using namespace gatehouse;
using namespace gatehouse::app;

namespace {

test::ConfigText rich_config() {
    test::ConfigText config;
    config.jwt = R"(, "statements": [
        { "Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "${stageArn}/*/admin/?*" },
        { "Effect": "Allow", "Action": "execute-api:*", "Resource": ["${stageArn}/GET/x", "${stageArn}/*/items/*"],
          "Condition": { "IpAddress": { "aws:SourceIp": "192.0.2.0/24" },
                         "DateGreaterThan": { "aws:CurrentTime": "2020-01-01T00:00:00Z" },
                         "StringLike": { "aws:UserAgent": "curl/*" } } } ])";
    config.authorizer = R"(, "identityValidationExpression": "^Bearer [-0-9A-Za-z._~+/]+=*$")";
    config.routes =
        R"({ "routeKey": "ANY /items/{id}/{proxy+}", "authorizer": "jwt", "authorizationScopes": ["write", "read"],
             "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/v1/{id}/{proxy}?fixed=1",
               "requestParameters": { "integration.request.header.X-User-Id": "context.authorizer.userId",
                                      "integration.request.header.X-Ip": "context.identity.sourceIp",
                                      "integration.request.header.X-Query": "method.request.querystring.q",
                                      "integration.request.querystring.tenant": "context.authorizer.tenantId" } } })";
    config.api = R"(, "contextHeaders": { "requestContext": true })";
    return config;
}

}  // namespace

TEST_SUITE("app/gateway allocations") {
    TEST_CASE("a cached hit is decided forwarded and told without taking memory") {
        struct Row {
            std::string_view name;
            test::ConfigText config;
            const char* target;
        };

        const Row rows[] = {
            {"the smallest API", {}, "/a"},
            {"a path that is rewritten", {}, "/%61?b=c"},
            {"everything at once", rich_config(), "/items/%37/a/b%2fc?q=%20x&y=1"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            test::GatewayFixture f(row.config);
            const test::Headers headers = {
                {"Authorization", f.bearer({{"scope", "read"}, {"tenant_id", "acme"}})},
                {"User-Agent", "curl/8.5.0 of a length that no small string holds"},
                {"X-Amzn-Trace-Id", "Self=1-67891234-12456789abcdef012345678"},
                {"X-Forwarded-For", "198.51.100.7"},
                {"X-Authorizer-userId", "somebody else"},
                {"Connection", "keep-alive, X-Gone"},
                {"X-Gone", "1"}};
            test::Call call(f.gateway, f.clock, "GET", row.target, headers);
            std::string out;
            const auto round = [&] {
                call.request().clear();
                if (call.begin() != Step::forward) return Errc::internal;
                out.clear();
                const Errc error = call.request().route->forward->write_request_head(
                    call.request().facts, {}, out);
                call.request().record.status = 200;
                f.gateway.finish(call.request(), f.clock.now());
                return error;
            };
            // The first is a miss; strings and the expression's automaton grow to their size.
            for (int i = 0; i < 3; ++i)
                REQUIRE(round() == Errc::none);
            std::size_t taken = 0;
            Errc error = Errc::none;
            {
                const test::AllocationCount allocations;
                for (int i = 0; i < 100; ++i)
                    error = error == Errc::none ? round() : error;
                taken = allocations.count();
            }
            CHECK(error == Errc::none);
            CHECK(taken == 0);
            CHECK(call.cache() == CacheUse::hit);
            CHECK(out.find("X-Authorizer-") != std::string::npos);
            CHECK(out.find("somebody else") == std::string::npos);
        }
    }

    TEST_CASE("the count counts") {
        std::unique_ptr<int> one;
        std::size_t taken = 0;
        {
            const test::AllocationCount allocations;
            one = std::make_unique<int>(1);
            taken = allocations.count();
        }
        CHECK(taken == 1);
    }
}

}  // namespace gateway_allocation_test
