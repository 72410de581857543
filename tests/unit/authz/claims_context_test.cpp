#include "../../../src/authz/claims_context.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace claims_context_test {

using namespace gatehouse;
using namespace gatehouse::authz;
using Kind = ContextItem::Kind;

namespace {

Json json(std::string_view text) {
    auto parsed = parse_json(text);
    REQUIRE(parsed.has_value());
    return *parsed;
}

}  // namespace

TEST_SUITE("authz/claims_context") {
    TEST_CASE("a claim becomes the text of its context key") {
        struct Row {
            const char* name;
            std::string claims;
            std::string claim;
            std::optional<std::string> want;
            Kind kind = Kind::string;
        };

        const Row rows[] = {
            {"text", R"({"c":"v"})", "c", "v"},
            {"empty text", R"({"c":""})", "c", ""},
            {"text that looks like a list", R"({"c":"a,b"})", "c", "a,b"},
            {"UTF-8", R"({"c":"\u00e4"})", "c", "\xc3\xa4"},
            {"integer", R"({"c":7})", "c", "7", Kind::number},
            {"negative", R"({"c":-7})", "c", "-7", Kind::number},
            {"largest", R"({"c":18446744073709551615})", "c", "18446744073709551615", Kind::number},
            {"whole double", R"({"c":100000.0})", "c", "100000", Kind::number},
            {"fraction", R"({"c":0.1})", "c", "0.1", Kind::number},
            {"time with a fraction", R"({"c":1767225600.5})", "c", "1767225600.5", Kind::number},
            {"large double", R"({"c":1e300})", "c", "1e+300", Kind::number},
            {"true", R"({"c":true})", "c", "true", Kind::boolean},
            {"false", R"({"c":false})", "c", "false", Kind::boolean},
            {"list", R"({"c":["a","b"]})", "c", "a,b"},
            {"list of one", R"({"c":["a"]})", "c", "a"},
            {"mixed list", R"({"c":["a",1,true]})", "c", "a,1,true"},
            {"null in a list", R"({"c":[null,"a",null]})", "c", "a"},
            {"empty list", R"({"c":[]})", "c", ""},
            {"namespaced name",
             R"({"https://x.example/roles":["a"]})",
             "https://x.example/roles",
             "a"},
            {"name with a dot", R"({"a.b":"v","a":{"b":"w"}})", "a.b", "v"},
            {"pointer", R"({"a":{"b":"v"}})", "/a/b", "v"},
            {"pointer into a list", R"({"a":["x","y"]})", "/a/1", "y"},
            {"pointer with escapes", R"({"a/b":{"c~d":"v"}})", "/a~1b/c~0d", "v"},
            {"pointer to a top-level name", R"({"/a":"v"})", "/~1a", "v"},
            {"absent", R"({"d":"v"})", "c", std::nullopt},
            {"null", R"({"c":null})", "c", std::nullopt},
            {"other case", R"({"C":"v"})", "c", std::nullopt},
            {"pointer past the end", R"({"a":["x"]})", "/a/1", std::nullopt},
            {"pointer with a leading zero", R"({"a":["x","y"]})", "/a/01", std::nullopt},
            {"pointer to the element after the last", R"({"a":["x"]})", "/a/-", std::nullopt},
            {"pointer with a sign", R"({"a":["x","y"]})", "/a/+1", std::nullopt},
            {"pointer through text", R"({"a":"x"})", "/a/b", std::nullopt},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const ContextRule rule{"key", row.claim, std::nullopt, ","};
            const auto map = ContextMap::make({&rule, 1});
            REQUIRE(map.has_value());
            const auto context = map->apply(json(row.claims));
            REQUIRE(context.has_value());
            REQUIRE(context->size() == (row.want ? 1 : 0));
            if (!row.want) continue;
            CHECK(context->front().key == "key");
            CHECK(context->front().value == *row.want);
            CHECK(context->front().kind == row.kind);
        }
    }

    TEST_CASE("a claim that cannot be text without loss refuses the token") {
        struct Row {
            const char* name;
            std::string claims;
            std::string join = ",";
        };

        const Row rows[] = {
            {"object", R"({"c":{"a":1}})"},
            {"empty object", R"({"c":{}})"},
            {"list in a list", R"({"c":[["a"]]})"},
            {"object in a list", R"({"c":["a",{"b":1}]})"},
            {"element with the join string", R"({"c":["user,admin"]})"},
            {"element that ends with it", R"({"c":["user,","admin"]})"},
            {"element that is it", R"({"c":[","]})"},
            {"number with the join string", R"({"c":[1.5]})", "."},
            {"longer join string inside", R"({"c":["a::b","c"]})", "::"},
            {"join string across an element's end", R"({"c":["a:","b"]})", "::"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const ContextRule rule{"key", "c", Json("fallback"), row.join};
            const auto map = ContextMap::make({&rule, 1});
            REQUIRE(map.has_value());
            const auto context = map->apply(json(row.claims));
            REQUIRE_FALSE(context.has_value());
            CHECK(context.error().errc() == Errc::token_claim_unusable);
            CHECK(context.error().detail.find("admin") == std::string::npos);
        }
    }

    TEST_CASE("a default stands for an absent claim only") {
        const std::vector<ContextRule> rules = {
            {"userId", "sub", std::nullopt, ","},
            {"tenantId", "tenant_id", Json("default"), ","},
            {"roles", "roles", Json{"user", "guest"}, "|"},
            {"level", "level", Json(3), ","},
            {"flag", "flag", Json(false), ","},
        };
        const auto map = ContextMap::make(rules);
        REQUIRE(map.has_value());
        const auto absent = map->apply(json(R"({"sub":"u","tenant_id":null})"));
        REQUIRE(absent.has_value());
        REQUIRE(absent->size() == 5);
        CHECK((*absent)[0].value == "u");
        CHECK((*absent)[1].value == "default");
        CHECK((*absent)[2].value == "user|guest");
        CHECK((*absent)[3].value == "3");
        CHECK((*absent)[3].kind == Kind::number);
        CHECK((*absent)[4].value == "false");
        CHECK((*absent)[4].kind == Kind::boolean);
        const auto present =
            map->apply(json(R"({"tenant_id":"","roles":[],"level":"x","flag":true})"));
        REQUIRE(present.has_value());
        REQUIRE(present->size() == 4);
        CHECK((*present)[0].value == "");
        CHECK((*present)[1].value == "");
        CHECK((*present)[2].value == "x");
        CHECK((*present)[3].value == "true");
    }

    TEST_CASE("a faulty rule names its place") {
        struct Row {
            const char* name;
            ContextRule rule;
            std::string_view place;
        };

        const Row rows[] = {
            {"empty claim", {"k", "", std::nullopt, ","}, "/context/k/claim: "},
            {"bad escape", {"k", "/a~2", std::nullopt, ","}, "/context/k/claim: "},
            {"escape at the end", {"k", "/a~", std::nullopt, ","}, "/context/k/claim: "},
            {"empty key", {"", "c", std::nullopt, ","}, "/context/: "},
            {"empty join", {"k", "c", std::nullopt, ""}, "/context/k/join: "},
            {"object as default", {"k", "c", Json::object(), ","}, "/context/k/default: "},
            {"null as default", {"k", "c", Json(), ","}, "/context/k/default: "},
            {"default with the join string",
             {"k", "c", Json{"a,b", "c"}, ","},
             "/context/k/default: "},
            {"a key with a slash", {"a/b~c", "", std::nullopt, ","}, "/context/a~1b~0c/claim: "},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto map = ContextMap::make({&row.rule, 1});
            REQUIRE_FALSE(map.has_value());
            CHECK(map.error().errc() == Errc::config_invalid);
            CHECK(map.error().detail.starts_with(row.place));
        }
    }

    TEST_CASE("claims are strings and the context lies on top") {
        const Json claims =
            json(R"({"sub":"u1","exp":1767225600,"rate":0.5,"ok":true,"none":null,"roles":["a","b"],
            "odd":["a,b","c"],"deep":[["x"]],"address":{"city":"B"},"empty":[]})");
        const std::vector<ContextItem> context = {{"userId", "u1", Kind::string},
                                                  {"roles", "a|b", Kind::string}};
        const Json texts = stringify_claims(claims, context);
        const Json want = {{"sub", "u1"},
                           {"exp", "1767225600"},
                           {"rate", "0.5"},
                           {"ok", "true"},
                           {"roles", "a|b"},
                           {"odd", R"(["a,b","c"])"},
                           {"deep", R"([["x"]])"},
                           {"address", R"({"city":"B"})"},
                           {"empty", ""},
                           {"userId", "u1"}};
        CHECK(texts == want);
    }

    TEST_CASE("an HTTP API shows lists as Go does, where that can be read back") {
        const Json claims = Json::parse(
            R"({"sub":"u","exp":1767225600,"ok":true,"groups":["a","b"],"one":["a"],"empty":[],
                "odd":["a b","c"],"bracket":["a]"],"blank":[""],"deep":[["x"]],"o":{"a":1},"n":null})");
        const Json want = {{"sub", "u"},
                           {"exp", "1767225600"},
                           {"ok", "true"},
                           {"groups", "[a b]"},
                           {"one", "[a]"},
                           {"empty", "[]"},
                           {"odd", R"(["a b","c"])"},
                           {"bracket", R"(["a]"])"},
                           {"blank", R"([""])"},
                           {"deep", R"([["x"]])"},
                           {"o", R"({"a":1})"}};
        CHECK(stringify_claims_for_http(claims) == want);
    }

    TEST_CASE("scopes are the whole words of scope or else of scp") {
        struct Row {
            const char* name;
            std::string claims;
            std::vector<std::string> want;
        };

        const Row rows[] = {
            {"scope", R"({"scope":"read write"})", {"read", "write"}},
            {"one word", R"({"scope":"read"})", {"read"}},
            {"extra spaces", R"({"scope":"  read   write "})", {"read", "write"}},
            {"scp text", R"({"scp":"read write"})", {"read", "write"}},
            {"scp list", R"({"scp":["read","write"]})", {"read", "write"}},
            {"an element of scp is one scope", R"({"scp":["read write"]})", {"read write"}},
            {"scope before scp", R"({"scope":"a","scp":["b"]})", {"a"}},
            {"scope that is null", R"({"scope":null,"scp":["b"]})", {"b"}},
            {"a tab is no space", "{\"scope\":\"a\\tb\"}", {"a\tb"}},
            {"neither", R"({"sub":"u"})", {}},
            {"empty", R"({"scope":""})", {}},
            {"number", R"({"scope":7})", {}},
            {"object", R"({"scp":{"read":true}})", {}},
            {"numbers in a list", R"({"scp":[1,"read"]})", {"read"}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(read_scopes(json(row.claims)) == row.want);
        }
    }
}

}  // namespace claims_context_test
