#include "fixture.hpp"

namespace expand_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

// The value of a text after expansion, read back through a MOCK body, which takes any text.
std::string expanded(const std::string& text, std::map<std::string, std::string> variables = {}) {
    Json document = minimal_document();
    Json& integration = document["apis"][0]["routes"][0]["integration"];
    integration = Json{{"type", "MOCK"}};
    integration["responseTemplates"]["text/plain"] = text;
    const Loaded loaded = load(document, make_environment(std::move(variables)));
    REQUIRE(show(loaded.problems) == "");
    return loaded.model.apis.at(0).routes.at(0).integration.response_templates.at("text/plain");
}

}  // namespace

TEST_SUITE("config/expand") {
    TEST_CASE("references are replaced and everything else is left alone") {
        struct Row {
            const char* name;
            const char* text;
            const char* want;
        };

        const Row rows[] = {
            {"whole", "${HOST}", "example.org"},
            {"inside", "a${HOST}b", "aexample.orgb"},
            {"twice", "${HOST}${HOST}", "example.orgexample.org"},
            {"default unused", "${HOST:-other}", "example.org"},
            {"default used", "${NOT_SET:-other}", "other"},
            {"empty default", "[${NOT_SET:-}]", "[]"},
            {"default for an empty variable", "${EMPTY:-other}", "other"},
            {"empty variable", "[${EMPTY}]", "[]"},
            {"default with colon and dollar", "${NOT_SET:-http://x:1/$y}", "http://x:1/$y"},
            {"underscore and digits", "${_A1}", "under"},
            {"lower case", "${host}", "${host}"},
            {"mixed case", "${HOSt}", "${HOSt}"},
            {"dotted", "${claims.sub}", "${claims.sub}"},
            {"digit first", "${1A}", "${1A}"},
            {"other shell form", "${HOST-x}", "${HOST-x}"},
            {"no name", "${}", "${}"},
            {"not closed", "${HOST", "${HOST"},
            {"default not closed", "${HOST:-x", "${HOST:-x"},
            {"escaped", "$${HOST}", "${HOST}"},
            {"escaped other", "$${claims.sub}", "${claims.sub}"},
            {"dollar before escaped", "$$${HOST}", "$${HOST}"},
            {"plain dollar", "$HOST and $5", "$HOST and $5"},
            {"values are not read again", "${NESTED}", "${HOST}"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(expanded(row.text,
                           {{"HOST", "example.org"},
                            {"EMPTY", ""},
                            {"_A1", "under"},
                            {"NESTED", "${HOST}"}}) == row.want);
        }
    }

    TEST_CASE("a whole reference may stand for a number or a boolean") {
        Json document = full_document();
        document["threads"] = "${THREADS}";
        document["listeners"][0]["port"] = "${PORT:-9000}";
        document["apis"][0]["methodOverride"] = "${OVERRIDE}";
        document["apis"][0]["contextHeaders"] = "${HEADERS}";
        document["apis"][0]["gatewayResponses"]["UNAUTHORIZED"]["statusCode"] = "${STATUS}";
        const Loaded loaded = load(
            document,
            make_environment(
                {{"THREADS", "3"}, {"OVERRIDE", "true"}, {"HEADERS", "false"}, {"STATUS", "403"}}));
        REQUIRE(show(loaded.problems) == "");
        CHECK(loaded.model.threads == 3);
        CHECK(loaded.model.listeners.at(0).port == 9000);
        CHECK(loaded.model.apis.at(0).method_override);
        CHECK_FALSE(loaded.model.apis.at(0).context_headers.enabled);
        CHECK(loaded.model.apis.at(0).gateway_responses.at("UNAUTHORIZED").status_code == 403);
    }

    TEST_CASE("what a reference brings is checked as if it stood there") {
        struct Row {
            const char* name;
            const char* at;
            const char* value;
            const char* words;
        };

        const Row rows[] = {
            {"no number",
             "/threads",
             "\"${TEXT}\"",
             "must be a whole number, not what its environment variable holds"},
            {"number out of range", "/threads", "\"${BIG}\"", "is 99999; allowed: 0 to 1024"},
            {"number with more behind it", "/threads", "\"${MORE}\"", "must be a whole number"},
            {"number with a space", "/threads", "\"${SPACE}\"", "must be a whole number"},
            {"number that overflows", "/threads", "\"${HUGE}\"", "must be a whole number"},
            {"two references are no number",
             "/threads",
             "\"${ONE}${ONE}\"",
             "must be a whole number"},
            {"reference and text are no number",
             "/threads",
             "\"1${ONE}\"",
             "must be a whole number"},
            {"no boolean", "/apis/0/methodOverride", "\"${TEXT}\"", "must be true or false"},
            {"boolean in capitals",
             "/apis/0/methodOverride",
             "\"${TRUE}\"",
             "must be true or false"},
            {"no choice",
             "/apis/0/headerHandling",
             "\"${TEXT}\"",
             "allowed: \"service\", \"plain\""},
            {"context headers are never true",
             "/apis/0/contextHeaders",
             "\"${TEXT}\"",
             "must be false"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json document = full_document();
            change(document, row.at, row.value);
            const Loaded loaded = load(document,
                                       make_environment({{"TEXT", "pear"},
                                                         {"BIG", "99999"},
                                                         {"MORE", "1x"},
                                                         {"SPACE", " 1"},
                                                         {"HUGE", "99999999999999999999"},
                                                         {"ONE", "1"},
                                                         {"TRUE", "TRUE"}}));
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            CHECK(loaded.problems.size() == 1);
            CHECK(has_problem(loaded.problems, row.at, row.words));
        }
    }

    TEST_CASE("a variable that is unset and has no default is the one problem at its place") {
        const char* places[] = {"/listeners/0/address",
                                "/listeners/0/port",
                                "/admin/token",
                                "/threads",
                                "/apis/0/name",
                                "/apis/0/domainNames",
                                "/apis/0/methodOverride",
                                "/apis/0/contextHeaders",
                                "/apis/0/stageVariables/backend",
                                "/apis/0/authorizers/jwt/type",
                                "/apis/0/authorizers/jwt/authorizerUri",
                                "/apis/0/authorizers/jwt/jwt/issuer",
                                "/apis/0/authorizers/jwt/jwt/jwksUri",
                                "/apis/0/authorizers/jwt/jwt/context/tenantId/default",
                                "/apis/0/routes/0/routeKey",
                                "/apis/0/routes/1/authorizer",
                                "/apis/0/routes/1/integration/uri",
                                "/apis/0/gatewayResponses/UNAUTHORIZED/statusCode"};
        for (const char* place : places) {
            CAPTURE(place);
            Json document = full_document();
            document[Json::json_pointer(place)] = "${NOT_SET}";
            const Loaded loaded = load(document);
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            CHECK(has_problem(loaded.problems, place, "environment variable NOT_SET is not set"));
            for (const Problem& problem : loaded.problems) {
                CHECK(problem.pointer.find(place) != std::string::npos);
            }
        }
    }

    TEST_CASE("a variable that is not UTF-8 is refused without showing it") {
        Json document = minimal_document();
        document["apis"][0]["name"] = "${BAD}";
        const Loaded loaded = load(document, make_environment({{"BAD", "secret\xff"}}));
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].message == "environment variable BAD is not UTF-8");
    }

    TEST_CASE("keys are never expanded") {
        Json document = minimal_document();
        document["apis"][0]["${KEY}"] = 1;
        const Loaded loaded = load(document, make_environment({{"KEY", "name"}}));
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].message.find("unknown key") != std::string::npos);
    }

    TEST_CASE("GATEHOUSE_ADMIN_TOKEN counts where the file says no token") {
        const Environment environment =
            make_environment({{"GATEHOUSE_ADMIN_TOKEN", "correct-horse-battery"}});

        struct Row {
            const char* name;
            const char* admin;
            const char* token;
        };

        for (const Row& row : {Row{"no admin", "", "correct-horse-battery"},
                               Row{"no token", "{}", "correct-horse-battery"},
                               Row{"a token", R"({"token": "other"})", "other"},
                               Row{"no token on purpose", R"({"token": ""})", ""}}) {
            CAPTURE(row.name);
            Json document = minimal_document();
            if (row.admin[0] != '\0') document["admin"] = parse_document(row.admin);
            const Loaded loaded = load(document, environment);
            CHECK(show(loaded.problems) == "");
            CHECK(loaded.model.admin.token == row.token);
        }
        Json document = minimal_document();
        document["admin"] = nullptr;
        CHECK(show(load(document, environment).problems).find("must be an object, not null") !=
              std::string::npos);
    }
}

}  // namespace expand_test
