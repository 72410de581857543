#include "fixture.hpp"
#include "gatehouse/config/report.hpp"

namespace parse_access_keys_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

Json document() {
    Json base = minimal_document();
    base["accessKeys"] = {{{"accessKeyId", "AKIDEXAMPLE"},
                           {"secretAccessKey", "hush hush"},
                           {"principalId", "alice"}}};
    base["apis"][0]["routes"].push_back(
        {{"routeKey", "GET /iam"}, {"authorizer", "AWS_IAM"}, {"integration", {{"type", "MOCK"}}}});
    return base;
}

std::string scopes_at(const Json& base) {
    return "/apis/0/routes/" + std::to_string(base["apis"][0]["routes"].size() - 1) +
           "/authorizationScopes";
}

}  // namespace

TEST_SUITE("config/parse_access_keys") {
    TEST_CASE("a route of AWS_IAM is guarded by the access keys") {
        const Loaded loaded = load(document());
        REQUIRE(show(loaded.problems) == "");
        REQUIRE(loaded.model.access_keys.size() == 1);
        CHECK(loaded.model.access_keys[0].id == "AKIDEXAMPLE");
        CHECK(loaded.model.access_keys[0].secret == "hush hush");
        CHECK(loaded.model.access_keys[0].principal_id == "alice");
        const Authorizer& iam = loaded.model.apis.at(0).authorizers.back();
        CHECK(iam.name == "AWS_IAM");
        CHECK(iam.result_ttl == std::chrono::seconds(0));
        const std::string report = to_text(make_report(loaded.model));
        CHECK(report.find("AWS_IAM (SigV4, 1 access key)") != std::string::npos);
        CHECK(report.find("hush") == std::string::npos);
    }

    TEST_CASE("keys that cannot be used and routes that nobody could pass are refused") {
        Json base = document();
        const std::string scopes = scopes_at(base);
        check_refusals(
            base,
            {{"no id", "/accessKeys/0/accessKeyId", "", "/accessKeys/0", "is missing"},
             {"no secret", "/accessKeys/0/secretAccessKey", "", "/accessKeys/0", "is missing"},
             {"no principal", "/accessKeys/0/principalId", "", "/accessKeys/0", "is missing"},
             {"a slash",
              "/accessKeys/0/accessKeyId",
              "\"AK/ID\"",
              "/accessKeys/0/accessKeyId",
              "letters and digits"},
             {"empty secret",
              "/accessKeys/0/secretAccessKey",
              "\"\"",
              "/accessKeys/0/secretAccessKey",
              "is empty"},
             {"slip", "/accessKeys/0/secret", "\"x\"", "/accessKeys/0/secret", "unknown key"},
             {"scopes", scopes.c_str(), "[\"a\"]", scopes.c_str(), "a signature has no scopes"}});
        Json twice = base;
        twice["accessKeys"].push_back(twice["accessKeys"][0]);
        CHECK(has_problem(load(twice).problems, "/accessKeys/1/accessKeyId", "another element"));
        Json none = base;
        none.erase("accessKeys");
        CHECK(show(load(none).problems).find("no request could pass") != std::string::npos);
        Json hidden = base;
        hidden["accessKeys"][0]["secretAccessKey"] = "hush\nhush";
        CHECK(show(load(hidden).problems).find("hush") == std::string::npos);
        Json unused = minimal_document();
        unused["accessKeys"] = base["accessKeys"];
        CHECK(has_problem(load(unused).warnings, "/accessKeys", "no route's authorizer"));
    }
}

}  // namespace parse_access_keys_test
