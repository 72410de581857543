#include "gatehouse/authz/jwt_authorizer.hpp"

#include "gatehouse/jwt/sign.hpp"
#include "gatehouse/policy/arn.hpp"
#include "gatehouse/policy/evaluate.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace jwt_authorizer_test {

using namespace gatehouse;
using namespace gatehouse::authz;
using namespace std::chrono_literals;

namespace {

const WallTime kNow{1767225600s};
constexpr std::string_view kPrefix = "arn:aws:execute-api:us-east-1:123456789012:local/prod/";

std::string arn(std::string_view rest) {
    return std::string(kPrefix).append(rest);
}

// The contract's default map.
JwtAuthorizerOptions default_options() {
    JwtAuthorizerOptions options;
    jwt::Provider provider;
    provider.issuer = "https://issuer.example/";
    provider.audience = {"api://users"};
    provider.algorithms.add(jwt::Algorithm::es256);
    options.providers = {provider};
    options.context = {{"userId", "sub", std::nullopt, ","},
                       {"tenantId", "tenant_id", Json("default"), ","},
                       {"roles", "roles", Json::array({"user"}), ","}};
    return options;
}

Json default_claims() {
    return {{"iss", "https://issuer.example/"},
            {"aud", "api://users"},
            {"sub", "user|1"},
            {"exp", 1767229200}};
}

// Keys are made once: what differs between cases is the token and the options.
const jwt::SigningKey& signing_key() {
    static const jwt::SigningKey key = [] {
        auto made = jwt::generate_signing_key(jwt::Algorithm::es256, "k1");
        REQUIRE(made.has_value());
        return std::move(*made);
    }();
    return key;
}

const jwt::KeySet& key_set() {
    static const std::shared_ptr<const jwt::KeySet> keys = [] {
        auto parsed = jwt::parse_key_set(signing_key().key_set());
        REQUIRE(parsed.has_value());
        return *parsed;
    }();
    return *keys;
}

JwtAuthorizer make(JwtAuthorizerOptions options) {
    auto made = JwtAuthorizer::make(std::move(options));
    REQUIRE(made.has_value());
    return std::move(*made);
}

Result<Grant> authorize(const JwtAuthorizer& authorizer,
                        const Json& claims,
                        std::string_view request = "GET/items",
                        jwt::CheckTrail* trail = nullptr) {
    auto token = signing_key().mint(claims);
    REQUIRE(token.has_value());
    const std::string identity = "Bearer " + *token;
    const std::string method_arn = arn(request);
    const AuthorizerEvent event{identity, method_arn, kPrefix};
    auto unverified = authorizer.read(event, trail);
    if (!unverified) return std::move(unverified).error();
    return authorizer.grant(std::move(*unverified), event, key_set(), kNow, trail);
}

policy::Outcome judge(const Grant& grant, std::string_view request) {
    const std::string text = arn(request);
    return policy::evaluate(*grant.policy, {text, {}}, {}).outcome;
}

constexpr auto kAllow = policy::Outcome::allow;
constexpr auto kNone = policy::Outcome::implicit_deny;

}  // namespace

