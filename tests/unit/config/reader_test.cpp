#include "fixture.hpp"

#include <set>

namespace reader_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

// Every value of a document by pointer.
void list_places(const Json& value, const std::string& pointer, std::vector<std::string>& into) {
    into.push_back(pointer);
    if (value.is_object()) {
        for (const auto& [key, member] : value.items()) {
            list_places(
                member, pointer + "/" + (Json::json_pointer() / key).to_string().substr(1), into);
        }
    }
    for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) {
        list_places(value[i], pointer + "/" + std::to_string(i), into);
    }
}

std::vector<std::string> places_of(const Json& document) {
    std::vector<std::string> places;
    list_places(document, "", places);
    return places;
}

}  // namespace

TEST_SUITE("config/reader") {
    TEST_CASE("a value of the wrong type is a problem wherever it stands") {
        // This also proves that no key is accepted and then ignored: each one is read.
        const Json base = full_document();
        for (const std::string& place : places_of(base)) {
            CAPTURE(place);
            Json document = base;
            const Json::json_pointer at(place);
            document[at] = document[at].is_array() ? Json::object() : Json::array({nullptr});
            if (place.ends_with("/tenantId/default") || place.ends_with("/roles/default"))
                document[at] = Json::object();
            const Loaded loaded = load(document);
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            CHECK_FALSE(loaded.problems.empty());
            bool here = false;
            const std::string reported =
                place.ends_with("/default/0") ? place.substr(0, place.size() - 2) : place;
            for (const Problem& problem : loaded.problems)
                here = here || problem.pointer.starts_with(reported);
            CHECK(here);
        }
    }

    TEST_CASE("null stands for nothing") {
        const Json base = full_document();
        for (const std::string& place : places_of(base)) {
            CAPTURE(place);
            Json document = base;
            document[Json::json_pointer(place)] = nullptr;
            CHECK_FALSE(load(document).problems.empty());
        }
    }

    TEST_CASE("an unknown key is refused in every object with fixed keys") {
        const std::set<std::string> own_keys = {
            "/apis/0/stageVariables",
            "/apis/0/authorizers",
            "/apis/0/authorizers/jwt/jwt/context",
            "/apis/0/routes/0/integration/requestParameters",
            "/apis/0/routes/1/integration/requestParameters",
            "/apis/0/routes/2/integration/responseTemplates",
            "/apis/0/gatewayResponses",
            "/apis/0/gatewayResponses/UNAUTHORIZED/responseParameters",
            "/apis/0/gatewayResponses/UNAUTHORIZED/responseTemplates"};
        const Json base = full_document();
        int objects = 0;
        for (const std::string& place : places_of(base)) {
            if (!base[Json::json_pointer(place)].is_object() || own_keys.contains(place)) continue;
            CAPTURE(place);
            Json document = base;
            document[Json::json_pointer(place)]["zzzzz"] = 1;
            const Loaded loaded = load(document);
            CHECK(loaded.problems.size() == 1);
            CHECK(
                has_problem(loaded.problems, place + "/zzzzz", "unknown key \"zzzzz\"; allowed: "));
            ++objects;
        }
        CHECK(objects == 21);
    }

    TEST_CASE("keys that are nearly right get a suggestion") {
        check_refusals(
            full_document(),
            {
                {"one letter", "/lisseners", "[]", "/lisseners", "did you mean \"listeners\"?"},
                {"what is allowed is said too",
                 "/admin/prot",
                 "1",
                 "/admin/prot",
                 "unknown key \"prot\"; allowed: \"address\", \"port\", \"token\"; did you mean "
                 "\"port\"?"},
                {"case",
                 "/apis/0/basepath",
                 "\"/\"",
                 "/apis/0/basepath",
                 "did you mean \"basePath\"?"},
                {"swap",
                 "/apis/0/routes/0/authroizer",
                 "\"jwt\"",
                 "/apis/0/routes/0/authroizer",
                 "did you mean \"authorizer\"?"},
                {"British",
                 "/apis/0/authorisers",
                 "{}",
                 "/apis/0/authorisers",
                 "did you mean \"authorizers\"?"},
                {"unit left out",
                 "/timeouts/header",
                 "1",
                 "/timeouts/header",
                 "unknown key \"header\"; allowed: \"headerInMillis\""},
                {"far off",
                 "/nginx",
                 "1",
                 "/nginx",
                 "unknown key \"nginx\"; allowed: \"$schema\", \"listeners\""},
                {"empty", "/apis/0/", "1", "/apis/0/", "unknown key \"\""},
            });
    }

    TEST_CASE("keys of capabilities that are not built are refused by name") {
        struct Row {
            const char* object;
            std::vector<const char*> keys;
        };

        const Row rows[] = {
            {"/apis/0/routes/0", {"allowUpgrade"}},
        };
        for (const Row& row : rows) {
            for (const char* key : row.keys) {
                CAPTURE(row.object);
                CAPTURE(key);
                Json document = full_document();
                document[Json::json_pointer(row.object)][key] = Json::object();
                const Loaded loaded = load(document);
                CHECK(loaded.problems.size() == 1);
                CHECK(has_problem(loaded.problems,
                                  std::string(row.object) + "/" + key,
                                  "\"" + std::string(key) +
                                      "\" is not supported by this version of Gatehouse yet"));
            }
        }
    }

    TEST_CASE("a wrong type says what is wanted and what is there") {
        check_refusals(
            full_document(),
            {
                {"number in quotes",
                 "/threads",
                 "\"4\"",
                 "/threads",
                 "must be a whole number, not a string; write 4 without quotes"},
                {"boolean in quotes",
                 "/apis/0/methodOverride",
                 "\"true\"",
                 "/apis/0/methodOverride",
                 "not a string; write true without quotes"},
                {"fraction", "/threads", "1.5", "/threads", "not a number with a fraction"},
                {"whole number with a point",
                 "/threads",
                 "1.0",
                 "/threads",
                 "not a number with a fraction"},
                {"boolean for a number",
                 "/threads",
                 "true",
                 "/threads",
                 "not a boolean; allowed: 0 to 1024"},
                {"number for a string",
                 "/apis/0/name",
                 "1",
                 "/apis/0/name",
                 "must be a string, not a number"},
                {"number for a boolean",
                 "/apis/0/methodOverride",
                 "1",
                 "/apis/0/methodOverride",
                 "must be true or false, not a number"},
                {"string for a list",
                 "/apis/0/domainNames",
                 "\"a\"",
                 "/apis/0/domainNames",
                 "must be a list of strings, not a string"},
                {"number in a list of strings",
                 "/apis/0/domainNames",
                 "[\"a\", 1]",
                 "/apis/0/domainNames/1",
                 "must be a string, not a number"},
                {"list for an object", "/limits", "[]", "/limits", "must be an object, not a list"},
                {"object for a list",
                 "/apis/0/routes",
                 "{}",
                 "/apis/0/routes",
                 "must be a list, not an object"},
                {"more than 64 bits",
                 "/threads",
                 "18446744073709551615",
                 "/threads",
                 "allowed: 0 to 1024"},
            });
    }

    TEST_CASE("numbers are taken to their limits and no further") {
        struct Row {
            const char* at;
            long long least;
            long long most;
        };

        const Row rows[] = {
            {"/threads", 0, 1024},
            {"/admin/port", 0, 65535},
            {"/listeners/0/port", 0, 65535},
            {"/limits/requestLineBytes", 256, 65536},
            {"/limits/headerBytes", 256, 65536},
            {"/limits/headerCount", 1, 1000},
            {"/limits/bodyBytes", 0, 1LL << 40},
            {"/limits/connections", 1, 1000000},
            {"/limits/connectionsPerAddress", 0, 1000000},
            {"/limits/requestsPerConnection", 0, 1000000000},
            {"/limits/upstreamHeaderBytes", 256, 1 << 20},
            {"/limits/upstreamHeaderCount", 1, 10000},
            {"/limits/bufferedBytes", 0, 1LL << 40},
            {"/limits/cacheEntries", 1, 100000000},
            {"/limits/cacheBytes", 1 << 20, 1LL << 40},
            {"/timeouts/headerInMillis", 1, 3600000},
            {"/timeouts/bodyInMillis", 1, 3600000},
            {"/timeouts/bodyTotalInMillis", 1, 3600000},
            {"/timeouts/keepAliveInMillis", 1, 3600000},
            {"/timeouts/writeInMillis", 1, 3600000},
            {"/timeouts/connectInMillis", 1, 3600000},
            {"/timeouts/upstreamIdleInMillis", 1, 3600000},
            {"/timeouts/drainInMillis", 1, 3600000},
            {"/apis/0/authorizers/jwt/authorizerResultTtlInSeconds", 0, 3600},
            {"/apis/0/authorizers/jwt/jwt/clockSkewInSeconds", 0, 300},
            {"/apis/0/authorizers/jwt/jwt/jwks/refreshInSeconds",
             1,
             3600},  // maxStaleInSeconds is 3600 here
            {"/apis/0/authorizers/jwt/jwt/jwks/cooldownInSeconds", 1, 3600},
            {"/apis/0/authorizers/jwt/jwt/jwks/maxStaleInSeconds", 300, 604800},
            {"/apis/0/authorizers/jwt/jwt/jwks/timeoutInMillis", 50, 30000},
            {"/apis/0/routes/0/integration/timeoutInMillis", 50, 29000},
            {"/apis/0/routes/2/integration/statusCode", 200, 599},
            {"/apis/0/gatewayResponses/UNAUTHORIZED/statusCode", 200, 599},
        };
        const Json base = full_document();
        for (const Row& row : rows) {
            CAPTURE(row.at);
            const auto problems_with = [&](long long value) {
                Json document = base;
                document[Json::json_pointer(row.at)] = value;
                return show(load(document).problems);
            };
            CHECK(problems_with(row.least) == "");
            CHECK(problems_with(row.most) == "");
            CHECK(problems_with(row.least - 1) != "");
            CHECK(problems_with(row.most + 1) != "");
            CHECK(problems_with(-9223372036854775807LL) != "");
        }
    }

    TEST_CASE("what is needed and missing is named at its object") {
        check_refusals(full_document(),
                       {
                           {"apis", "/apis", "", "", "\"apis\" is missing"},
                           {"name", "/apis/0/name", "", "/apis/0", "\"name\" is missing"},
                           {"routes",
                            "/apis/0/authorizers/jwt/type",
                            "",
                            "/apis/0/authorizers/jwt",
                            "\"type\" is missing"},
                           {"authorizerUri",
                            "/apis/0/authorizers/jwt/authorizerUri",
                            "",
                            "/apis/0/authorizers/jwt",
                            "\"authorizerUri\" is missing"},
                           {"jwt",
                            "/apis/0/authorizers/jwt/jwt",
                            "",
                            "/apis/0/authorizers/jwt",
                            "\"jwt\" is missing"},
                           {"issuer",
                            "/apis/0/authorizers/jwt/jwt/issuer",
                            "",
                            "/apis/0/authorizers/jwt/jwt",
                            "\"issuer\" is missing"},
                           {"audience",
                            "/apis/0/authorizers/jwt/jwt/audience",
                            "",
                            "/apis/0/authorizers/jwt/jwt",
                            "\"audience\" is missing"},
                           {"claim",
                            "/apis/0/authorizers/jwt/jwt/context/userId/claim",
                            "",
                            "/apis/0/authorizers/jwt/jwt/context/userId",
                            "\"claim\" is missing"},
                           {"routeKey",
                            "/apis/0/routes/2/routeKey",
                            "",
                            "/apis/0/routes/2",
                            "\"routeKey\" is missing"},
                           {"integration",
                            "/apis/0/routes/2/integration",
                            "",
                            "/apis/0/routes/2",
                            "\"integration\" is missing"},
                           {"integration type",
                            "/apis/0/routes/2/integration/type",
                            "",
                            "/apis/0/routes/2/integration",
                            "\"type\" is missing"},
                           {"uri",
                            "/apis/0/routes/0/integration/uri",
                            "",
                            "/apis/0/routes/0/integration",
                            "\"uri\" is missing"},
                       });
    }
}

}  // namespace reader_test
