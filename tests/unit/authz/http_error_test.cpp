#include "gatehouse/authz/http_error.hpp"

#include "gatehouse/authz/cors.hpp"
#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace http_error_test {

using namespace gatehouse;
using authz::Outcomes;
using authz::Verdict;

namespace {

Verdict refusal(Errc reason, bool scopes = false) {
    Outcomes outcomes;
    outcomes.http_api = true;
    if (scopes) {
        outcomes.judged = outcomes.scope_required = true;
        outcomes.policy = policy::Outcome::allow;
    } else if (reason_id(reason).starts_with("identity_")) {
        outcomes.identity = reason;
    } else {
        outcomes.authorizer = reason;
    }
    return authz::decide(outcomes);
}

std::string invalid(std::string_view description) {
    return "Bearer scope=\"a b\" error=\"invalid_token\" error_description=\"" +
           std::string(description) + "\"";
}

}  // namespace

TEST_SUITE("authz/http_error") {
    TEST_CASE("section 10.2: a JWT authorizer says why, in the service's words") {
        struct Row {
            Errc reason;
            std::string want;
        };

        const std::vector<std::string> scopes = {"a", "b"};
        const Row rows[] = {
            {Errc::identity_missing, "Bearer"},
            {Errc::identity_empty, "Bearer"},
            {Errc::identity_repeated, "Bearer"},
            {Errc::token_malformed, invalid("token contains an invalid number of segments")},
            {Errc::token_not_bearer, invalid("token contains an invalid number of segments")},
            {Errc::token_audience_refused, invalid("the token does not have a valid audience")},
            {Errc::token_expired, invalid("the token has expired")},
            {Errc::token_issuer_unknown, invalid("issuer does not match")},
            {Errc::token_signature_invalid, invalid("signature is invalid")},
            // Nobody's token is at fault.
            {Errc::keys_unavailable, ""},
            {Errc::internal, ""},
            {Errc::context_unusable, ""},
        };
        for (const Row& row : rows) {
            CAPTURE(reason_id(row.reason));
            CHECK(authz::make_challenge(refusal(row.reason), scopes) == row.want);
        }
        CHECK(authz::make_challenge(refusal(Errc::none, true), scopes)
                  .starts_with("Bearer scope=\"a b\" error=\"insufficient_scope\""));
        CHECK(authz::make_challenge(refusal(Errc::token_expired), {})
                  .starts_with("Bearer scope=\"\" error="));
        CHECK(authz::make_challenge({true, {}, 0, Errc::allowed}, scopes).empty());
    }

    TEST_CASE("every refusal of a token has a description") {
        for (int i = 0; i < errc_count(); ++i) {
            const auto reason = static_cast<Errc>(i);
            if (!reason_id(reason).starts_with("token_")) continue;
            CAPTURE(reason_id(reason));
            const Verdict verdict = refusal(reason);
            CHECK(verdict.status == 401);
            CHECK(authz::make_challenge(verdict, {}).find("error_description=\"\"") ==
                  std::string::npos);
            CHECK_FALSE(authz::make_challenge(verdict, {}).empty());
        }
    }

    TEST_CASE("section 10.1: failures of an integration") {
        struct Row {
            Errc reason;
            int status;
            std::string body;
        };

        const Row rows[] = {
            {Errc::upstream_refused, 503, "Service Unavailable"},
            {Errc::upstream_connect_timeout, 503, "Service Unavailable"},
            {Errc::upstream_timeout, 503, "Service Unavailable"},
            {Errc::function_timeout, 503, "Service Unavailable"},
            {Errc::draining, 503, "Service Unavailable"},
            {Errc::upstream_malformed, 500, "Internal Server Error"},
            {Errc::function_error, 500, "Internal Server Error"},
            {Errc::function_answer_invalid, 500, "Internal Server Error"},
            {Errc::function_not_invokable, 500, "Internal Server Error"},
            {Errc::mapping_invalid, 500, "Internal Server Error"},
            {Errc::context_unusable, 500, "Internal Server Error"},
            {Errc::internal, 500, "Internal Server Error"},
            {Errc::body_too_large, 413, "Request Entity Too Large"},
            {Errc::function_event_too_large, 413, "Request Entity Too Large"},
            {Errc::body_timeout, 408, "Request Timeout"},
            {Errc::chunk_invalid, 400, "Bad Request"},
        };
        test::RequestFixture fixture;
        for (const Row& row : rows) {
            CAPTURE(reason_id(row.reason));
            const auto response =
                authz::render_http_error(authz::make_http_error(row.reason), {}, fixture.facts());
            CHECK(response.status == row.status);
            CHECK(response.body == "{\"message\":\"" + row.body + "\"}");
            CHECK(response.headers ==
                  "content-type: application/json\r\napigw-requestid: AyD6KEwwPHcEKxg=\r\n");
        }
    }

    TEST_CASE("section 10.1: headers of a 401 with and without a challenge, and of CORS") {
        test::RequestFixture fixture;
        fixture.field("Origin", "https://app.example");
        authz::CorsOptions cors;
        cors.allow_origins = {"*"};
        fixture.stage.cors = std::make_shared<const authz::Cors>(cors);
        const auto error = authz::make_http_error(refusal(Errc::token_expired));
        const auto bare = authz::render_http_error(error, "Bearer", fixture.facts());
        CHECK(bare.headers ==
              "www-authenticate: Bearer\r\napigw-requestid: AyD6KEwwPHcEKxg=\r\n"
              "access-control-allow-origin: *\r\n");
        CHECK(bare.body == R"({"message":"Unauthorized"})");
        CHECK(authz::render_http_error(error, {}, fixture.facts())
                  .headers.starts_with("content-type: application/json\r\n"));
    }
}

}  // namespace http_error_test