TEST_SUITE("authz/jwt_authorizer") {
    TEST_CASE("a good token becomes a grant with all that a request needs later") {
        const JwtAuthorizer authorizer = make(default_options());
        Json claims = default_claims();
        claims["nbf"] = 1767225000;
        claims["scope"] = "read write";
        claims["roles"] = {"admin", "user"};
        const auto grant = authorize(authorizer, claims);
        REQUIRE(grant.has_value());
        CHECK(grant->principal_id == "user|1");
        REQUIRE(grant->context.size() == 3);
        CHECK(grant->find_context("userId")->value == "user|1");
        CHECK(grant->find_context("tenantId")->value == "default");
        CHECK(grant->find_context("roles")->value == "admin,user");
        CHECK(grant->scopes == std::vector<std::string>{"read", "write"});
        CHECK(grant->claims["userId"] == "user|1");
        CHECK(grant->claims["sub"] == "user|1");
        CHECK(grant->claims["exp"] == "1767229200");
        CHECK(grant->claims["tenantId"] == "default");
        CHECK(grant->expires == WallTime(1767229200s));
        CHECK(grant->not_before == WallTime(1767225000s));
        CHECK(grant->issued_for == arn("GET/items"));
        CHECK(grant->kid == "k1");
        CHECK(key_set().has_thumbprint(grant->key_thumbprint));
    }

    TEST_CASE("an identity that is not one Bearer token is refused before anything is read") {
        const JwtAuthorizer authorizer = make(default_options());
        const auto token = signing_key().mint(default_claims());
        REQUIRE(token.has_value());

        struct Row {
            const char* name;
            std::string identity;
            Errc want;
        };

        const Row rows[] = {
            {"Bearer", "Bearer " + *token, Errc::none},
            {"lower case", "bearer " + *token, Errc::none},
            {"no scheme", *token, Errc::token_not_bearer},
            {"other scheme", "Basic " + *token, Errc::token_not_bearer},
            {"two tokens", "Bearer " + *token + " " + *token, Errc::token_not_bearer},
            {"scheme alone", "Bearer", Errc::token_not_bearer},
            {"empty", "", Errc::token_not_bearer},
            {"no JWS", "Bearer abc", Errc::token_malformed},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            jwt::CheckTrail trail;
            const auto read = authorizer.read({row.identity, "", kPrefix}, &trail);
            CHECK((read.has_value() ? Errc::none : read.error().errc()) == row.want);
            REQUIRE_FALSE(trail.empty());
            CHECK(trail[0].name == "scheme");
            CHECK(trail[0].passed == (row.want != Errc::token_not_bearer));
            for (const jwt::Check check : trail)
                CHECK(check.found.find(*token) == std::string::npos);
        }
    }

    TEST_CASE("a token that fails a check gives no grant") {
        struct Row {
            const char* name;
            Json change;
            Errc want;
        };

        const Row rows[] = {
            {"unknown issuer", {{"iss", "https://other.example/"}}, Errc::token_issuer_unknown},
            {"other audience", {{"aud", "api://other"}}, Errc::token_audience_refused},
            {"expired now", {{"exp", 1767225600}}, Errc::token_expired},
            {"not yet", {{"nbf", 1767225601}}, Errc::token_not_yet_valid},
            {"empty subject", {{"sub", ""}}, Errc::token_subject_missing},
            {"null subject", {{"sub", nullptr}}, Errc::token_subject_missing},
            {"object in the context", {{"tenant_id", Json::object()}}, Errc::token_claim_unusable},
            {"comma in a role",
             {{"roles", Json::array({"user,admin"})}},
             Errc::token_claim_unusable},
        };
        const JwtAuthorizer authorizer = make(default_options());
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json claims = default_claims();
            claims.update(row.change);
            const auto grant = authorize(authorizer, claims);
            REQUIRE_FALSE(grant.has_value());
            CHECK(grant.error().errc() == row.want);
        }
        Json none = default_claims();
        none.erase("sub");
        const auto grant = authorize(authorizer, none);
        REQUIRE_FALSE(grant.has_value());
        CHECK(grant.error().errc() == Errc::token_subject_missing);
    }

    TEST_CASE("a token signed by another key gives no grant") {
        const JwtAuthorizer authorizer = make(default_options());
        const auto other = jwt::generate_signing_key(jwt::Algorithm::es256, "k1");
        REQUIRE(other.has_value());
        const auto token = other->mint(default_claims());
        REQUIRE(token.has_value());
        const std::string identity = "Bearer " + *token;
        const AuthorizerEvent event{identity, "", kPrefix};
        auto unverified = authorizer.read(event, nullptr);
        REQUIRE(unverified.has_value());
        const auto grant =
            authorizer.grant(std::move(*unverified), event, key_set(), kNow, nullptr);
        REQUIRE_FALSE(grant.has_value());
        CHECK(grant.error().errc() == Errc::token_signature_invalid);
    }

    TEST_CASE("the default policy allows the whole stage and no other") {
        const auto grant = authorize(make(default_options()), default_claims(), "GET/items");
        REQUIRE(grant.has_value());
        CHECK(judge(*grant, "GET/items") == kAllow);
        CHECK(judge(*grant, "DELETE/other/path") == kAllow);
        CHECK(judge(*grant, "GET/") == kAllow);
        const std::string other_stage =
            "arn:aws:execute-api:us-east-1:123456789012:local/dev/GET/items";
        CHECK(policy::evaluate(*grant->policy, {other_stage, {}}, {}).outcome == kNone);
    }

    TEST_CASE(
        "the method policy allows its own method ARN and takes a star in the path as a star") {
        auto options = default_options();
        options.method_resource = true;
        const JwtAuthorizer authorizer = make(std::move(options));

        struct Row {
            const char* name;
            std::string made_for;
            std::string request;
            policy::Outcome want;
        };

        const std::string lengthy = "GET/" + std::string(1000, 'x');
        const Row rows[] = {
            {"itself", "GET/items", "GET/items", kAllow},
            {"a star", "GET/*", "GET/*", kAllow},
            {"longer than an author may write", lengthy, lengthy, kAllow},
            {"a policy variable", "GET/${x}", "GET/${x}", kAllow},
            {"another path", "GET/items", "GET/users", kNone},
            {"another verb", "GET/items", "POST/items", kNone},
            {"below", "GET/items", "GET/items/1", kNone},
            {"what a star would match", "GET/*", "GET/items", kNone},
            {"what a question mark would match", "GET/item?", "GET/items", kNone},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto grant = authorize(authorizer, default_claims(), row.made_for);
            REQUIRE(grant.has_value());
            CHECK(judge(*grant, row.request) == row.want);
        }
    }

    TEST_CASE("the built-in policies are what the policy parser makes of their own text") {
        for (const bool method : {false, true}) {
            CAPTURE(method);
            auto options = default_options();
            options.method_resource = method;
            const auto grant = authorize(make(std::move(options)), default_claims(), "GET/a*\"b");
            REQUIRE(grant.has_value());
            const auto json = parse_json(grant->policy->text);
            REQUIRE(json.has_value());
            const auto parsed = policy::parse_document(*json);
            REQUIRE(parsed.has_value());
            CHECK(parsed->text == grant->policy->text);
            REQUIRE(parsed->statements.size() == 1);
            const policy::Statement& want = parsed->statements[0];
            const policy::Statement& have = grant->policy->statements.at(0);
            CHECK(have.effect == want.effect);
            CHECK(have.actions == want.actions);
            CHECK(have.covers_invoke == want.covers_invoke);
            CHECK(have.not_action == want.not_action);
            CHECK(have.not_resource == want.not_resource);
            CHECK(have.conditions.empty());
            CHECK(have.resources.at(0).pattern() == want.resources.at(0).pattern());
        }
    }

    TEST_CASE("statements make the policy of each token") {
        auto options = default_options();
        options.statements = {{{"Effect", "Allow"},
                               {"Action", "execute-api:Invoke"},
                               {"Resource", "${stageArn}/GET/t/${claims.tenant_id}/*"},
                               {"when", {{"roles", "reader"}}}}};
        const JwtAuthorizer authorizer = make(std::move(options));
        Json claims = default_claims();
        claims["tenant_id"] = "t1";
        claims["roles"] = {"reader"};
        const auto grant = authorize(authorizer, claims);
        REQUIRE(grant.has_value());
        CHECK(judge(*grant, "GET/t/t1/x") == kAllow);
        CHECK(judge(*grant, "GET/t/t2/x") == kNone);
        claims["roles"] = {"writer"};
        const auto none = authorize(authorizer, claims);
        REQUIRE(none.has_value());
        CHECK(judge(*none, "GET/t/t1/x") == kNone);
        claims["roles"] = {"reader"};
        claims["tenant_id"] = std::string(600, 'x');
        const auto lengthy = authorize(authorizer, claims);
        REQUIRE_FALSE(lengthy.has_value());
        CHECK(lengthy.error().errc() == Errc::token_claim_unusable);
    }

    TEST_CASE("options that cannot work are refused with their place") {
        struct Row {
            const char* name;
            void (*change)(JwtAuthorizerOptions&);
            std::string_view place;
        };

        const Row rows[] = {
            {"statements with resource",
             [](JwtAuthorizerOptions& options) {
                 options.method_resource = true;
                 options.statements = Json::array();
             },
             "/resource: "},
            {"statements that are no list",
             [](JwtAuthorizerOptions& options) { options.statements = "x"; },
             "/statements: "},
            {"a statement without Effect",
             [](JwtAuthorizerOptions& options) {
                 options.statements = Json::array({Json::object()});
             },
             "/statements/0"},
            {"a context key without a claim",
             [](JwtAuthorizerOptions& options) { options.context[1].claim = ""; },
             "/context/tenantId/claim: "},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            auto options = default_options();
            row.change(options);
            const auto made = JwtAuthorizer::make(std::move(options));
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::config_invalid);
            CHECK(made.error().detail.starts_with(row.place));
        }
    }

    TEST_CASE("every option that a grant is built from changes the fingerprint") {
        using Change = void (*)(JwtAuthorizerOptions&);
        const Change changes[] = {
            [](JwtAuthorizerOptions&) {},
            [](JwtAuthorizerOptions& o) { o.providers[0].issuer += "x"; },
            [](JwtAuthorizerOptions& o) { o.providers[0].audience.push_back("b"); },
            [](JwtAuthorizerOptions& o) { o.providers[0].algorithms.add(jwt::Algorithm::rs256); },
            [](JwtAuthorizerOptions& o) { o.providers.push_back(o.providers[0]); },
            [](JwtAuthorizerOptions& o) { o.rules.clock_skew = 1s; },
            [](JwtAuthorizerOptions& o) { o.rules.require_expiration = false; },
            [](JwtAuthorizerOptions& o) { o.rules.require_key_id = false; },
            [](JwtAuthorizerOptions& o) { o.context.pop_back(); },
            [](JwtAuthorizerOptions& o) { o.context[0].key = "id"; },
            [](JwtAuthorizerOptions& o) { o.context[0].claim = "uid"; },
            [](JwtAuthorizerOptions& o) { o.context[0].default_value = "x"; },
            [](JwtAuthorizerOptions& o) { o.context[2].join = "|"; },
            [](JwtAuthorizerOptions& o) { std::swap(o.context[0], o.context[1]); },
            [](JwtAuthorizerOptions& o) { o.method_resource = true; },
            [](JwtAuthorizerOptions& o) { o.statements = Json::array(); },
            [](JwtAuthorizerOptions& o) {
                o.statements = {{{"Effect", "Allow"}, {"Action", "*"}, {"Resource", "*"}}};
            },
        };
        std::set<std::string> fingerprints;
        for (const Change change : changes) {
            auto options = default_options();
            change(options);
            fingerprints.insert(make(std::move(options)).fingerprint());
        }
        CHECK(fingerprints.size() == std::size(changes));
        CHECK(make(default_options()).fingerprint() == make(default_options()).fingerprint());
    }

    TEST_CASE("only policies that name the method ARN are narrower than the stage by request") {
        auto options = default_options();
        CHECK_FALSE(make(options).narrower_than_stage());
        options.method_resource = true;
        CHECK(make(options).narrower_than_stage());
        options.method_resource = false;
        options.statements = {
            {{"Effect", "Allow"}, {"Action", "*"}, {"Resource", "${stageArn}/GET/*"}}};
        CHECK_FALSE(make(options).narrower_than_stage());
        options.statements[0]["Resource"] = {"${stageArn}/GET/*", "${methodArn}"};
        CHECK(make(options).narrower_than_stage());
    }

    TEST_CASE("the trail tells what was checked and never holds the token") {
        const JwtAuthorizer authorizer = make(default_options());
        jwt::CheckTrail trail;
        Json claims = default_claims();
        claims["roles"] = Json::array({Json::object()});
        const auto grant = authorize(authorizer, claims, "GET/items", &trail);
        REQUIRE_FALSE(grant.has_value());
        REQUIRE_FALSE(trail.empty());
        CHECK(trail[trail.size() - 1].name == "context");
        CHECK_FALSE(trail[trail.size() - 1].passed);
        CHECK(trail[trail.size() - 1].found.find("roles") != std::string::npos);
    }
}

}  // namespace jwt_authorizer_test
