#include "gatehouse/authz/expression.hpp"

#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>

namespace expression_test {

using namespace gatehouse;
using authz::Escape;
using authz::Expression;
using authz::Template;
using test::RequestFixture;

namespace {

std::string render(std::string_view text,
                   const authz::RequestFacts& facts,
                   std::string_view missing = "") {
    const auto made = Template::make(text);
    REQUIRE(made.has_value());
    return made->render(facts, missing);
}

}  // namespace

TEST_SUITE("authz/expression") {
    TEST_CASE("a mapping source is a variable or a quoted literal") {
        RequestFixture fixture;
        fixture.field("X-A", "1").granted("u1", {{"k", "v"}});

        struct Row {
            std::string_view text;
            std::string value;
        };

        const Row rows[] = {
            {"method.request.header.X-A", "1"},
            {"method.request.querystring.a", "1"},
            {"method.request.path.id", "7"},
            {"context.authorizer.k", "v"},
            {"context.authorizer.principalId", "u1"},
            {"context.identity.sourceIp", "192.0.2.7"},
            {"stageVariables.backend", "127.0.0.1:3000"},
            {"'*'", "*"},
            {"''", ""},
            {"'it's'", "it's"},
            {"'context.stage'", "context.stage"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.text);
            const auto made = Expression::make(row.text);
            REQUIRE(made.has_value());
            CHECK(made->text() == row.text);
            std::string out = "=";
            CHECK(made->append(fixture.facts(), out));
            CHECK(out == "=" + row.value);
        }
    }

    TEST_CASE("a source that can never have a value is refused") {
        for (const std::string_view text : {"",
                                            "*",
                                            "'open",
                                            "'",
                                            "\"double\"",
                                            "literal",
                                            "$context.stage",
                                            "context.authorizr.sub",
                                            "context.",
                                            "Context.stage",
                                            "context.stage ",
                                            "method.request.header.",
                                            "method.request.headers.X",
                                            "method.request.body",
                                            "method.request.body.name",
                                            "integration.response.header.X",
                                            "stageVariables.",
                                            "'a\r\nX-Evil: 1'",
                                            "method.request.header.X\r\n"}) {
            CAPTURE(text);
            const auto made = Expression::make(text);
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::config_invalid);
            CHECK_FALSE(made.error().detail.empty());
        }
    }

    TEST_CASE("a template replaces names and leaves everything else") {
        RequestFixture fixture;
        fixture.field("X-A", "1").granted("u1", {{"k", "v"}});
        fixture.grant.claims = Json{{"cognito:username", "name"}};

        struct Row {
            std::string_view text;
            std::string want;
        };

        const Row rows[] = {
            {"", ""},
            {"plain", "plain"},
            {"$context.stage", "prod"},
            {"<$context.stage>", "<prod>"},
            {"${context.stage}s", "prods"},
            {"$context.stage.", "prod."},
            {"$context.stage, $context.apiId", "prod, abc123"},
            {"$context.stage$context.apiId", "prodabc123"},
            {"$context.authorizer.k/$stageVariables.backend", "v/127.0.0.1:3000"},
            {"${context.authorizer.claims.cognito:username}", "name"},
            {"$method.request.header.X-A|$method.request.path.id", "1|7"},
            {"[$context.authorizer.none]", "[]"},
            {"[$context.unknown]", "[]"},
            {"$5 and $ and $$", "$5 and $ and $$"},
            {"$input.body $util.x", "$input.body $util.x"},
            {"${context.stage", "${context.stage"},
            {"${other}", "${other}"},
            {"$$context.stage", "$prod"},
            {"$contextual", "$contextual"},
            {"$context", "$context"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.text);
            CHECK(render(row.text, fixture.facts()) == row.want);
        }
        CHECK(render("$context.status $context.stage", fixture.facts(), "-") == "- prod");
    }

    TEST_CASE("a log line may name known context variables only") {
        CHECK(Template::make("$context.requestId $context.authorizer.k ${context.identity.user}.",
                             true)
                  .has_value());
        CHECK(Template::make("no variable at all", true).has_value());
        for (const std::string_view text : {"$context.requestID",
                                            "$context.",
                                            "$method.request.header.Authorization",
                                            "${method.request.header.Authorization}",
                                            "$method.request.querystring.token",
                                            "$stageVariables.secret",
                                            "$requestId",
                                            "${context.requestId",
                                            "cost: 5$"}) {
            CAPTURE(text);
            const auto made = Template::make(text, true);
            REQUIRE_FALSE(made.has_value());
            CHECK(made.error().errc() == Errc::config_invalid);
        }
    }

    TEST_CASE("no value can leave the string or the line that it is logged in") {
        RequestFixture fixture;
        fixture.field("User-Agent", "a\"b\\c\td\x7f");
        const auto made =
            Template::make("\"$context.identity.userAgent\" $context.error.messageString", true);
        REQUIRE(made.has_value());
        authz::ErrorFacts error{authz::ResponseType::unauthorized, "no", {}};
        fixture.request.error = &error;
        std::string out = "> ";
        made->append(fixture.facts(), "-", Escape::log, out);
        CHECK(out == R"(> "a\"b\\c\u0009d\u007f" "no")");
        CHECK(made->render(fixture.facts(), "-") == "\"a\"b\\c\td\x7f\" \"no\"");

        RequestFixture latin;
        latin.field("User-Agent", "caf\xe9");
        out.clear();
        made->append(latin.facts(), "-", Escape::log, out);
        CHECK(out == R"("caf\u00e9" -)");

        RequestFixture utf8;
        utf8.field("User-Agent", "caf\xc3\xa9");
        out.clear();
        made->append(utf8.facts(), "-", Escape::log, out);
        CHECK(out == "\"caf\xc3\xa9\" -");
    }
}

}  // namespace expression_test
