#include "fixture.hpp"

namespace parse_tls_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

Json document_of() {
    Json document = minimal_document();
    document["listeners"] = parse_document(
        R"([ { "port": 8443,
               "tls": { "certificates": [ { "certificate": "one.pem", "privateKey": "one.key" },
                                          { "certificate": "two.pem", "privateKey": "two.key" } ],
                        "clientCa": "ca.pem", "minimumVersion": "TLS_1_3" } } ])");
    return document;
}

}  // namespace

TEST_SUITE("config/parse_tls") {
    TEST_CASE("a listener's certificates are read with their places") {
        const Loaded loaded = load(document_of());
        REQUIRE(show(loaded.problems) == "");
        REQUIRE(loaded.model.listeners.size() == 1);
        REQUIRE(loaded.model.listeners[0].tls);
        const ListenerTls& tls = *loaded.model.listeners[0].tls;
        CHECK(tls.pointer == "/listeners/0/tls");
        CHECK(tls.client_ca == "ca.pem");
        CHECK(tls.minimum_version == "TLS_1_3");
        REQUIRE(tls.certificates.size() == 2);
        CHECK(tls.certificates[1].pointer == "/listeners/0/tls/certificates/1");
        CHECK(tls.certificates[1].certificate == "two.pem");
        CHECK(tls.certificates[1].private_key == "two.key");
    }

    TEST_CASE("without tls there is none, and by default any current version and any client") {
        CHECK_FALSE(load(minimal_document()).model.listeners[0].tls);
        Json document = document_of();
        change(document, "/listeners/0/tls/clientCa", "");
        change(document, "/listeners/0/tls/minimumVersion", "");
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        CHECK(loaded.model.listeners[0].tls->client_ca == "");
        CHECK(loaded.model.listeners[0].tls->minimum_version == "TLS_1_2");
    }

    TEST_CASE("what is wrong is named") {
        const char* const kTls = "/listeners/0/tls";
        const char* const kList = "/listeners/0/tls/certificates";
        const char* const kFirst = "/listeners/0/tls/certificates/0";
        const char* const kFile = "/listeners/0/tls/certificates/0/certificate";
        const char* const kKey = "/listeners/0/tls/certificates/0/privateKey";
        const char* const kCa = "/listeners/0/tls/clientCa";
        const char* const kVersion = "/listeners/0/tls/minimumVersion";
        check_refusals(
            document_of(),
            {
                {"no object", kTls, "true", kTls, "must be an object"},
                {"nothing in it", kTls, "{}", kTls, "\"certificates\" is missing"},
                {"no list", kList, "{}", kList, "a list"},
                {"an empty list", kList, "[]", kList, "is empty"},
                {"a name for a certificate", kFirst, "\"one.pem\"", kFirst, "an object"},
                {"no certificate", kFile, "", kFirst, "\"certificate\" is missing"},
                {"no key", kKey, "", kFirst, "\"privateKey\" is missing"},
                {"an empty name", kFile, "\"\"", kFile, "is empty"},
                {"an empty key's name", kKey, "\"\"", kKey, "is empty"},
                {"no text", kKey, "1", kKey, "a string"},
                {"the key itself", kKey, R"("-----BEGIN PRIVATE KEY-----")", kKey, "PEM text"},
                {"a control", kFile, R"("a\u0000b")", kFile, "control"},
                {"no authorities", kCa, "\"\"", kCa, "is empty"},
                {"authorities as a list", kCa, "[]", kCa, "a string"},
                {"an old version", kVersion, "\"TLS_1_1\"", kVersion, "allowed: \"TLS_1_2\""},
                {"another spelling", kVersion, "\"1.3\"", kVersion, "allowed: \"TLS_1_2\""},
                {"a number", kVersion, "1.3", kVersion, "a string"},
                {"a key of nginx",
                 "/listeners/0/tls/ciphers",
                 "\"ALL\"",
                 "/listeners/0/tls/ciphers",
                 "unknown key"},
                {"an unknown key of a pair",
                 "/listeners/0/tls/certificates/0/key",
                 "\"x\"",
                 "/listeners/0/tls/certificates/0/key",
                 "unknown key"},
            });
    }

    TEST_CASE("outgoing TLS is read") {
        CHECK_FALSE(load(minimal_document()).model.upstream_tls);
        Json document = minimal_document();
        document["upstreamTls"] = parse_document(
            R"({ "ca": "ca.pem", "certificate": "own.pem", "privateKey": "own.key",
                 "minimumVersion": "TLS_1_3" })");
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        const UpstreamTls& tls = *loaded.model.upstream_tls;
        CHECK(tls.pointer == "/upstreamTls");
        CHECK(tls.ca == "ca.pem");
        CHECK(tls.certificate == "own.pem");
        CHECK(tls.private_key == "own.key");
        CHECK(tls.minimum_version == "TLS_1_3");
        const char* const kTls = "/upstreamTls";
        check_refusals(
            document,
            {
                {"no object", kTls, "true", kTls, "an object"},
                {"a list", kTls, "[]", kTls, "an object"},
                {"a key alone", "/upstreamTls/certificate", "", kTls, "\"certificate\" is missing"},
                {"a certificate alone",
                 "/upstreamTls/privateKey",
                 "",
                 kTls,
                 "\"privateKey\" is missing"},
                {"no name", "/upstreamTls/ca", "\"\"", "/upstreamTls/ca", "is empty"},
                {"a list of files", "/upstreamTls/ca", "[]", "/upstreamTls/ca", "a string"},
                {"an old version",
                 "/upstreamTls/minimumVersion",
                 "\"TLS_1_0\"",
                 "/upstreamTls/minimumVersion",
                 "allowed: \"TLS_1_2\""},
                {"a way around",
                 "/upstreamTls/insecureSkipVerification",
                 "true",
                 "/upstreamTls/insecureSkipVerification",
                 "unknown key"},
            });
    }

    TEST_CASE("an integration may name whom it expects, and cannot do without") {
        Json document = minimal_document();
        const std::string at = "/apis/0/routes/0/integration/tlsConfig";
        Json& integration = document["apis"][0]["routes"][0]["integration"];
        integration["uri"] = "https://127.0.0.1:3000/{proxy}";
        integration["tlsConfig"] = {{"serverNameToVerify", "inside.example"},
                                    {"insecureSkipVerification", false}};
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        CHECK(loaded.model.apis[0].routes[0].integration.server_name_to_verify == "inside.example");
        const std::string name = at + "/serverNameToVerify";
        const std::string skip = at + "/insecureSkipVerification";
        check_refusals(
            document,
            {
                {"no object", at.c_str(), "true", at.c_str(), "an object"},
                {"no verification", skip.c_str(), "true", skip.c_str(), "\"upstreamTls\""},
                {"no boolean", skip.c_str(), "\"no\"", skip.c_str(), "true or false"},
                {"an empty name", name.c_str(), "\"\"", name.c_str(), "is no DNS name"},
                {"a URL", name.c_str(), "\"https://a\"", name.c_str(), "is no DNS name"},
                {"a wildcard", name.c_str(), "\"*.example\"", name.c_str(), "is no DNS name"},
                {"a NUL", name.c_str(), R"("a\u0000b")", name.c_str(), "is no DNS name"},
                {"a dot", name.c_str(), "\"a.\"", name.c_str(), "is no DNS name"},
                {"plain http",
                 "/apis/0/routes/0/integration/uri",
                 "\"http://a/{proxy}\"",
                 at.c_str(),
                 "would be ignored"},
            });
        document["apis"][0]["routes"][0]["integration"] =
            parse_document(R"({ "type": "MOCK", "statusCode": 204, "tlsConfig": {} })");
        CHECK(has_problem(load(document).problems, at, "would be ignored"));
    }
}

}  // namespace parse_tls_test
