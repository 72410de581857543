#include "gatehouse/authz/introspection.hpp"

#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/policy/evaluate.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace introspection_test {

using namespace gatehouse;
using namespace gatehouse::authz;
using namespace std::chrono_literals;

namespace {

const WallTime kNow{1767225600s};
constexpr std::string_view kPrefix = "arn:aws:execute-api:us-east-1:123456789012:local/prod/";
constexpr std::string_view kArn = "arn:aws:execute-api:us-east-1:123456789012:local/prod/GET/items";

IntrospectionOptions options() {
    IntrospectionOptions options;
    options.endpoint = "https://as.example/introspect";
    options.client_id = "gate";
    options.client_secret = "s3cret";
    options.context = {{"userId", "sub", std::nullopt, ","},
                       {"roles", "roles", Json::array({"user"}), ","}};
    return options;
}

Introspection make(IntrospectionOptions from) {
    auto made = Introspection::make(std::move(from));
    REQUIRE(made.has_value());
    return std::move(*made);
}

AuthorizerEvent event(std::string_view identity, bool bare = false) {
    return {identity, kArn, kPrefix, bare};
}

Result<Grant> judge(const Introspection& authorizer,
                    std::string_view body,
                    std::string_view type = "application/json",
                    jwt::CheckTrail* trail = nullptr) {
    return authorizer.grant(type, body, event("Bearer x"), kNow, trail);
}

Errc refusal(const Introspection& authorizer,
             std::string_view body,
             std::string_view type = "application/json") {
    const auto grant = judge(authorizer, body, type);
    return grant ? Errc::none : grant.error().errc();
}

}  // namespace

