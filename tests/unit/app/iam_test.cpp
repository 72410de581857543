#include "gatehouse/sigv4/signature.hpp"
#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

namespace iam_test {

using namespace gatehouse;
using namespace std::chrono_literals;
using app::Step;
using test::GatewayFixture;

namespace {

constexpr const char* kConfig = R"({ "accessLog": { "format": "off" },
    "accessKeys": [ { "accessKeyId": "AKIDALICE", "secretAccessKey": "alice secret", "principalId": "alice" },
                    { "accessKeyId": "AKIDBOB", "secretAccessKey": "bob secret", "principalId": "bob" } ],
    "apis": [ { "name": "users", "region": "eu-west-1", "accountId": "210987654321", "methodOverride": true, "routes": [
      { "routeKey": "ANY /items", "authorizer": "AWS_IAM",
        "integration": { "type": "HTTP_PROXY", "uri": "http://127.0.0.1:9/items" } },
      { "routeKey": "GET /open", "authorizer": "NONE", "integration": { "type": "MOCK" } } ] } ] })";

struct Signed {
    std::string method = "GET";
    std::string target = "/items";
    std::string key = "AKIDALICE";
    std::string secret = "alice secret";
    std::string region = "eu-west-1";
    std::string content = {};
    std::string signed_headers = "host;x-amz-date";
    std::chrono::seconds late{0};
};

struct IamFixture : GatewayFixture {
    IamFixture() : GatewayFixture(kConfig, false, false) {}

    std::unique_ptr<test::Call> send_signed(const Signed& what, test::Headers more = {}) {
        const std::string timestamp = sigv4::make_timestamp(clock.now().wall - what.late);
        more.emplace_back("X-Amz-Date", timestamp);
        std::vector<http::Field> fields = {{"Host", "api.example.com", http::FieldId::host}};
        for (const auto& [name, value] : more)
            fields.push_back({name, value, http::FieldId::other});
        http::RequestHead head;
        head.method = what.method;
        head.target = what.target;
        head.fields = fields;
        const std::string stub = "AWS4-HMAC-SHA256 Credential=" + what.key + "/" +
                                 timestamp.substr(0, 8) + "/" + what.region +
                                 "/execute-api/aws4_request, SignedHeaders=" + what.signed_headers +
                                 ", Signature=";
        fields.push_back({"Authorization", stub, http::FieldId::authorization});
        head.fields = fields;
        sigv4::Authorization authorization;
        REQUIRE_FALSE(sigv4::read_authorization(head, authorization));
        const sigv4::SignedRequest request{what.method, what.target, &head, what.content};
        const std::string signature =
            sigv4::sign(authorization,
                        what.secret,
                        sigv4::make_string_to_sign(
                            authorization, sigv4::make_canonical_request(request, authorization)));
        if (!what.content.empty())
            more.emplace_back("Content-Length", std::to_string(what.content.size()));
        return send(what.method, what.target, stub + signature, more);
    }
};

}  // namespace

