#include "../../../src/authz/statements.hpp"

#include "gatehouse/core/limits.hpp"
#include "gatehouse/policy/evaluate.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace statements_test {

using namespace gatehouse;
using authz::PolicyMemo;
using authz::ResourceTemplate;
using authz::StatementSet;

namespace {

constexpr std::string_view kPrefix = "arn:aws:execute-api:us-east-1:123456789012:local/prod/";

std::string arn(std::string_view rest) {
    return std::string(kPrefix).append(rest);
}

Json json(std::string_view text) {
    auto parsed = parse_json(text);
    REQUIRE(parsed.has_value());
    return *parsed;
}

policy::Outcome judge(const policy::Document& document, std::string_view rest) {
    const std::string text = arn(rest);
    return policy::evaluate(document, {text, {}}, {}).outcome;
}

constexpr auto kAllow = policy::Outcome::allow;
constexpr auto kDeny = policy::Outcome::explicit_deny;
constexpr auto kNone = policy::Outcome::implicit_deny;

}  // namespace

TEST_SUITE("authz/statements") {
    TEST_CASE("placeholders are filled and what fills them is literal") {
        struct Row {
            const char* name;
            std::string text;
            std::string claims;
            std::optional<std::string> want;
        };

        const Row rows[] = {
            {"none", "arn:aws:*", "{}", "arn:aws:*"},
            {"stage alone", "${stageArn}", "{}", arn("*")},
            {"stage before a path", "${stageArn}/GET/items", "{}", arn("GET/items")},
            {"stage before a star", "${stageArn}/*", "{}", arn("*")},
            {"method", "${methodArn}", "{}", arn("GET/a${*}b")},
            {"claim", "${claims.t}/*", R"({"t":"t1"})", "t1/*"},
            {"two claims", "${claims.a}${claims.b}", R"({"a":"x","b":"y"})", "xy"},
            {"number", "n/${claims.n}", R"({"n":42})", "n/42"},
            {"boolean", "b/${claims.b}", R"({"b":true})", "b/true"},
            {"pointer", "${claims./org/id}", R"({"org":{"id":"o1"}})", "o1"},
            {"namespaced name",
             "${claims.https://x.example/t}",
             R"({"https://x.example/t":"v"})",
             "v"},
            {"a star in a claim", "a/${claims.t}", R"({"t":"*"})", "a/${*}"},
            {"a question mark in a claim", "a/${claims.t}", R"({"t":"?"})", "a/%3F"},
            {"what a path encodes", "a/${claims.t}", R"({"t":"auth0|u 1%"})", "a/auth0%7Cu%201%25"},
            {"beyond ASCII", "a/${claims.t}", R"({"t":"é"})", "a/%C3%A9"},
            {"what a path leaves", "a/${claims.t}", R"({"t":"a:b@c/d+e"})", "a/a:b@c/d+e"},
            {"a placeholder in a claim",
             "a/${claims.t}",
             R"({"t":"${stageArn}"})",
             "a/${$}%7BstageArn%7D"},
            {"the policy's own escapes", "a/${*}${?}${$}", "{}", "a/${*}${?}${$}"},
            {"absent claim", "a/${claims.t}", "{}", std::nullopt},
            {"null claim", "a/${claims.t}", R"({"t":null})", std::nullopt},
            {"a list", "a/${claims.t}", R"({"t":["x"]})", std::nullopt},
            {"an object", "a/${claims.t}", R"({"t":{"x":1}})", std::nullopt},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto made = ResourceTemplate::make(row.text);
            REQUIRE(made.has_value());
            CHECK(made->fill(json(row.claims), kPrefix, arn("GET/a*b")) == row.want);
        }
    }

    TEST_CASE("a placeholder that could be misread is refused") {
        const std::string_view texts[] = {"${claims.}",
                                          "${claims.t",
                                          "${claims",
                                          "${claims.t}${methodArn",
                                          "${stageArn}GET/items",
                                          "${stageArn}*",
                                          "${stageArnX}",
                                          "${methodArn2}",
                                          "$${claims.t}",
                                          "${claims./~2}",
                                          "${stageArn}${claims.t}"};
        for (const std::string_view text : texts) {
            CAPTURE(text);
            const auto made = ResourceTemplate::make(text);
            // "${claims" has no name at all and is left to the policy's own check.
            if (text == "${claims") {
                CHECK(made.has_value());
                continue;
            }
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::config_invalid);
        }
    }

    TEST_CASE("statements whose when holds are taken and judged as any policy") {
        const auto set = StatementSet::make(json(R"([
            {"Effect":"Allow","Action":"execute-api:Invoke","Resource":"${stageArn}/GET/*"},
            {"Effect":"Allow","Action":"execute-api:Invoke","Resource":"${stageArn}/*","when":{"roles":"admin"}},
            {"Effect":"Allow","Action":"execute-api:Invoke","Resource":["${stageArn}/POST/t/${claims.tenant}/*"],"when":{"scope":"write"}},
            {"Effect":"Deny","Action":"execute-api:Invoke","Resource":"${stageArn}/*/internal*","when":{"tier":{"in":["free","trial"]},"staff":{"exists":false}}}
        ])"));
        REQUIRE(set.has_value());

        struct Row {
            const char* name;
            std::string claims;
            std::string request;
            policy::Outcome want;
        };

        const Row rows[] = {
            {"for all", "{}", "GET/a", kAllow},
            {"not for all", "{}", "POST/a", kNone},
            {"admin", R"({"roles":["user","admin"]})", "DELETE/a", kAllow},
            {"no admin", R"({"roles":["user"]})", "DELETE/a", kNone},
            {"own tenant", R"({"scope":"read write","tenant":"t1"})", "POST/t/t1/x", kAllow},
            {"other tenant", R"({"scope":"read write","tenant":"t1"})", "POST/t/t2/x", kNone},
            {"a star for tenant", R"({"scope":"write","tenant":"*"})", "POST/t/t2/x", kNone},
            {"a star for tenant is a star",
             R"({"scope":"write","tenant":"*"})",
             "POST/t/*/x",
             kAllow},
            {"no tenant", R"({"scope":"write"})", "POST/t//x", kNone},
            {"tenant that is a list", R"({"scope":"write","tenant":["t1"]})", "POST/t/t1/x", kNone},
            {"no scope", R"({"scope":"writer","tenant":"t1"})", "POST/t/t1/x", kNone},
            {"denied", R"({"tier":"free"})", "GET/internal/x", kDeny},
            {"all of when must hold", R"({"tier":"free","staff":true})", "GET/internal/x", kAllow},
            {"paid", R"({"tier":"paid"})", "GET/internal/x", kAllow},
            {"deny beats admin", R"({"tier":"trial","roles":"admin"})", "GET/internal/x", kDeny},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto document = set->make_policy(json(row.claims), kPrefix, arn(row.request));
            REQUIRE(document.has_value());
            CHECK(judge(**document, row.request) == row.want);
        }
        CHECK_FALSE(set->uses_method_arn());
    }

    TEST_CASE("tokens share a policy where all that it is made of is the same and nowhere else") {
        const auto set = StatementSet::make(json(
            R"([{"Effect":"Allow","Action":"*","Resource":"${stageArn}/GET/*","when":{"r":"a"}},
                {"Effect":"Allow","Action":"*","Resource":["x/${claims.t}","y/${claims.u}"]},
                {"Effect":"Allow","Action":"*","Resource":"z/${claims.t}","when":{"r":"b"}},
                {"Effect":"Deny","Action":"*","Resource":"${methodArn}","when":{"m":true}}])"));
        REQUIRE(set.has_value());
        const auto make = [&](std::string_view claims,
                              std::string_view request = "GET/a",
                              std::string_view prefix = kPrefix) {
            const auto made = set->make_policy(json(claims), prefix, arn(request));
            REQUIRE(made.has_value());
            return *made;
        };
        const std::string_view first = R"({"r":"a","t":"1","u":"2","sub":"someone"})";
        const policy::DocumentPtr policy = make(first);

        struct Row {
            const char* name;
            std::string_view claims;
            bool shared;
        };

        const Row rows[] = {
            {"the same", first, true},
            {"a claim that no statement names", R"({"r":"a","t":"1","u":"2","sub":"other"})", true},
            {"the same text of another kind", R"({"r":"a","t":1,"u":"2"})", true},
            {"another claim", R"({"r":"a","t":"2","u":"2"})", false},
            {"claims turned around", R"({"r":"a","t":"2","u":"1"})", false},
            {"a text that runs into the next", R"({"r":"a","t":"13:y/2","u":""})", false},
            {"a star", R"({"r":"a","t":"*","u":"2"})", false},
            {"without one", R"({"r":"a","t":"1"})", false},
            {"another statement", R"({"r":"b","t":"1","u":"2"})", false},
            {"both statements", R"({"r":["a","b"],"t":"1","u":"2"})", false},
            {"neither", R"({"t":"1","u":"2"})", false},
            {"one more", R"({"r":"a","t":"1","u":"2","m":true})", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK((make(row.claims) == policy) == row.shared);
            // Shared or not, it is the policy that would be made anew.
            const auto anew = StatementSet::make(json(
                R"([{"Effect":"Allow","Action":"*","Resource":"${stageArn}/GET/*","when":{"r":"a"}},
                {"Effect":"Allow","Action":"*","Resource":["x/${claims.t}","y/${claims.u}"]},
                {"Effect":"Allow","Action":"*","Resource":"z/${claims.t}","when":{"r":"b"}},
                {"Effect":"Deny","Action":"*","Resource":"${methodArn}","when":{"m":true}}])"));
            const auto want = anew->make_policy(json(row.claims), kPrefix, arn("GET/a"));
            REQUIRE(want.has_value());
            CHECK(make(row.claims)->text == (*want)->text);
        }
        // Texts that would be one if their sizes did not part them: within a statement, and from
        // one into the next.
        CHECK(make(R"({"r":"a","t":"1","u":"2y/3"})")->text !=
              make(R"({"r":"a","t":"1y/2","u":"3"})")->text);
        const auto parted =
            StatementSet::make(json(R"([{"Effect":"Allow","Action":"*","Resource":"${claims.t}"},
                {"Effect":"Allow","Action":"*","Resource":"${claims.u}"},
                {"Effect":"Allow","Action":"*","Resource":"${claims.v}"}])"));
        REQUIRE(parted.has_value());
        const auto text_for = [&](std::string_view claims) {
            const auto made = parted->make_policy(json(claims), kPrefix, arn("GET/a"));
            REQUIRE(made.has_value());
            return (*made)->text;
        };
        CHECK(text_for(R"({"t":"1+1:2","u":"3"})") != text_for(R"({"t":"1","u":"2-","v":"3"})"));
        CHECK(text_for(R"({"t":"a+b","u":"c"})") != text_for(R"({"t":"a","u":"b+c"})"));
        CHECK(text_for(R"({"t":"a-","v":"b"})") != text_for(R"({"t":"a","u":"-","v":"b"})"));
        // The method counts where a statement that is taken names it, the stage always.
        CHECK(make(first, "GET/b") == policy);
        const std::string_view denying = R"({"r":"a","t":"1","u":"2","m":true})";
        CHECK(make(denying, "GET/a") == make(denying, "GET/a"));
        CHECK(make(denying, "GET/a") != make(denying, "GET/b"));
        CHECK(make(first, "GET/a", "arn:aws:execute-api:eu-west-1:1:a/other/") != policy);
    }

    TEST_CASE("policies are kept within a bound whatever claims are sent") {
        PolicyMemo memo;
        int made = 0;
        const auto get = [&](const std::string& key, std::size_t bytes) {
            const auto found = memo.find_or_make(key, [&]() -> Result<policy::Document> {
                ++made;
                return policy::Document{{}, std::string(bytes, 'x'), {}};
            });
            return found ? (*found)->text.size() : 0;
        };
        for (std::size_t i = 0; i < PolicyMemo::kMostEntries; ++i)
            CHECK(get(std::to_string(i), 1) == 1);
        const int first = made;
        CHECK(get("0", 1) == 1);
        CHECK(made == first);
        CHECK(get("one more", 1) == 1);
        CHECK(get("0", 1) == 1);
        CHECK(made == first + 2);
        // One larger than all may be is given and not kept, and what is there stays.
        CHECK(get("large", PolicyMemo::kMostBytes) == PolicyMemo::kMostBytes);
        CHECK(get("large", PolicyMemo::kMostBytes) > 0);
        CHECK(get("0", 1) == 1);
        CHECK(made == first + 4);
        // Half and more than half are not kept together.
        CHECK(get("half", PolicyMemo::kMostBytes / 2) > 0);
        CHECK(get("more", PolicyMemo::kMostBytes / 2) > 0);
        CHECK(get("half", PolicyMemo::kMostBytes / 2) > 0);
        CHECK(made == first + 7);
        // A fault is not remembered.
        const auto failing = [&] {
            return memo.find_or_make(
                "fault", []() -> Result<policy::Document> { return fail(Errc::policy_invalid); });
        };
        CHECK_FALSE(failing().has_value());
        CHECK_FALSE(failing().has_value());
        CHECK(get("fault", 1) == 1);
    }

    TEST_CASE("with every statement left out the policy is empty and denies") {
        for (const std::string_view text :
             {R"([{"Effect":"Allow","Action":"*","Resource":"*","when":{"roles":"admin"}}])",
              R"([{"Effect":"Allow","Action":"*","Resource":["*","x/${claims.roles}"]}])",
              "[]"}) {
            CAPTURE(text);
            const auto set = StatementSet::make(json(text));
            REQUIRE(set.has_value());
            const auto document = set->make_policy(json("{}"), kPrefix, arn("GET/a"));
            REQUIRE(document.has_value());
            CHECK((*document)->statements.empty());
            CHECK(judge(**document, "GET/a") == kNone);
        }
    }

    TEST_CASE("what is left out of a policy is named with what was wanted and found") {
        struct Row {
            const char* statement;
            const char* claims;
            std::string_view left_out;  // empty: nothing is
        };

        const Row rows[] = {
            {R"("when":{"roles":"admin"})", R"({"roles":["admin"]})", ""},
            {R"("when":{"roles":"admin"})",
             R"({"roles":["user"]})",
             R"(statements/1: roles is [\x22user\x22], wanted \x22admin\x22)"},
            {R"("Sid":"Staff","when":{"roles":"admin"})",
             "{}",
             R"(Staff: roles is absent, wanted \x22admin\x22)"},
            {R"("when":{"a":1,"b":{"exists":true}})",
             R"({"a":1})",
             R"(statements/1: b is absent, wanted {\x22exists\x22:true})"},
            {R"("when":{"/realm/roles":{"in":["x"]}})",
             R"({"realm":{"roles":null}})",
             R"(statements/1: /realm/roles is absent, wanted {\x22in\x22:[\x22x\x22]})"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.statement);
            CAPTURE(row.claims);
            const auto set =
                StatementSet::make(json(R"([{"Effect":"Deny","Action":"*","Resource":"a"},)"
                                        R"({"Effect":"Allow","Action":"*","Resource":"*",)" +
                                        std::string(row.statement) + "}]"));
            REQUIRE(set.has_value());
            std::vector<std::string> left_out;
            const auto document =
                set->make_policy(json(row.claims), kPrefix, arn("GET/a"), &left_out);
            REQUIRE(document.has_value());
            REQUIRE(left_out.size() == (row.left_out.empty() ? 0 : 1));
            if (!left_out.empty()) CHECK(left_out[0] == row.left_out);
            CHECK((*document)->statements.size() + left_out.size() == 2);
        }
        SUBCASE("a claim that cannot be filled in") {
            const auto set = StatementSet::make(
                json(R"([{"Effect":"Allow","Action":"*","NotResource":"x/${claims.t}"}])"));
            REQUIRE(set.has_value());
            std::vector<std::string> left_out;
            REQUIRE(set->make_policy(json(R"({"t":[1]})"), kPrefix, arn("GET/a"), &left_out)
                        .has_value());
            CHECK(left_out ==
                  std::vector<std::string>{
                      "statements/0: a claim of its NotResource is absent or no scalar"});
        }
        SUBCASE("at most so many, and each of bounded length") {
            Json many = Json::array();
            for (int i = 0; i < 100; ++i) {
                many.push_back({{"Effect", "Allow"},
                                {"Action", "*"},
                                {"Resource", "*"},
                                {"when", {{"c", "no"}}}});
            }
            const auto set = StatementSet::make(many);
            REQUIRE(set.has_value());
            std::vector<std::string> left_out;
            const Json claims = {{"c", std::string(10000, 'x')}};
            REQUIRE(set->make_policy(claims, kPrefix, arn("GET/a"), &left_out).has_value());
            CHECK(left_out.size() == StatementSet::kMostLeftOut);
            CHECK(left_out[0].size() < 200);
        }
    }

    TEST_CASE("every IAM element stays and NotResource is filled too") {
        const auto set = StatementSet::make(
            json(R"([{"Sid":"S1","Effect":"Deny","NotAction":"s3:*","NotResource":"${methodArn}",
            "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}},"when":{}}])"));
        REQUIRE(set.has_value());
        CHECK(set->uses_method_arn());
        const auto document = set->make_policy(json("{}"), kPrefix, arn("GET/a"));
        REQUIRE(document.has_value());
        REQUIRE((*document)->statements.size() == 1);
        CHECK((*document)->statements[0].sid == "S1");
        CHECK((*document)->statements[0].not_action);
        CHECK((*document)->statements[0].not_resource);
        CHECK_FALSE((*document)->statements[0].conditions.empty());
        CHECK((*document)->statements[0].resources.at(0).pattern() == arn("GET/a"));
        CHECK((*document)->text.find("when") == std::string::npos);
    }

    TEST_CASE("a claim too long for a Resource refuses its token") {
        const auto set = StatementSet::make(
            json(R"([{"Effect":"Allow","Action":"*","Resource":"x/${claims.t}"}])"));
        REQUIRE(set.has_value());
        const Json claims = {{"t", std::string(limits::kPolicyResourceBytes + 1, 'x')}};
        const auto document = set->make_policy(claims, kPrefix, arn("GET/a"));
        REQUIRE_FALSE(document.has_value());
        CHECK(document.error().errc() == Errc::token_claim_unusable);
    }

    TEST_CASE("more statements than a policy may have are refused at load and not by each token") {
        Json statements = Json::array();
        for (int i = 0; i < 20000; ++i) {
            statements.push_back({{"Effect", "Allow"}, {"Action", "*"}, {"Resource", "*"}});
        }
        const auto set = StatementSet::make(statements);
        REQUIRE_FALSE(set.has_value());
        CHECK(set.error().errc() == Errc::config_invalid);
        CHECK(set.error().detail.starts_with("/statements: "));
    }

    TEST_CASE("faulty statements name their place at load") {
        struct Row {
            const char* name;
            std::string text;
            std::string_view place;
        };

        const Row rows[] = {
            {"no list", R"({"Effect":"Allow"})", "/statements: "},
            {"no object", R"([7])", "/statements/0: "},
            {"wrong effect",
             R"([{"Effect":"allow","Action":"*","Resource":"*"}])",
             "/statements/0/Effect"},
            {"no action", R"([{"Effect":"Allow","Resource":"*"}])", "/statements/0"},
            {"no resource", R"([{"Effect":"Allow","Action":"*"}])", "/statements/0"},
            {"unknown element",
             R"([{"Effect":"Allow","Action":"*","Resource":"*","When":{}}])",
             "/statements/0"},
            {"second statement",
             R"([{"Effect":"Allow","Action":"*","Resource":"*"},{}])",
             "/statements/1"},
            {"when is a list",
             R"([{"Effect":"Allow","Action":"*","Resource":"*","when":[]}])",
             "/statements/0/when: "},
            {"when is null",
             R"([{"Effect":"Allow","Action":"*","Resource":"*","when":null}])",
             "/statements/0/when: "},
            {"bad wanted",
             R"([{"Effect":"Allow","Action":"*","Resource":"*","when":{"t":[]}}])",
             "/statements/0/when/t: "},
            {"bad placeholder",
             R"([{"Effect":"Allow","Action":"*","Resource":"${claims.}"}])",
             "/statements/0/Resource: "},
            {"misspelt placeholder",
             R"([{"Effect":"Allow","Action":"*","Resource":"${claim.t}"}])",
             "/statements/0/Resource"},
            {"misspelt beside a good one",
             R"([{"Effect":"Allow","Action":"*","Resource":"${claims.t}/${claim.t}"}])",
             "/statements/0/Resource"},
            {"placeholder in Action",
             R"([{"Effect":"Allow","Action":"${claims.t}","Resource":"*"}])",
             "/statements/0: "},
            {"placeholder in Condition",
             R"([{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:Referer":"${claims.t}"}}}])",
             "/statements/0: "},
            {"number beside a placeholder",
             R"([{"Effect":"Allow","Action":"*","Resource":["${claims.t}",7]}])",
             "/statements/0/Resource: "},
            {"both Resource and NotResource",
             R"([{"Effect":"Allow","Action":"*","Resource":"${claims.t}","NotResource":"x"}])",
             "/statements/0"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto set = StatementSet::make(json(row.text));
            REQUIRE_FALSE(set.has_value());
            CAPTURE(set.error().detail);
            CHECK(set.error().errc() == Errc::config_invalid);
            CHECK(set.error().detail.starts_with(row.place));
        }
    }
}

}  // namespace statements_test
