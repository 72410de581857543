#include "gatehouse/authz/request_identity.hpp"

#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace request_identity_test {

using namespace gatehouse;
using test::RequestFixture;

namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

struct Read {
    std::string identity;
    std::string first;
    Errc error;
};

Read read(std::string_view sources, const Fields& fields, std::string_view query = "a=1") {
    const auto identity = authz::RequestIdentity::make(sources);
    REQUIRE(identity.has_value());
    RequestFixture fixture;
    for (const auto& [name, value] : fields)
        fixture.field(name, value);
    fixture.request.target.query = query;
    std::string scratch = "left over";
    const auto found = identity->find(fixture.facts(), scratch);
    return {std::string(found.identity), std::string(found.first), found.error};
}

}  // namespace

TEST_SUITE("authz/request_identity") {
    TEST_CASE("section 3.1: sources of every kind in the configured order") {
        struct Row {
            std::string_view sources;
            Fields fields;
            std::string_view identity;
            std::string_view first;
        };

        const Row rows[] = {
            {"method.request.header.Auth", {{"Auth", "abc"}}, "3:abc", "abc"},
            {"method.request.header.auth", {{"AUTH", "abc"}}, "3:abc", "abc"},
            {"method.request.querystring.a", {}, "1:1", "1"},
            {"stageVariables.backend", {}, "14:127.0.0.1:3000", "127.0.0.1:3000"},
            {"context.identity.sourceIp", {}, "9:192.0.2.7", "192.0.2.7"},
            {"context.resourceId", {}, "6:0vb92m", "0vb92m"},
            {"context.httpMethod , method.request.header.Auth",
             {{"Auth", "a:b"}},
             "3:GET3:a:b",
             "GET"},
            {"", {{"Auth", "abc"}}, "", ""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.sources);
            const Read found = read(row.sources, row.fields);
            CHECK(found.error == Errc::none);
            CHECK(found.identity == row.identity);
            CHECK(found.first == row.first);
        }
    }

    TEST_CASE("section 3.1: a source that is missing empty or there twice ends the request") {
        struct Row {
            std::string_view name;
            std::string_view sources;
            Fields fields;
            std::string_view query;
            Errc error;
        };

        const Row rows[] = {
            {"no header", "method.request.header.Auth", {}, "", Errc::identity_missing},
            {"another header",
             "method.request.header.Auth",
             {{"Author", "x"}},
             "",
             Errc::identity_missing},
            {"empty header",
             "method.request.header.Auth",
             {{"Auth", ""}},
             "",
             Errc::identity_empty},
            {"twice",
             "method.request.header.Auth",
             {{"Auth", "a"}, {"auth", "b"}},
             "",
             Errc::identity_repeated},
            {"twice the same",
             "method.request.header.Auth",
             {{"Auth", "a"}, {"Auth", "a"}},
             "",
             Errc::identity_repeated},
            {"no parameter", "method.request.querystring.key", {}, "a=1", Errc::identity_missing},
            {"empty parameter", "method.request.querystring.key", {}, "key=", Errc::identity_empty},
            {"another case", "method.request.querystring.key", {}, "Key=1", Errc::identity_missing},
            {"no variable", "stageVariables.none", {}, "", Errc::identity_missing},
            {"the last of two",
             "context.httpMethod,method.request.header.Auth",
             {},
             "",
             Errc::identity_missing},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const Read found = read(row.sources, row.fields, row.query);
            CHECK(found.error == row.error);
            CHECK(found.identity.empty());
            CHECK(found.first.empty());
        }
    }

    TEST_CASE("what the function does not see is no identity") {
        struct Row {
            std::string_view name;
            std::string_view source;
            Fields fields;
            std::string_view query;
            Errc error;
        };

        const Row rows[] = {
            {"named by Connection",
             "method.request.header.X-Tenant",
             {{"X-Tenant", "victim"}, {"Connection", "X-Tenant"}},
             "",
             Errc::identity_missing},
            {"a field of the connection",
             "method.request.header.TE",
             {{"TE", "me"}},
             "",
             Errc::identity_missing},
            {"Gatehouse's own",
             "method.request.header.x-amzn-request-context",
             {{"x-amzn-request-context", "{}"}},
             "",
             Errc::identity_missing},
            {"a parameter twice",
             "method.request.querystring.key",
             {},
             "key=good&key=bad",
             Errc::identity_repeated},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(read(row.source, row.fields, row.query).error == row.error);
        }
        // Which has our address at its end whatever the client says.
        CHECK(read("method.request.header.X-Forwarded-For", {}).first == "192.0.2.7");
        CHECK(
            read("method.request.header.X-Forwarded-For", {{"X-Forwarded-For", "1.1.1.1"}}).first ==
            "1.1.1.1, 192.0.2.7");
        CHECK(read("method.request.querystring.a", {}, "a=%41%42").first == "AB");
    }

    TEST_CASE("no two lists of values look alike") {
        constexpr std::string_view kTwo = "method.request.header.A,method.request.header.B";
        const Read one = read(kTwo, {{"A", "x1:y"}, {"B", "z"}});
        for (const Fields& fields : {Fields{{"A", "x"}, {"B", "y1:z"}},
                                     Fields{{"A", "x1"}, {"B", "yz"}},
                                     Fields{{"A", "x1:y1:z"}, {"B", "z"}},
                                     Fields{{"A", "z"}, {"B", "x1:y"}}}) {
            CHECK(read(kTwo, fields).identity != one.identity);
        }
    }

    TEST_CASE("section 3.1: what is no source is refused") {
        for (const std::string_view text : {"Auth",
                                            "'literal'",
                                            "method.request.path.id",
                                            "method.request.body.a",
                                            "method.request.multivalueheader.A",
                                            "$request.header.Auth",
                                            "route.request.header.Auth",
                                            "context.authorizer.userId",
                                            "context.error.message",
                                            "context.nothing",
                                            "context.status",
                                            "context.integrationLatency",
                                            "stageVariables.",
                                            "method.request.header.",
                                            "method.request.header.A,",
                                            ",method.request.header.A",
                                            "method.request.header.A method.request.header.B",
                                            ","}) {
            CAPTURE(text);
            CHECK_FALSE(authz::RequestIdentity::make(text).has_value());
        }
    }
}

}  // namespace request_identity_test
