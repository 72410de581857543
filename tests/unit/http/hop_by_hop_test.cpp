#include "gatehouse/http/hop_by_hop.hpp"

#include "gatehouse/http/fields.hpp"

#include <doctest/doctest.h>

#include <string_view>

namespace gatehouse::http::hop_by_hop_test {
namespace {

struct Row {
    std::string_view name;
    Fate service;
    Fate plain;
};

constexpr Fate kPass = Fate::pass;
constexpr Fate kDrop = Fate::drop;
constexpr Fate kRemap = Fate::remap;
constexpr Fate kOver = Fate::overwrite;

// API Gateway developer guide, important notes for REST APIs: request headers, HTTP_PROXY.
constexpr Row kRequests[] = {
    {"Connection", kDrop, kDrop},
    {"Keep-Alive", kDrop, kDrop},
    {"Proxy-Connection", kDrop, kDrop},
    {"TE", kDrop, kDrop},
    {"Trailer", kDrop, kDrop},
    {"Upgrade", kDrop, kDrop},
    {"HTTP2-Settings", kDrop, kDrop},
    {"Proxy-Authorization", kDrop, kDrop},
    {"Expect", kDrop, kDrop},
    {"Content-Encoding", kDrop, kPass},
    {"Content-MD5", kDrop, kPass},
    {"Max-Forwards", kDrop, kPass},
    {"Proxy-Authenticate", kDrop, kPass},
    {"Server", kDrop, kPass},
    {"Via", kDrop, kPass},
    {"WWW-Authenticate", kDrop, kPass},
    {"Host", kOver, kOver},
    {"Content-Length", kOver, kOver},
    {"Transfer-Encoding", kOver, kOver},
    {"X-Amzn-Apigateway-Api-Id", kOver, kOver},
    {"X-Amzn-Trace-Id", kOver, kOver},
    {"X-Forwarded-For", kOver, kOver},
    {"X-Forwarded-Port", kOver, kOver},
    {"X-Forwarded-Proto", kOver, kOver},
    {"x-amzn-request-context", kOver, kOver},
    {"Accept", kPass, kPass},
    {"Age", kPass, kPass},
    {"Authorization", kPass, kPass},
    {"Content-Type", kPass, kPass},
    {"Cookie", kPass, kPass},
    {"Date", kPass, kPass},
    {"Origin", kPass, kPass},
    {"Referer", kPass, kPass},
    {"User-Agent", kPass, kPass},
    {"X-Forwarded-Host", kPass, kPass},
    {"X-HTTP-Method-Override", kPass, kPass},
    {"X-Anything", kPass, kPass},
};

constexpr Row kAnswers[] = {
    {"Authorization", kRemap, kPass},
    {"Connection", kRemap, kDrop},
    {"Content-Length", kRemap, kOver},
    {"Content-MD5", kRemap, kPass},
    {"Date", kRemap, kPass},
    {"Max-Forwards", kRemap, kPass},
    {"Server", kRemap, kPass},
    {"User-Agent", kRemap, kPass},
    {"WWW-Authenticate", kRemap, kPass},
    {"x-amzn-RequestId", kRemap, kOver},
    {"x-amz-apigw-id", kOver, kOver},
    {"Transfer-Encoding", kDrop, kOver},
    {"Via", kDrop, kPass},
    {"Host", kDrop, kPass},
    {"Expect", kDrop, kPass},
    {"Proxy-Authenticate", kDrop, kDrop},
    {"TE", kDrop, kDrop},
    {"Trailer", kDrop, kDrop},
    {"Upgrade", kDrop, kDrop},
    {"Keep-Alive", kDrop, kDrop},
    {"Proxy-Connection", kDrop, kDrop},
    {"HTTP2-Settings", kDrop, kDrop},
    {"Accept", kPass, kPass},
    {"Age", kPass, kPass},
    {"Content-Encoding", kPass, kPass},
    {"Content-Type", kPass, kPass},
    {"Referer", kPass, kPass},
    {"Set-Cookie", kPass, kPass},
    {"X-Amzn-Trace-Id", kPass, kPass},
    {"x-amzn-ErrorType", kPass, kPass},
};

}  // namespace

TEST_SUITE("http/hop_by_hop") {
    TEST_CASE("request fields go towards the backend as the service has it") {
        for (const Row& row : kRequests) {
            CAPTURE(row.name);
            CHECK(request_fate(find_field_id(row.name), false) == row.service);
            CHECK(request_fate(find_field_id(row.name), true) == row.plain);
        }
    }

    TEST_CASE("answer fields go towards the client as the service has it") {
        for (const Row& row : kAnswers) {
            CAPTURE(row.name);
            CHECK(response_fate(find_field_id(row.name), false) == row.service);
            CHECK(response_fate(find_field_id(row.name), true) == row.plain);
        }
    }

    TEST_CASE("no framing field ever passes") {
        for (const FieldId id : {FieldId::content_length, FieldId::transfer_encoding}) {
            for (const bool plain : {false, true}) {
                CHECK(request_fate(id, plain) == Fate::overwrite);
                CHECK(response_fate(id, plain) != Fate::pass);
            }
        }
    }

    TEST_CASE("requests are never remapped and plain answers neither") {
        for (int i = 0; i <= static_cast<int>(FieldId::x_http_method_override); ++i) {
            const auto id = static_cast<FieldId>(i);
            CAPTURE(i);
            CHECK(request_fate(id, false) != Fate::remap);
            CHECK(request_fate(id, true) != Fate::remap);
            CHECK(response_fate(id, true) != Fate::remap);
        }
    }
}

}  // namespace gatehouse::http::hop_by_hop_test
