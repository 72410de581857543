#include "gatehouse/authz/request_context.hpp"

#include "gatehouse/core/json.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>

namespace request_context_test {

using namespace gatehouse;
using test::RequestFixture;

namespace {

const authz::ClientCertificate kCertificate{
    "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n",
    "C=US,O=Example\\, \"Inc\",CN=J\xc3\xbcrgen",
    "CN=Authority",
    "a1:b2:c3:d4:e5:f6:07:18:29",
    "May 28 12:30:02 2019 GMT",
    "Aug  5 09:36:04 2021 GMT"};

constexpr const char* kClientCert =
    R"({"clientCertPem":"-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n",)"
    R"("subjectDN":"C=US,O=Example\\, \"Inc\",CN=J\u00fcrgen","issuerDN":"CN=Authority",)"
    R"("serialNumber":"a1:b2:c3:d4:e5:f6:07:18:29","validity":{)"
    R"("notBefore":"May 28 12:30:02 2019 GMT","notAfter":"Aug  5 09:36:04 2021 GMT"}})";

using Append = std::function<void(const authz::RequestFacts&, std::string&)>;

Json context_of(const Append& append, const authz::ClientCertificate* certificate) {
    RequestFixture fixture;
    authz::RequestFacts facts = fixture.facts();
    facts.client_certificate = certificate;
    std::string text;
    append(facts, text);
    const Result<Json> json = parse_json(text);
    REQUIRE_MESSAGE(json.has_value(), text);
    return *json;
}

}  // namespace

TEST_SUITE("authz/request_context") {
    TEST_CASE("a client's certificate stands in the identity") {
        const Append rows[] = {
            [](const auto& facts, std::string& out) { append_request_context(facts, {}, out); },
            [](const auto& facts, std::string& out) {
                append_http_context_1(facts, "GET /x", {}, out);
            },
        };
        for (const Append& append : rows) {
            const Json context = context_of(append, &kCertificate);
            CHECK(dump_json(context["identity"]["clientCert"]) ==
                  dump_json(*parse_json(kClientCert)));
            CHECK_FALSE(context_of(append, nullptr)["identity"].contains("clientCert"));
        }
    }

    TEST_CASE("in payload 2.0 it stands in authentication") {
        for (const char* without : {"", "null"}) {
            const Append append = [&](const auto& facts, std::string& out) {
                append_http_context_2(facts, "GET /x", without, {}, out);
            };
            CAPTURE(without);
            const Json context = context_of(append, &kCertificate);
            CHECK(dump_json(context["authentication"]["clientCert"]) ==
                  dump_json(*parse_json(kClientCert)));
            const Json plain = context_of(append, nullptr);
            CHECK(plain.contains("authentication") == (*without != '\0'));
            CHECK(plain.value("authentication", Json()) == Json());
        }
    }

    TEST_CASE("variables have the certificate or nothing") {
        RequestFixture fixture;
        authz::RequestFacts facts = fixture.facts();
        const std::pair<const char*, std::string> rows[] = {
            {"clientCertPem", kCertificate.pem},
            {"subjectDN", kCertificate.subject},
            {"issuerDN", kCertificate.issuer},
            {"serialNumber", kCertificate.serial},
            {"validity.notBefore", kCertificate.not_before},
            {"validity.notAfter", kCertificate.not_after},
        };
        for (const auto& [name, value] : rows) {
            CAPTURE(name);
            const std::string variable = std::string("context.identity.clientCert.") + name;
            std::string text;
            facts.client_certificate = nullptr;
            CHECK_FALSE(append_variable(facts, variable, text));
            CHECK(text.empty());
            facts.client_certificate = &kCertificate;
            CHECK(append_variable(facts, variable, text));
            CHECK(text == value);
        }
    }
}

}  // namespace request_context_test
