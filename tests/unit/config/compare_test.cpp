#include "gatehouse/config/compare.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace compare_test {

using namespace gatehouse;
using namespace gatehouse::config;

namespace {

Json document() {
    return parse_json(R"({
        "limits": { "headerCount": 50 },
        "functions": { "f": { "endpoint": "http://127.0.0.1:9" } },
        "upstreams": { "u": { "targets": ["http://127.0.0.1:9"] } },
        "apis": [ { "name": "users",
            "stageVariables": { "a": "1" },
            "authorizers": {
                "jwt": { "type": "TOKEN", "jwt": { "issuer": "i", "statements": [ { "Effect": "Allow" } ] } },
                "other": { "type": "TOKEN" } },
            "routes": [ { "routeKey": "GET /a", "authorizer": "jwt" },
                        { "routeKey": "GET /b", "authorizer": "NONE" } ] } ] })")
        .value();
}

}  // namespace

TEST_SUITE("config/compare") {
    TEST_CASE("a document does not differ from itself") {
        const Changes none = compare(document(), document());
        CHECK(none.empty());
        CHECK(to_text(none) == "nothing");
        CHECK(to_json(none) == Json::object());
    }

    TEST_CASE("each part is told by its name and by nothing of its value") {
        struct Row {
            const char* name;
            const char* pointer;
            Json value;  // null: taken away
            const char* want;
        };

        const std::vector<Row> rows = {
            {"limit", "/limits/headerCount", 51, "settings: ~limits"},
            {"new setting", "/threads", 1, "settings: +threads"},
            {"setting gone", "/limits", nullptr, "settings: -limits"},
            {"schema is no setting", "/$schema", "x", "nothing"},
            {"function", "/functions/f/endpoint", "secret", "functions: ~f"},
            {"function gone", "/functions", nullptr, "functions: -f"},
            {"upstream", "/upstreams/u/targets/0", "secret", "upstreams: ~u"},
            {"upstream gone", "/upstreams/u", nullptr, "upstreams: -u"},
            {"of an API", "/apis/0/stageVariables/a", "secret", "settings: ~users: stageVariables"},
            {"route's guard", "/apis/0/routes/1/authorizer", "jwt", "routes: ~users: GET /b"},
            {"route's key",
             "/apis/0/routes/1/routeKey",
             "GET /c",
             "routes: +users: GET /c, -users: GET /b"},
            {"issuer", "/apis/0/authorizers/jwt/jwt/issuer", "j", "authorizers: ~users: jwt"},
            {"policy",
             "/apis/0/authorizers/jwt/jwt/statements/0/Effect",
             "Deny",
             "authorizers: ~users: jwt; policies: ~users: jwt"},
            {"policy gone",
             "/apis/0/authorizers/jwt/jwt/statements",
             nullptr,
             "authorizers: ~users: jwt; policies: ~users: jwt"},
            {"authorizer gone", "/apis/0/authorizers/other", nullptr, "authorizers: -users: other"},
            {"API's name", "/apis/0/name", "people", "apis: +people, -users"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json after = document();
            const Json::json_pointer pointer(row.pointer);
            if (row.value.is_null()) {
                after[pointer.parent_pointer()].erase(pointer.back());
            } else {
                after[pointer] = row.value;
            }
            const Changes changes = compare(document(), after);
            CHECK(to_text(changes) == row.want);
            CHECK(dump_json(to_json(changes)).find("secret") == std::string::npos);
        }
    }

    TEST_CASE("the order of routes counts for nothing") {
        Json after = document();
        std::swap(after["apis"][0]["routes"][0], after["apis"][0]["routes"][1]);
        CHECK(compare(document(), after).routes.empty());
    }

    TEST_CASE("what is bound or running takes a restart") {
        const Model before;
        Model after;
        CHECK(find_fixed_changes(before, after).empty());
        after.limits.header_count = 7;
        after.admin.token = "secret";
        CHECK(find_fixed_changes(before, after).empty());
        after.threads = 3;
        after.admin.port = 1;
        after.listeners.push_back({"127.0.0.1", 1});
        after.decision.emplace();
        after.shared.emplace();
        CHECK(find_fixed_changes(before, after) ==
              std::vector<std::string>{"listeners", "admin", "threads", "decision", "shared"});
        Model same = after;
        CHECK(find_fixed_changes(after, same).empty());
        same.shared->password = "other";
        CHECK(find_fixed_changes(after, same) == std::vector<std::string>{"shared"});
    }
}

}  // namespace compare_test