TEST_SUITE("app/iam") {
    TEST_CASE("a signature by a configured key passes and says who signed") {
        IamFixture f;
        auto call = f.send_signed({});
        REQUIRE(call->step() == Step::forward);
        const authz::Grant& grant = *call->request().grant;
        CHECK(grant.principal_id == "alice");
        std::string value;
        const auto variable = [&](const char* name) {
            value.clear();
            authz::append_variable(call->request().facts, name, value);
            return value;
        };
        CHECK(variable("context.identity.accessKey") == "AKIDALICE");
        CHECK(variable("context.identity.accountId") == "210987654321");
        CHECK(variable("context.identity.caller") == "alice");
        CHECK(variable("context.identity.user") == "alice");
        CHECK(variable("context.identity.userArn") == "arn:aws:iam::210987654321:user/alice");
        const Json trace = call->finish();
        CHECK(test::step_of(trace, "signature")["result"] == "valid");
        CHECK(trace.dump().find("secret") == std::string::npos);
        // The same again within the window: the service lets replays pass.
        CHECK(f.send_signed({})->step() == Step::forward);
        CHECK(f.send_signed({.late = 300s})->step() == Step::forward);
        CHECK(f.send("GET", "/open")->step() == Step::mock);
    }

    TEST_CASE("what does not hold is 403 with the service's type and text") {
        struct Row {
            const char* name;
            Signed what;
            test::Headers more;
            Errc reason;
            const char* type;
            const char* words;
        };

        const Row rows[] = {
            {"unknown key",
             {.key = "AKIDEVE"},
             {},
             Errc::access_key_unknown,
             "UnrecognizedClientException",
             R"({"message":"The security token included in the request is invalid."})"},
            {"another's secret",
             {.secret = "bob secret"},
             {},
             Errc::signature_mismatch,
             "InvalidSignatureException",
             "does not match the signature you provided"},
            {"another region",
             {.region = "us-east-1"},
             {},
             Errc::signature_scope_refused,
             "InvalidSignatureException",
             "valid region, not 'us-east-1'"},
            {"late",
             {.late = 301s},
             {},
             Errc::signature_expired,
             "InvalidSignatureException",
             "Signature expired"},
            {"early",
             {.late = -301s},
             {},
             Errc::signature_not_yet_valid,
             "InvalidSignatureException",
             "Signature not yet current"},
            {"session token",
             {.signed_headers = "host;x-amz-date;x-amz-security-token"},
             {{"X-Amz-Security-Token", "t0ken"}},
             Errc::access_key_unknown,
             "UnrecognizedClientException",
             "security token"},
            {"x-amz header unsigned",
             {},
             {{"X-Amz-Target", "t"}},
             Errc::signature_mismatch,
             "InvalidSignatureException",
             "'X-Amz-Target' must be a 'SignedHeader'"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            IamFixture f;
            auto call = f.send_signed(row.what, row.more);
            REQUIRE(call->step() == Step::refuse);
            CHECK(call->reason() == row.reason);
            const authz::RenderedResponse answer = call->answer();
            CHECK(answer.status == 403);
            CHECK(answer.headers.find(std::string("x-amzn-ErrorType: ") + row.type + "\r\n") !=
                  std::string::npos);
            CAPTURE(answer.body);
            CHECK(answer.body.find(row.words) != std::string::npos);
            CHECK(answer.body.find("secret") == std::string::npos);
            const std::string trace = call->finish().dump();
            CHECK(trace.find("t0ken") == std::string::npos);
            CHECK(trace.find("Canonical") == std::string::npos);
        }
    }

    TEST_CASE("no signature is a missing token and other schemes are incomplete") {
        IamFixture f;
        auto bare = f.send("GET", "/items");
        CHECK(bare->reason() == Errc::signature_missing);
        CHECK(bare->answer().body == R"({"message":"Missing Authentication Token"})");
        CHECK(bare->answer().headers.find("MissingAuthenticationTokenException") !=
              std::string::npos);
        auto bearer = f.send("GET", "/items", "Bearer abc");
        CHECK(bearer->reason() == Errc::signature_incomplete);
        CHECK(bearer->answer().body.find("missing equal-sign") != std::string::npos);
        CHECK(bearer->answer().headers.find("IncompleteSignatureException") != std::string::npos);
        CHECK(bearer->answer().status == 403);
    }

    TEST_CASE(
        "content is read before the signature is judged and refusals that need none come first") {
        IamFixture f;
        Signed post{.method = "POST", .content = "hello"};
        auto good = f.send_signed(post);
        REQUIRE(good->step() == Step::authenticate);
        CHECK(f.gateway.check_signature(good->request(), "hello", f.clock.now()) == Step::forward);
        auto changed = f.send_signed(post);
        REQUIRE(changed->step() == Step::authenticate);
        CHECK(f.gateway.check_signature(changed->request(), "hellO", f.clock.now()) ==
              Step::refuse);
        CHECK(changed->reason() == Errc::signature_mismatch);
        auto dropped = f.send_signed(post);
        CHECK(f.gateway.check_signature(dropped->request(), "", f.clock.now()) == Step::refuse);
        post.key = "AKIDEVE";
        CHECK(f.send_signed(post)->step() == Step::refuse);
    }

    TEST_CASE("a signature for one method is none for another") {
        IamFixture f;
        auto call = f.send_signed({.method = "POST"}, {{"X-HTTP-Method-Override", "DELETE"}});
        CHECK(call->reason() == Errc::signature_mismatch);
        CHECK(call->request().arn.text.find("/DELETE/items") != std::string::npos);
        auto same = f.send_signed({.method = "POST"}, {{"X-HTTP-Method-Override", "POST"}});
        CHECK(same->step() == Step::forward);
    }

    TEST_CASE("of a text that quotes the request the log gets the first line") {
        IamFixture f;
        auto call = f.send_signed({.secret = "wrong"}, {{"X-Secret-Note", "n0te"}});
        call->answer();
        REQUIRE(call->request().error_message);
        CHECK(call->request().error_message->find('\n') == std::string::npos);
        CHECK(call->request().error_message->starts_with("The request signature we calculated"));
    }
}

}  // namespace iam_test
