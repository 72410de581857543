#include "gatehouse/policy/evaluate.hpp"

#include "support/naive_policy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::policy::evaluate_test {
namespace {

constexpr std::string_view kPrefix = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/";
constexpr Outcome kAllow = Outcome::allow;
constexpr Outcome kDeny = Outcome::explicit_deny;
constexpr Outcome kNone = Outcome::implicit_deny;

Json parse(std::string_view text) {
    auto json = parse_json(text);
    REQUIRE(json.has_value());
    return std::move(*json);
}

// "~" in a Resource stands for the stage's prefix, so that the tables stay readable.
Json make_policy(std::string_view statements) {
    std::string text = R"({"Version":"2012-10-17","Statement":)";
    for (const char c : statements) {
        if (c == '~') {
            text += kPrefix;
        } else {
            text += c;
        }
    }
    return parse(text + "}");
}

struct Judged {
    Decision decision;
    std::vector<StatementTrail> trail;
};

// Judges with and without a trail, and with the naive evaluator.
Judged judge(const Json& policy, std::string_view verb, std::string_view path) {
    std::string buffer;
    const auto arn = make_method_arn(kPrefix, verb, path, buffer);
    REQUIRE(arn.has_value());
    ConditionContext context;
    context.now = WallTime(std::chrono::milliseconds(1767225600000));
    context.source_ip = "192.0.2.7";
    context.source_arn = arn->text;
    context.user_agent = "curl/8.5";
    const auto document = parse_document(policy);
    REQUIRE(document.has_value());
    Judged judged;
    judged.decision = evaluate(*document, *arn, context, &judged.trail);
    const Decision quick = evaluate(*document, *arn, context);
    CHECK(quick.outcome == judged.decision.outcome);
    CHECK(quick.statement == judged.decision.statement);
    CHECK(quick.resource == judged.decision.resource);
    CHECK(naive::evaluate(policy, *arn, context) == quick.outcome);
    CHECK(judged.trail.size() == document->statements.size());
    return judged;
}

struct Row {
    const char* name;
    std::string_view statements;
    std::string_view verb;
    std::string_view path;
    Outcome want;
};

template <std::size_t N>
void check_rows(const Row (&rows)[N]) {
    for (const Row& row : rows) {
        CAPTURE(row.name);
        CHECK(judge(make_policy(row.statements), row.verb, row.path).decision.outcome == row.want);
    }
}

TEST_SUITE("policy/evaluate") {
    // Outcomes that API Gateway itself was seen, or is documented, to give. Sources: API Gateway
    // Developer Guide, "Output from a Lambda authorizer" and "Use API Gateway Lambda authorizers";
    // AWS Knowledge Center on authorizer caching; the public issue named in the row.
    TEST_CASE("section 6.4: recorded policies have the outcome that the service gave") {
        const Row rows[] = {
            {"documented Allow of one method",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"~GET/pets"}])",
             "GET",
             "/pets",
             kAllow},
            {"documented Deny",
             R"([{"Action":"execute-api:Invoke","Effect":"Deny","Resource":"~GET/pets"}])",
             "GET",
             "/pets",
             kDeny},
            {"a policy cached for GET /a does not open GET /b (Knowledge Center)",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"~GET/a"}])",
             "GET",
             "/b",
             kNone},
            {"root has an empty path (aws/chalice 1211)",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":["~GET/"]}])",
             "GET",
             "/",
             kAllow},
            {"empty Resource list is an implicit deny (aws/chalice 971)",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":[]}])",
             "GET",
             "/",
             kNone},
            {"wildcards cross colons (aws/chalice 1775)",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"~GET/at/*/x"}])",
             "GET",
             "/at/2020-01-01T00:00:00/x",
             kAllow},
            {"partial ARN with a star (dherault/serverless-offline 560)",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"arn:aws:execute-api:us-east-1:123456789012:*"}])",
             "GET",
             "/a/b",
             kAllow},
            {"the path is the request's and not the template's (dherault/serverless-offline 273)",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"~GET/pets/{id}"}])",
             "GET",
             "/pets/7",
             kNone},
            {"dollar and dot are no regular expression (aws/aws-sam-cli 9155)",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"~GET/p.ts$"}])",
             "GET",
             "/pets",
             kNone},
            {"Allow of everything with a Deny of one method",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"~*"},
                 {"Action":"execute-api:Invoke","Effect":"Deny","Resource":"~DELETE/*"}])",
             "DELETE",
             "/pets/7",
             kDeny},
            {"a stage of another API",
             R"([{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"arn:aws:execute-api:us-east-1:123456789012:other/prod/*"}])",
             "GET",
             "/pets",
             kNone},
        };
        check_rows(rows);
    }

    TEST_CASE("resources match whole ARNs by star and question mark") {
        const Row rows[] = {
            {"star", R"({"Effect":"Allow","Action":"*","Resource":"*"})", "GET", "/x", kAllow},
            {"service",
             R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:*"})",
             "GET",
             "/x",
             kAllow},
            {"two stars",
             R"({"Effect":"Allow","Action":"*","Resource":"arn:aws:execute-api:**"})",
             "GET",
             "/x",
             kAllow},
            {"last segment",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/pets/*"})",
             "GET",
             "/pets/7",
             kAllow},
            {"star covers the root",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/*"})",
             "GET",
             "/",
             kAllow},
            {"any verb",
             R"({"Effect":"Allow","Action":"*","Resource":"~*/pets"})",
             "POST",
             "/pets",
             kAllow},
            {"question mark",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/pets?7"})",
             "GET",
             "/pets/7",
             kAllow},
            {"second of a list",
             R"({"Effect":"Allow","Action":"*","Resource":["~GET/a","~GET/b"]})",
             "GET",
             "/b",
             kAllow},
            {"star in the request is a star",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/${*}"})",
             "GET",
             "/*",
             kAllow},

            {"subpath",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/pets"})",
             "GET",
             "/pets/7",
             kNone},
            {"other verb",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/pets"})",
             "POST",
             "/pets",
             kNone},
            {"letter case",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/Pets"})",
             "GET",
             "/pets",
             kNone},
            {"lower-case verb",
             R"({"Effect":"Allow","Action":"*","Resource":"~get/pets"})",
             "GET",
             "/pets",
             kNone},
            {"question mark is one",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/pets?"})",
             "GET",
             "/pets",
             kNone},
            {"tail alone",
             R"({"Effect":"Allow","Action":"*","Resource":"GET/pets"})",
             "GET",
             "/pets",
             kNone},
            {"abbreviated ARN",
             R"({"Effect":"Allow","Action":"*","Resource":"execute-api:/prod/GET/pets"})",
             "GET",
             "/pets",
             kNone},
            {"escaped star",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/${*}"})",
             "GET",
             "/x",
             kNone},
            {"foreign action",
             R"({"Effect":"Allow","Action":"s3:*","Resource":"*"})",
             "GET",
             "/x",
             kNone},
            {"foreign Deny",
             R"([{"Effect":"Deny","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}])",
             "GET",
             "/x",
             kAllow},
            {"no statement", "[]", "GET", "/x", kNone},
        };
        check_rows(rows);
    }

    TEST_CASE("NotAction and NotResource turn the match around") {
        const Row rows[] = {
            {"Allow but",
             R"({"Effect":"Allow","Action":"*","NotResource":"~GET/admin/*"})",
             "GET",
             "/pets",
             kAllow},
            {"Allow but the listed",
             R"({"Effect":"Allow","Action":"*","NotResource":["~x","~GET/admin/*"]})",
             "GET",
             "/admin/x",
             kNone},
            {"Deny but the listed",
             R"([{"Effect":"Allow","Action":"*","Resource":"*"},
                 {"Effect":"Deny","Action":"*","NotResource":"~GET/pets"}])",
             "GET",
             "/pets",
             kAllow},
            {"Deny but",
             R"([{"Effect":"Allow","Action":"*","Resource":"*"},
                 {"Effect":"Deny","Action":"*","NotResource":"~GET/pets"}])",
             "GET",
             "/pets/7",
             kDeny},
            {"NotAction allows",
             R"({"Effect":"Allow","NotAction":"s3:*","Resource":"*"})",
             "GET",
             "/",
             kAllow},
            {"NotAction denies",
             R"([{"Effect":"Allow","Action":"*","Resource":"*"},
                 {"Effect":"Deny","NotAction":"s3:*","Resource":"*"}])",
             "GET",
             "/",
             kDeny},
            {"NotAction of Invoke",
             R"({"Effect":"Allow","NotAction":"execute-api:Invoke","Resource":"*"})",
             "GET",
             "/",
             kNone},
            {"both turned",
             R"({"Effect":"Deny","NotAction":"s3:*","NotResource":"~POST/*"})",
             "GET",
             "/x",
             kDeny},
        };
        check_rows(rows);
    }

    TEST_CASE("a trailing slash does not shake off a Deny") {
        constexpr std::string_view kDenyPlain =
            R"([{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"~GET/pets"}])";
        constexpr std::string_view kDenySlash =
            R"([{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"~GET/pets/"}])";
        constexpr std::string_view kDenyBut =
            R"([{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","NotResource":"~GET/open"}])";
        constexpr std::string_view kDenyButBelow =
            R"([{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","NotResource":"~GET/open/*"}])";
        constexpr std::string_view kDenySource =
            R"([{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*",
                "Condition":{"ArnLike":{"aws:SourceArn":"~GET/pets"}}}])";
        constexpr std::string_view kDenyOtherSource =
            R"([{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*",
                "Condition":{"ArnNotLike":{"aws:SourceArn":"~GET/pets"}}}])";
        const Row rows[] = {
            {"plain Deny of the plain form", kDenyPlain, "GET", "/pets", kDeny},
            {"plain Deny of the slashed form", kDenyPlain, "GET", "/pets/", kDeny},
            {"slashed Deny of the plain form", kDenySlash, "GET", "/pets", kDeny},
            {"slashed Deny of the slashed form", kDenySlash, "GET", "/pets/", kDeny},
            {"another path", kDenyPlain, "GET", "/pets/7", kAllow},
            {"exempted form", kDenyBut, "GET", "/open", kAllow},
            {"slashed form of the exempted", kDenyBut, "GET", "/open/", kDeny},
            {"below what is exempted", kDenyButBelow, "GET", "/open/x", kAllow},
            {"the plain form is denied", kDenyButBelow, "GET", "/open", kDeny},
            {"so the slashed form is too", kDenyButBelow, "GET", "/open/", kDeny},
            {"source ARN", kDenySource, "GET", "/pets", kDeny},
            {"source ARN of the slashed form", kDenySource, "GET", "/pets/", kDeny},
            {"exempted source ARN", kDenyOtherSource, "GET", "/pets", kAllow},
            {"root has one form",
             R"([{"Effect":"Allow","Action":"*","Resource":"*"},
                {"Effect":"Deny","Action":"*","Resource":"~GET"}])",
             "GET",
             "/",
             kAllow},

            {"an Allow is for its own form",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/pets"})",
             "GET",
             "/pets/",
             kNone},
            {"an Allow with a slash too",
             R"({"Effect":"Allow","Action":"*","Resource":"~GET/pets/"})",
             "GET",
             "/pets",
             kNone},
        };
        check_rows(rows);
    }

    TEST_CASE("conditions decide whether a statement applies") {
        const Row rows[] = {
            {"holds",
             R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}})",
             "GET",
             "/",
             kAllow},
            {"does not hold",
             R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}})",
             "GET",
             "/",
             kNone},
            {"Deny outside the network",
             R"([{"Effect":"Allow","Action":"*","Resource":"*"},
                 {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}])",
             "GET",
             "/",
             kDeny},
            {"Deny without TLS",
             R"([{"Effect":"Allow","Action":"*","Resource":"*"},
                 {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}])",
             "GET",
             "/",
             kDeny},
            {"Deny whose key is absent",
             R"([{"Effect":"Allow","Action":"*","Resource":"*"},
                 {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:Referer":"*"}}}])",
             "GET",
             "/",
             kAllow},
        };
        check_rows(rows);
    }

    TEST_CASE("a Deny wins in any position among any number of Allows") {
        const Json allow = parse(R"({"Effect":"Allow","Action":"*","Resource":"*"})");
        const Json deny = parse(R"({"Effect":"Deny","Action":"*","Resource":"*pets*"})");
        for (std::size_t count = 0; count < 6; ++count) {
            for (std::size_t position = 0; position <= count; ++position) {
                CAPTURE(count);
                CAPTURE(position);
                Json statements = Json::array();
                for (std::size_t i = 0; i <= count; ++i)
                    statements.push_back(i == position ? deny : allow);
                const Json policy = {{"Statement", statements}};
                const Decision decision = judge(policy, "GET", "/pets").decision;
                CHECK(decision.outcome == kDeny);
                CHECK(decision.statement == static_cast<int>(position));
                CHECK(judge(policy, "GET", "/x").decision.outcome == (count > 0 ? kAllow : kNone));
            }
        }
    }

    TEST_CASE("random policies are judged as by the naive evaluator in any order") {
        constexpr std::string_view kActions[] = {"*",
                                                 "execute-api:*",
                                                 "execute-api:Invoke",
                                                 "EXECUTE-API:inv?ke",
                                                 "execute-api:Invoke?",
                                                 "execute-api:InvalidateCache",
                                                 "s3:*"};
        constexpr std::string_view kResources[] = {"*",
                                                   "~*",
                                                   "~GET/*",
                                                   "~GET/a",
                                                   "~GET/a/",
                                                   "~*/a",
                                                   "~GET/?",
                                                   "~?ET/a/?",
                                                   "~GE?/*b",
                                                   "~POST/*",
                                                   "~GET/a/*",
                                                   "~GET/${*}",
                                                   "arn:aws:execute-api:*:*",
                                                   "nothing"};
        constexpr std::string_view kConditions[] = {
            R"({"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}})",
            R"({"NotIpAddress":{"aws:SourceIp":["192.0.2.7","10.0.0.0/8"]}})",
            R"({"StringLike":{"aws:UserAgent":"c?rl/*"},"Null":{"aws:Referer":"true"}})",
            R"({"StringNotEquals":{"aws:Referer":"x"}})",
            R"({"ArnLike":{"aws:SourceArn":"arn:aws:execute-api:*:*:*/a"}})",
            R"({"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}})"};
        constexpr std::string_view kPaths[] = {"/", "/a", "/a/", "/a/b", "/a/b/", "/b", "/*"};
        std::mt19937 random(42);
        const auto pick = [&](const auto& list) { return list[random() % std::size(list)]; };
        int outcomes[3] = {};
        for (int i = 0; i < 4000; ++i) {
            std::string statements = "[";
            for (std::size_t n = random() % 5; n > 0; --n) {
                statements += random() % 3 == 0 ? R"({"Effect":"Deny",)" : R"({"Effect":"Allow",)";
                statements += random() % 3 == 0 ? R"("NotAction":")" : R"("Action":")";
                statements += pick(kActions);
                statements += random() % 4 == 0 ? R"(","NotResource":[")" : R"(","Resource":[")";
                statements += pick(kResources);
                statements += "\",\"";
                statements += pick(kResources);
                statements += "\"]";
                if (random() % 3 == 0)
                    statements.append(R"(,"Condition":)").append(pick(kConditions));
                statements += n > 1 ? "}," : "}";
            }
            CAPTURE(statements);
            Json policy = make_policy(statements + "]");
            const std::string_view path = pick(kPaths);
            CAPTURE(path);
            const Outcome outcome = judge(policy, "GET", path).decision.outcome;
            ++outcomes[static_cast<int>(outcome)];
            std::shuffle(policy["Statement"].begin(), policy["Statement"].end(), random);
            CHECK(judge(policy, "GET", path).decision.outcome == outcome);
        }
        for (const int seen : outcomes)
            CHECK(seen > 100);
    }

    TEST_CASE("large policies are judged by their index as by looking at every statement") {
        std::mt19937 random(7);
        const auto pick = [&](const auto& list) { return list[random() % std::size(list)]; };
        constexpr std::string_view kParts[] = {
            "a", "b", "a/", "/", "/b", "*", "?", "ab", "${*}", "\\u00e9", "c/d/", "a/b/c"};
        constexpr std::string_view kStarts[] = {
            "~GET/", "~GET/a", "~", "~*", "*", "~G", "", "~GET/a/b"};
        constexpr std::string_view kPaths[] = {"/",
                                               "/a",
                                               "/a/",
                                               "/ab",
                                               "/a/b",
                                               "/a/b/",
                                               "/a/b/c",
                                               "/b",
                                               "/*",
                                               "/ac/d/",
                                               "/aa/b",
                                               "/c/d"};
        int outcomes[3] = {};
        std::size_t overflows = 0;
        for (int i = 0; i < 400; ++i) {
            std::string statements = "[";
            for (std::size_t n = i % 40 == 0 ? 200 : 12 + random() % 40; n > 0; --n) {
                statements += random() % 8 == 0 ? R"({"Effect":"Deny",)" : R"({"Effect":"Allow",)";
                statements += random() % 9 == 0 ? R"("Action":"s3:Get")" : R"("Action":"*")";
                statements += random() % 20 == 0 ? R"(,"NotResource":[)" : R"(,"Resource":[)";
                for (std::size_t k = 1 + random() % 4; k > 0; --k) {
                    statements += '"';
                    statements += random() % 5 == 0 ? pick(kStarts) : "~POST/";
                    statements += pick(kParts);
                    for (std::size_t more = random() % 4; more > 0; --more)
                        statements += pick(kParts);
                    statements += k > 1 ? "\"," : "\"]";
                }
                if (random() % 10 == 0)
                    statements += R"(,"Condition":{"StringEquals":{"aws:Referer":"x"}})";
                statements += n > 1 ? "}," : "}";
            }
            const Json policy = make_policy(statements + "]");
            CAPTURE(statements);
            const auto document = parse_document(policy);
            REQUIRE(document.has_value());
            REQUIRE(document->index.is_made());
            for (const std::string_view path : kPaths) {
                CAPTURE(path);
                const std::string_view verb = random() % 2 == 0 ? "GET" : "POST";
                std::string buffer;
                const auto arn = make_method_arn(kPrefix, verb, path, buffer);
                REQUIRE(arn.has_value());
                ConditionContext context;
                context.source_arn = arn->text;
                if (random() % 2 == 0) context.referer = "x";
                // With a trail every statement is looked at.
                std::vector<StatementTrail> trail;
                const Decision looked = evaluate(*document, *arn, context, &trail);
                const Decision found = evaluate(*document, *arn, context);
                CHECK(found.outcome == looked.outcome);
                CHECK(found.statement == looked.statement);
                CHECK(found.resource == looked.resource);
                ++outcomes[static_cast<int>(found.outcome)];
                Candidates candidates;
                if (!document->index.find(document->statements, arn->text, candidates)) ++overflows;
            }
            // The naive evaluator takes its time.
            if (i % 100 == 1) (void)judge(policy, "GET", "/a/b/");
        }
        for (const int seen : outcomes)
            CHECK(seen > 100);
        CHECK(overflows > 0);
        CHECK(overflows < 400);
    }

    TEST_CASE("the index finds the patterns that can match and no others") {
        // Statement 0 is large enough for an index; the patterns that are searched come behind it.
        const auto document = parse_document(make_policy(R"([
            {"Effect":"Allow","Action":"*","Resource":
                ["p0","p1","p2","p3","p4","p5","p6","p7","p8","p9","p10","p11"]},
            {"Effect":"Allow","Action":"*","Resource":"~GET/a"},
            {"Effect":"Deny","Action":"*","Resource":["~GET/*","~GET/a/*"]},
            {"Effect":"Allow","Action":"s3:Get","Resource":"*"},
            {"Effect":"Allow","Action":"*","Resource":["~GET/a/b","~GET/a/bc*","~GET/?/b"]},
            {"Effect":"Allow","Action":"*","NotResource":"~GET/a/b"},
            {"Effect":"Allow","Action":"*","Resource":"*/b"}])"));
        REQUIRE(document.has_value());
        REQUIRE(document->index.is_made());

        struct Row {
            std::string_view path;
            std::vector<PatternId> want;
        };

        const auto id = make_pattern_id;
        const Row rows[] = {
            {"/", {id(2, 0), id(4, 2), id(6, 0)}},
            {"/a", {id(1, 0), id(2, 0), id(4, 2), id(6, 0)}},
            {"/ab", {id(1, 0), id(2, 0), id(4, 2), id(6, 0)}},
            {"/a/", {id(1, 0), id(2, 0), id(2, 1), id(4, 2), id(6, 0)}},
            {"/a/b", {id(1, 0), id(2, 0), id(2, 1), id(4, 0), id(4, 2), id(6, 0)}},
            {"/a/bcd", {id(1, 0), id(2, 0), id(2, 1), id(4, 0), id(4, 1), id(4, 2), id(6, 0)}},
            {"/0", {id(2, 0), id(4, 2), id(6, 0)}},
            {"/z", {id(2, 0), id(4, 2), id(6, 0)}},
        };
        for (const Row& row : rows) {
            CAPTURE(row.path);
            std::string buffer;
            const auto arn = make_method_arn(kPrefix, "GET", row.path, buffer);
            REQUIRE(arn.has_value());
            Candidates candidates;
            REQUIRE(document->index.find(document->statements, arn->text, candidates));
            candidates.sort();
            CHECK(std::vector(candidates.all().begin(), candidates.all().end()) == row.want);
        }
        CHECK(document->index.negated() == std::vector<std::uint32_t>{5});
        Candidates candidates;
        REQUIRE(document->index.find(document->statements, "", candidates));
        CHECK(candidates.all().size() == 1);
    }

    TEST_CASE("a decision names the statement and the pattern that settled it") {
        struct Settled {
            const char* name;
            std::string_view statements;
            int statement;
            int resource;
        };

        const Settled rows[] = {
            {"second pattern", R"({"Effect":"Allow","Action":"*","Resource":["x","~*"]})", 0, 1},
            {"first Allow",
             R"([{"Effect":"Allow","Action":"*","Resource":"x"},{"Effect":"Allow","Action":"*","Resource":"*"},
                 {"Effect":"Allow","Action":"*","Resource":"*"}])",
             1,
             0},
            {"NotResource", R"({"Effect":"Allow","Action":"*","NotResource":"x"})", 0, -1},
            {"nothing", R"({"Effect":"Allow","Action":"*","Resource":"x"})", -1, -1},
        };
        for (const Settled& row : rows) {
            CAPTURE(row.name);
            const Decision decision = judge(make_policy(row.statements), "GET", "/pets").decision;
            CHECK(decision.statement == row.statement);
            CHECK(decision.resource == row.resource);
        }
    }

    TEST_CASE("a trail says of every statement why it matched or not") {
        const Judged judged = judge(make_policy(R"([
            {"Effect":"Allow","Action":["s3:Get*","s3:Put*"],"Resource":"*"},
            {"Effect":"Allow","NotAction":"execute-api:*","Resource":"*"},
            {"Effect":"Allow","Action":"*","Resource":"~POST/*"},
            {"Effect":"Allow","Action":"*","NotResource":["x","~GET/*"]},
            {"Sid":"net","Effect":"Allow","Action":"*","Resource":"*",
             "Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
            {"Effect":"Deny","Action":"*","Resource":"~GET/pets/"},
            {"Effect":"Allow","Action":"*","NotResource":"x"},
            {"Effect":"Allow","Action":"*","Resource":"~GET/*"}])"),
                                    "GET",
                                    "/pets");
        CHECK(judged.decision.outcome == kDeny);
        CHECK(judged.decision.statement == 5);
        const std::string prefix(kPrefix);
        const std::string want[] = {
            "Action s3:Get*, … is not execute-api:Invoke",
            "NotAction execute-api:* names execute-api:Invoke",
            "no Resource matches",
            "NotResource " + prefix + "GET/* lists the ARN",
            R"(Condition IpAddress aws:SourceIp: found "192.0.2.7")",
            "Resource " + prefix + "GET/pets/ matches but for the trailing slash",
            "no NotResource lists the ARN",
            "Resource " + prefix + "GET/* matches",
        };
        REQUIRE(judged.trail.size() == std::size(want));
        for (std::size_t i = 0; i < std::size(want); ++i) {
            CAPTURE(i);
            CHECK(judged.trail[i].statement == static_cast<int>(i));
            CHECK(judged.trail[i].why == want[i]);
            CHECK(judged.trail[i].matched == (i >= 5));
        }
        CHECK(judged.trail[4].sid == "net");
        CHECK(judged.trail[5].effect == Effect::deny);
    }
}

}  // namespace
}  // namespace gatehouse::policy::evaluate_test
