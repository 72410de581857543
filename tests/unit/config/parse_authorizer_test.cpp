#include "fixture.hpp"

namespace parse_authorizer_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

const std::string kAt = "/apis/0/authorizers/jwt";

const JwtAuthorizer& jwt_of(const Loaded& loaded) {
    return loaded.model.apis.at(0).authorizers.at(0).jwt;
}

// Rows with places below the authorizer.
void check_below(const std::vector<Refusal>& rows) {
    std::vector<std::string> texts;
    texts.reserve(rows.size() * 2);
    std::vector<Refusal> whole;
    for (const Refusal& row : rows) {
        texts.push_back(kAt + row.at);
        const char* at = texts.back().c_str();
        texts.push_back(kAt + row.pointer);
        whole.push_back({row.name, at, row.value, texts.back().c_str(), row.words});
    }
    check_refusals(full_document(), whole);
}

}  // namespace

TEST_SUITE("config/parse_authorizer") {
    TEST_CASE("types and uris that are not built are refused by name") {
        check_below({
            {"request keeps TOKEN's expression",
             "/type",
             "\"REQUEST\"",
             "/identityValidationExpression",
             "a REQUEST authorizer has none"},
            {"iam", "/type", "\"AWS_IAM\"", "/type", "a route says"},
            {"small letters", "/type", "\"token\"", "/type", "did you mean \"TOKEN\"?"},
            {"empty type", "/type", "\"\"", "/type", "allowed: \"TOKEN\", \"REQUEST\""},
            {"typing error",
             "/authorizerUri",
             "\"gatehouse:jtw\"",
             "/authorizerUri",
             "did you mean \"gatehouse:jwt\"?"},
            {"jwt block missing", "/jwt", "", "", "\"jwt\" is missing"},
        });
    }

    TEST_CASE("a REQUEST authorizer has sources of its own") {
        Json base = full_document();
        Json& authorizer = base["apis"][0]["authorizers"]["jwt"];
        authorizer["type"] = "REQUEST";
        authorizer.erase("identityValidationExpression");
        const std::string at = std::string(kAt) + "/identitySource";
        const auto refuse = [&](const char* name, const char* value, const char* words) {
            check_refusals(base, {{name, at.c_str(), value, at.c_str(), words}});
        };
        refuse("path parameter", "\"method.request.path.id\"", "is no identity source");
        refuse("literal", "\"'x'\"", "is no identity source");
        refuse("empty element", "\"method.request.header.A,,\"", "is no identity source");
        refuse("its own result", "\"context.authorizer.userId\"", "is no identity source");
        refuse("empty", "\"\"", "is empty");
        refuse("unknown variable", "\"context.nonsense\"", "is no identity source");
        refuse("no token in it", "\"stageVariables.backend\"", "takes the token from the first");
        check_acceptances(base,
                          {{"header and query",
                            at.c_str(),
                            "\"method.request.header.A, method.request.querystring.t\""},
                           {"all kinds",
                            at.c_str(),
                            "\"method.request.querystring.t,stageVariables.backend,context."
                            "identity.sourceIp\""}});
        Json cached = base;
        cached["apis"][0]["authorizers"]["jwt"].erase("identitySource");
        const Loaded loaded = load(cached);
        CHECK(has_problem(loaded.problems, kAt, "caches results and has no \"identitySource\""));
    }

    TEST_CASE("identity source expression and times are checked") {
        check_below({
            {"two headers",
             "/identitySource",
             "\"method.request.header.A,method.request.header.B\"",
             "/identitySource",
             "exactly one header"},
            {"query string",
             "/identitySource",
             "\"method.request.querystring.token\"",
             "/identitySource",
             "exactly one header"},
            {"bare name",
             "/identitySource",
             "\"Authorization\"",
             "/identitySource",
             "did you mean \"method.request.header.Authorization\"?"},
            {"HTTP API form",
             "/identitySource",
             "\"$request.header.Authorization\"",
             "/identitySource",
             "exactly one header"},
            {"no header name",
             "/identitySource",
             "\"method.request.header.\"",
             "/identitySource",
             "exactly one header"},
            {"list",
             "/identitySource",
             "[\"method.request.header.A\"]",
             "/identitySource",
             "must be a string"},
            {"open bracket",
             "/identityValidationExpression",
             "\"^Bearer [a\"",
             "/identityValidationExpression",
             "RE2"},
            {"look-ahead",
             "/identityValidationExpression",
             "\"^(?=x)\"",
             "/identityValidationExpression",
             "no look-around"},
            {"back-reference",
             "/identityValidationExpression",
             "\"(a)\\\\1\"",
             "/identityValidationExpression",
             "no look-around"},
            {"too large",
             "/identityValidationExpression",
             "\"((a{1000}){1000}){1000}\"",
             "/identityValidationExpression",
             "RE2"},
            {"ttl too long",
             "/authorizerResultTtlInSeconds",
             "3601",
             "/authorizerResultTtlInSeconds",
             "allowed: 0 to 3600"},
            {"negative ttl",
             "/authorizerResultTtlInSeconds",
             "-1",
             "/authorizerResultTtlInSeconds",
             "allowed: 0 to 3600"},
            {"skew too long",
             "/jwt/clockSkewInSeconds",
             "301",
             "/jwt/clockSkewInSeconds",
             "allowed: 0 to 300"},
        });
    }

    TEST_CASE("issuer audience and algorithms say whom to trust") {
        check_below({
            {"empty issuer", "/jwt/issuer", "\"\"", "/jwt/issuer", "is empty"},
            {"empty audience list", "/jwt/audience", "[]", "/jwt/audience", "no token could pass"},
            {"audience as a string",
             "/jwt/audience",
             "\"a\"",
             "/jwt/audience",
             "must be a list of strings"},
            {"empty audience", "/jwt/audience", "[\"a\", \"\"]", "/jwt/audience/1", "is empty"},
            {"no algorithm", "/jwt/algorithms", "[]", "/jwt/algorithms", "no token could pass"},
            {"HMAC", "/jwt/algorithms", "[\"HS256\"]", "/jwt/algorithms/0", "uses a shared secret"},
            {"HMAC in small letters",
             "/jwt/algorithms",
             "[\"hs512\"]",
             "/jwt/algorithms/0",
             "uses a shared secret"},
            {"none",
             "/jwt/algorithms",
             "[\"RS256\", \"none\"]",
             "/jwt/algorithms/1",
             "tokens that nobody signed"},
            {"none in capitals",
             "/jwt/algorithms",
             "[\"NONE\"]",
             "/jwt/algorithms/0",
             "tokens that nobody signed"},
            {"small letters",
             "/jwt/algorithms",
             "[\"rs256\"]",
             "/jwt/algorithms/0",
             "did you mean \"RS256\"?"},
            {"unknown",
             "/jwt/algorithms",
             "[\"ES256K\"]",
             "/jwt/algorithms/0",
             "allowed: \"RS256\""},
            {"encryption",
             "/jwt/algorithms",
             "[\"RSA-OAEP\"]",
             "/jwt/algorithms/0",
             "allowed: \"RS256\""},
            {"stale before refresh",
             "/jwt/jwks",
             "{\"refreshInSeconds\": 600, \"maxStaleInSeconds\": 599}",
             "/jwt/jwks",
             "between two refreshes"},
        });
        Json document = full_document();
        document["apis"][0]["authorizers"]["jwt"]["jwt"]["algorithms"] = {"RS256",
                                                                          "RS384",
                                                                          "RS512",
                                                                          "PS256",
                                                                          "PS384",
                                                                          "PS512",
                                                                          "ES256",
                                                                          "ES384",
                                                                          "ES512",
                                                                          "EdDSA"};
        CHECK(show(load(document).problems) == "");
    }

    TEST_CASE("keys come from http or https or a file beside the configuration") {
        check_below({
            {"no URL",
             "/jwt/jwksUri",
             "\"jwks.json\"",
             "/jwt/jwksUri",
             "allowed: http://…, https://… or file:NAME"},
            {"ftp", "/jwt/jwksUri", "\"ftp://a/b\"", "/jwt/jwksUri", "is not supported"},
            {"data", "/jwt/jwksUri", "\"data:,x\"", "/jwt/jwksUri", "is not supported"},
            {"empty", "/jwt/jwksUri", "\"\"", "/jwt/jwksUri", "is not supported"},
            {"no host", "/jwt/jwksUri", "\"https:///keys\"", "/jwt/jwksUri", "has no host"},
            {"user",
             "/jwt/jwksUri",
             "\"https://u:p@a/keys\"",
             "/jwt/jwksUri",
             "user name or password"},
            {"port", "/jwt/jwksUri", "\"https://a:99999/keys\"", "/jwt/jwksUri", "not 1 to 65535"},
            {"fragment", "/jwt/jwksUri", "\"https://a/keys#x\"", "/jwt/jwksUri", "fragment"},
            {"space", "/jwt/jwksUri", "\"https://a/k s\"", "/jwt/jwksUri", "cannot have"},
            {"placeholder",
             "/jwt/jwksUri",
             "\"https://a/{tenant}/keys\"",
             "/jwt/jwksUri",
             "stands for nothing"},
            {"file as a host",
             "/jwt/jwksUri",
             "\"file://jwks.json\"",
             "/jwt/jwksUri",
             "write file:jwks.json"},
            {"file without a name", "/jwt/jwksUri", "\"file:\"", "/jwt/jwksUri", "names no file"},
            {"directory", "/jwt/jwksUri", "\"file:///etc/\"", "/jwt/jwksUri", "names no file"},
            {"NUL in a file",
             "/jwt/jwksUri",
             "\"file:a\\u0000b\"",
             "/jwt/jwksUri",
             "control character"},
        });
        check_acceptances(
            full_document(),
            {
                {"file", (kAt + "/jwt/jwksUri").c_str(), "\"file:jwks.json\""},
                {"file in a folder", (kAt + "/jwt/jwksUri").c_str(), "\"file:./keys/jwks.json\""},
                {"absolute file", (kAt + "/jwt/jwksUri").c_str(), "\"file:///etc/keys.json\""},
                {"short absolute file", (kAt + "/jwt/jwksUri").c_str(), "\"file:/etc/keys.json\""},
                {"port", (kAt + "/jwt/jwksUri").c_str(), "\"http://127.0.0.1:8081/jwks\""},
                {"IPv6", (kAt + "/jwt/jwksUri").c_str(), "\"http://[::1]:8081/jwks?x=y\""},
            });
    }

    TEST_CASE("discovery needs an issuer that is a URL") {
        struct Row {
            const char* issuer;
            bool good;
        };

        const Row rows[] = {{"https://a.example/", true},
                            {"https://a.example", true},
                            {"http://127.0.0.1:9000/realm", true},
                            {"a.example", false},
                            {"urn:issuer", false},
                            {"https://a.example/?x", false},
                            {"file:issuer.json", false},
                            {"https://", false}};
        for (const Row& row : rows) {
            CAPTURE(row.issuer);
            Json document = minimal_document();
            Json& jwt = document["apis"][0]["authorizers"]["jwt"]["jwt"];
            jwt["issuer"] = row.issuer;
            CHECK(load(document).problems.empty() == row.good);
            jwt["jwksUri"] = "file:jwks.json";
            CHECK(show(load(document).problems) == "");
        }
    }

    TEST_CASE("keys over plain http from elsewhere earn a warning") {
        struct Row {
            const char* uri;
            bool warned;
        };

        const Row rows[] = {{"http://issuer/jwks", true},
                            {"http://10.0.0.1/jwks", true},
                            {"https://issuer/jwks", false},
                            {"http://127.0.0.1/jwks", false},
                            {"http://localhost:80/j", false},
                            {"http://[::1]/jwks", false},
                            {"http://127.0.0.1.evil/j", true},
                            {"file:jwks.json", false}};
        for (const Row& row : rows) {
            CAPTURE(row.uri);
            Json document = minimal_document();
            document["apis"][0]["authorizers"]["jwt"]["jwt"]["jwksUri"] = row.uri;
            CHECK(has_problem(load(document).warnings, kAt + "/jwt/jwksUri", "plain http") ==
                  row.warned);
        }
    }

    TEST_CASE("several providers replace the single issuer and never join it") {
        Json document = minimal_document();
        Json& jwt = document["apis"][0]["authorizers"]["jwt"]["jwt"];
        jwt = Json{
            {"providers",
             Json::array(
                 {{{"issuer", "https://a/"}, {"audience", {"x"}}},
                  {{"issuer", "https://b/"}, {"audience", {"y"}}, {"algorithms", {"ES256"}}}})}};
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        REQUIRE(jwt_of(loaded).providers.size() == 2);
        CHECK(jwt_of(loaded).providers[1].issuer == "https://b/");
        CHECK(jwt_of(loaded).providers[1].algorithms == std::vector<std::string>{"ES256"});
        CHECK(jwt_of(loaded).providers[0].algorithms == std::vector<std::string>{"RS256"});

        check_refusals(document,
                       {
                           {"issuer beside",
                            (kAt + "/jwt/issuer").c_str(),
                            "\"https://c/\"",
                            (kAt + "/jwt/issuer").c_str(),
                            "\"providers\" is there"},
                           {"audience beside",
                            (kAt + "/jwt/audience").c_str(),
                            "[\"x\"]",
                            (kAt + "/jwt/audience").c_str(),
                            "\"providers\" is there"},
                           {"jwksUri beside",
                            (kAt + "/jwt/jwksUri").c_str(),
                            "\"https://c/\"",
                            (kAt + "/jwt/jwksUri").c_str(),
                            "\"providers\" is there"},
                           {"jwks beside",
                            (kAt + "/jwt/jwks").c_str(),
                            "{}",
                            (kAt + "/jwt/jwks").c_str(),
                            "\"providers\" is there"},
                           {"algorithms beside",
                            (kAt + "/jwt/algorithms").c_str(),
                            "[\"RS256\"]",
                            (kAt + "/jwt/algorithms").c_str(),
                            "\"providers\" is there"},
                           {"empty",
                            (kAt + "/jwt/providers").c_str(),
                            "[]",
                            (kAt + "/jwt/providers").c_str(),
                            "at least one"},
                           {"no audience",
                            (kAt + "/jwt/providers/1/audience").c_str(),
                            "",
                            (kAt + "/jwt/providers/1").c_str(),
                            "\"audience\" is missing"},
                           {"same issuer twice",
                            (kAt + "/jwt/providers/1/issuer").c_str(),
                            "\"https://a/\"",
                            (kAt + "/jwt/providers/1/issuer").c_str(),
                            "has this issuer already"},
                           {"no object",
                            (kAt + "/jwt/providers/1").c_str(),
                            "\"https://b/\"",
                            (kAt + "/jwt/providers/1").c_str(),
                            "must be an object"},
                           {"context in a provider",
                            (kAt + "/jwt/providers/1/context").c_str(),
                            "{}",
                            (kAt + "/jwt/providers/1/context").c_str(),
                            "unknown key"},
                       });
    }

    TEST_CASE("context entries can always become text") {
        check_below({
            {"empty claim",
             "/jwt/context/userId/claim",
             "\"\"",
             "/jwt/context/userId/claim",
             "is empty"},
            {"bad pointer",
             "/jwt/context/userId/claim",
             "\"/a~2\"",
             "/jwt/context/userId/claim",
             "JSON Pointer"},
            {"pointer that ends in a tilde",
             "/jwt/context/userId/claim",
             "\"/a~\"",
             "/jwt/context/userId/claim",
             "JSON Pointer"},
            {"empty key",
             "/jwt/context/",
             "{\"claim\": \"x\"}",
             "/jwt/context/",
             "cannot be empty"},
            {"null default",
             "/jwt/context/userId/default",
             "null",
             "/jwt/context/userId/default",
             "not null"},
            {"object default",
             "/jwt/context/userId/default",
             "{}",
             "/jwt/context/userId/default",
             "not an object"},
            {"list in a list",
             "/jwt/context/userId/default",
             "[[\"a\"]]",
             "/jwt/context/userId/default",
             "its elements"},
            {"null in a list",
             "/jwt/context/userId/default",
             "[null]",
             "/jwt/context/userId/default",
             "its elements"},
            {"element with the join string",
             "/jwt/context/roles/default",
             "[\"a,b\"]",
             "/jwt/context/roles/default",
             "contains the join string"},
            {"line end in a default",
             "/jwt/context/userId/default",
             "\"a\\r\\nX-Admin: 1\"",
             "/jwt/context/userId/default",
             "control character"},
            {"line end in an element",
             "/jwt/context/userId/default",
             "[\"a\\n\"]",
             "/jwt/context/userId/default",
             "control character"},
            {"line end in join",
             "/jwt/context/roles/join",
             "\"\\n\"",
             "/jwt/context/roles/join",
             "control character"},
            {"empty join",
             "/jwt/context/roles/join",
             "\"\"",
             "/jwt/context/roles/join",
             "is empty"},
            {"short form",
             "/jwt/context/userId",
             "\"sub\"",
             "/jwt/context/userId",
             "must be an object"},
        });
        check_acceptances(
            full_document(),
            {
                {"none at all", (kAt + "/jwt/context/userId/default").c_str(), "\"nobody\""},
                {"number default", (kAt + "/jwt/context/userId/default").c_str(), "0"},
                {"boolean default", (kAt + "/jwt/context/userId/default").c_str(), "false"},
                {"empty list default", (kAt + "/jwt/context/roles/default").c_str(), "[]"},
                {"pointer",
                 (kAt + "/jwt/context/userId/claim").c_str(),
                 "\"/realm_access/a~1b~0c\""},
                {"claim that is a URL",
                 (kAt + "/jwt/context/userId/claim").c_str(),
                 "\"https://example.org/roles\""},
            });
    }

    TEST_CASE("an empty context map stays empty") {
        Json document = minimal_document();
        document["apis"][0]["authorizers"]["jwt"]["jwt"]["context"] = Json::object();
        const Loaded loaded = load(document);
        REQUIRE(show(loaded.problems) == "");
        CHECK(jwt_of(loaded).context.empty());
    }

    TEST_CASE("resource is one of two words") {
        check_below({
            {"unknown word",
             "/jwt/resource",
             "\"api\"",
             "/jwt/resource",
             "allowed: \"stage\", \"method\""},
            {"together with statements",
             "/jwt/statements",
             "[{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\"}]",
             "/jwt/resource",
             "take one of the two away"},
        });
    }
}

}  // namespace parse_authorizer_test