TEST_SUITE("authz/introspection") {
    TEST_CASE("the question is RFC 7662's and the client speaks as RFC 6749 2.3.1 says") {
        struct Row {
            const char* name;
            const char* id;
            const char* secret;
            const char* pair;  ///< what Basic encodes
        };

        const Row rows[] = {
            {"plain", "gate", "s3cret", "gate:s3cret"},
            {"colons cannot move the border", "a:b", "c:d", "a%3Ab:c%3Ad"},
            {"what a form encodes", "id +&=", "p%\xC3\xA4", "id%20%2B%26%3D:p%25%C3%A4"},
            {"unreserved stay", "a-b_c.d~e", "0", "a-b_c.d~e:0"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            IntrospectionOptions from = options();
            from.client_id = row.id;
            from.client_secret = row.secret;
            const auto request = make(from).ask(event("Bearer aB-._~+/="), nullptr);
            REQUIRE(request.has_value());
            CHECK(request->form == "token=aB-._~%2B%2F%3D&token_type_hint=access_token");
            CHECK(request->authorization == "Basic " + encode_base64(row.pair));
            from.secret_in_form = true;
            const auto posted = make(from).ask(event("Bearer t"), nullptr);
            REQUIRE(posted.has_value());
            CHECK(posted->authorization.empty());
            const std::string pair = row.pair;
            const std::size_t colon = pair.find(':');
            CHECK(posted->form ==
                  "token=t&token_type_hint=access_token&client_id=" + pair.substr(0, colon) +
                      "&client_secret=" + pair.substr(colon + 1));
        }
    }

    TEST_CASE("what is no single credential is not asked about") {
        struct Row {
            const char* name;
            std::string identity;
            bool bare;
            Errc error;
        };

        const Row rows[] = {
            {"no scheme", "abc", false, Errc::token_not_bearer},
            {"another scheme", "Basic abc", false, Errc::token_not_bearer},
            {"two", "Bearer a b", false, Errc::token_not_bearer},
            {"none", "Bearer ", false, Errc::token_not_bearer},
            {"form characters", "Bearer a&active=true", false, Errc::token_not_bearer},
            {"another scheme where bare will do", "Basic abc", true, Errc::token_not_bearer},
            {"large",
             "Bearer " + std::string(limits::kTokenBytes + 1, 'a'),
             false,
             Errc::token_too_large},
            {"bare where it may be", "abc", true, Errc::none},
            {"small letters", "bearer abc", false, Errc::none},
        };
        const Introspection authorizer = make(options());
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto request = authorizer.ask(event(row.identity, row.bare), nullptr);
            CHECK((request ? Errc::none : request.error().errc()) == row.error);
        }
        // A bare value that is not of a token's characters stays one value of the form.
        const auto odd = authorizer.ask(event("a&active=true", true), nullptr);
        REQUIRE(odd.has_value());
        CHECK(odd->form == "token=a%26active%3Dtrue&token_type_hint=access_token");
    }

    TEST_CASE("only an answer that says active true and holds lets anybody in") {
        struct Row {
            const char* name;
            const char* body;
            Errc error;
        };

        const Row rows[] = {
            {"inactive", R"({"active":false})", Errc::token_inactive},
            {"inactive with all else",
             R"({"active":false,"sub":"u","exp":1767229200})",
             Errc::token_inactive},
            {"active as text", R"({"active":"true","sub":"u"})", Errc::introspection_invalid},
            {"active as number", R"({"active":1,"sub":"u"})", Errc::introspection_invalid},
            {"active null", R"({"active":null,"sub":"u"})", Errc::introspection_invalid},
            {"active away", R"({"sub":"u"})", Errc::introspection_invalid},
            {"active twice",
             R"({"active":false,"active":true,"sub":"u"})",
             Errc::introspection_invalid},
            {"another letter case", R"({"Active":true,"sub":"u"})", Errc::introspection_invalid},
            {"an error", R"({"error":"invalid_client"})", Errc::introspection_invalid},
            {"list", R"([{"active":true,"sub":"u"}])", Errc::introspection_invalid},
            {"text", R"("true")", Errc::introspection_invalid},
            {"nothing", "", Errc::introspection_invalid},
            {"page", "<html>", Errc::introspection_invalid},
            {"two objects",
             R"({"active":true,"sub":"u"}{"active":true})",
             Errc::introspection_invalid},
            {"expired now", R"({"active":true,"sub":"u","exp":1767225600})", Errc::token_expired},
            {"exp as text",
             R"({"active":true,"sub":"u","exp":"1767229200"})",
             Errc::introspection_invalid},
            {"not yet", R"({"active":true,"sub":"u","nbf":1767225601})", Errc::token_not_yet_valid},
            {"of the future",
             R"({"active":true,"sub":"u","iat":1767225601})",
             Errc::token_issued_in_future},
            {"nobody's", R"({"active":true})", Errc::token_subject_missing},
            {"empty sub", R"({"active":true,"sub":""})", Errc::token_subject_missing},
            {"a client's own", R"({"active":true,"client_id":"c"})", Errc::token_subject_missing},
            {"sub as number", R"({"active":true,"sub":7})", Errc::introspection_invalid},
            {"claim that cannot be text",
             R"({"active":true,"sub":"u","roles":{"a":1}})",
             Errc::token_claim_unusable},
            {"least", R"({"active":true,"sub":"u"})", Errc::none},
            {"whole",
             R"({"active":true,"sub":"u","exp":1767225601,"nbf":1767225600,"iat":1767225600})",
             Errc::none},
        };
        const Introspection authorizer = make(options());
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(refusal(authorizer, row.body) == row.error);
        }
    }

    TEST_CASE("the answer is application/json or no answer") {
        const Introspection authorizer = make(options());
        constexpr const char* kBody = R"({"active":true,"sub":"u"})";
        for (const char* type : {"",
                                 "text/html",
                                 "text/json",
                                 "application/jwt",
                                 "application",
                                 "application/token-introspection+jwt",
                                 "application/jsonp"}) {
            CAPTURE(type);
            CHECK(refusal(authorizer, kBody, type) == Errc::introspection_invalid);
        }
        for (const char* type : {"application/json",
                                 "Application/JSON",
                                 "application/json; charset=utf-8",
                                 "application/json ;charset=utf-8"}) {
            CAPTURE(type);
            CHECK(refusal(authorizer, kBody, type) == Errc::none);
        }
    }

    TEST_CASE("issuer audience and expiry are looked at where they are configured") {
        IntrospectionOptions from = options();
        from.issuer = "https://as.example/";
        from.audience = {"api://a", "api://b"};
        from.require_expiration = true;
        const Introspection authorizer = make(from);
        const Json good = {{"active", true},
                           {"sub", "u"},
                           {"iss", "https://as.example/"},
                           {"aud", {"x", "api://b"}},
                           {"exp", 1767229200}};
        CHECK(refusal(authorizer, good.dump()) == Errc::none);

        struct Row {
            const char* name;
            Json patch;
            Errc error;
        };

        const Row rows[] = {
            {"issuer away", {{"iss", nullptr}}, Errc::token_issuer_unknown},
            {"issuer without slash", {{"iss", "https://as.example"}}, Errc::token_issuer_unknown},
            {"issuer in a list",
             {{"iss", Json::array({"https://as.example/"})}},
             Errc::token_issuer_unknown},
            {"audience away", {{"aud", nullptr}}, Errc::token_audience_refused},
            {"another audience", {{"aud", "api://c"}}, Errc::token_audience_refused},
            {"audience as number", {{"aud", 1}}, Errc::introspection_invalid},
            {"no expiry", {{"exp", nullptr}}, Errc::token_expiry_missing},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json body = good;
            body.merge_patch(row.patch);
            CHECK(refusal(authorizer, body.dump()) == row.error);
        }
    }

    TEST_CASE("a grant has what a JWT would have given") {
        IntrospectionOptions from = options();
        from.require_subject = false;
        const Introspection authorizer = make(from);
        jwt::CheckTrail trail;
        const auto grant = judge(
            authorizer,
            R"({"active":true,"sub":"u","client_id":"c","scope":"read write","exp":1767229200,)"
            R"("nbf":1767225000,"roles":["a","b"],"level":3})",
            "application/json",
            &trail);
        REQUIRE(grant.has_value());
        CHECK(grant->principal_id == "u");
        CHECK(grant->find_context("userId")->value == "u");
        CHECK(grant->find_context("roles")->value == "a,b");
        CHECK(grant->claims["level"] == "3");
        CHECK(grant->scopes == std::vector<std::string>{"read", "write"});
        CHECK(grant->expires == WallTime(1767229200s));
        CHECK(grant->not_before == WallTime(1767225000s));
        CHECK(grant->issued_for == kArn);
        CHECK(policy::evaluate(*grant->policy, {kArn, {}}, {}).outcome == policy::Outcome::allow);
        REQUIRE_FALSE(trail.empty());
        CHECK(trail[0].name == "active");
        const auto machine = judge(authorizer, R"({"active":true,"client_id":"c"})");
        REQUIRE(machine.has_value());
        CHECK(machine->principal_id == "c");
        CHECK(machine->find_context("userId") == nullptr);
    }

    TEST_CASE("statements are judged on the answer's claims") {
        IntrospectionOptions from = options();
        from.statements = Json::parse(R"([{"Effect":"Allow","Action":"execute-api:Invoke",
            "Resource":"${stageArn}/GET/*","when":{"scope":"read"}}])");
        const Introspection authorizer = make(from);
        const auto outcome = [&](const char* body) {
            const auto grant = judge(authorizer, body);
            REQUIRE(grant.has_value());
            return policy::evaluate(*grant->policy, {kArn, {}}, {}).outcome;
        };
        CHECK(outcome(R"({"active":true,"sub":"u","scope":"read"})") == policy::Outcome::allow);
        CHECK(outcome(R"({"active":true,"sub":"u","scope":"write"})") ==
              policy::Outcome::implicit_deny);
    }

    TEST_CASE("no secret is in a fingerprint and what a grant is made of is") {
        const std::string first = make(options()).fingerprint();
        CHECK(first.find("s3cret") == std::string::npos);
        IntrospectionOptions other = options();
        other.client_secret = "rotated";
        CHECK(make(other).fingerprint() == first);
        const auto changes = {
            +[](IntrospectionOptions& o) { o.endpoint += "x"; },
            +[](IntrospectionOptions& o) { o.client_id += "x"; },
            +[](IntrospectionOptions& o) { o.issuer = "x"; },
            +[](IntrospectionOptions& o) { o.audience = {"x"}; },
            +[](IntrospectionOptions& o) { o.clock_skew = 1s; },
            +[](IntrospectionOptions& o) { o.require_expiration = true; },
            +[](IntrospectionOptions& o) { o.require_subject = false; },
            +[](IntrospectionOptions& o) { o.context.pop_back(); },
            +[](IntrospectionOptions& o) { o.method_resource = true; },
            +[](IntrospectionOptions& o) { o.statements = Json::array(); },
        };
        for (const auto change : changes) {
            IntrospectionOptions changed = options();
            change(changed);
            CHECK(make(changed).fingerprint() != first);
        }
    }
}

}  // namespace introspection_test
