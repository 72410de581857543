#include "gatehouse/sigv4/authorization.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace authorization_test {

using namespace gatehouse;
using namespace gatehouse::sigv4;
using namespace std::chrono_literals;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

const std::string kSignature(64, 'a');
const std::string kGood =
    "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/execute-api/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" +
    kSignature;

struct Head {
    Head(std::string target_text, Headers with)
        : target(std::move(target_text)), headers(std::move(with)) {
        for (const auto& [name, value] : headers)
            fields.push_back({name, value, http::FieldId::other});
        head.method = "GET";
        head.target = target;
        head.fields = fields;
    }

    Head(const Head&) = delete;
    Head& operator=(const Head&) = delete;

    std::string target;
    Headers headers;
    std::vector<http::Field> fields;
    http::RequestHead head;
};

Fault read(const std::string& authorization, Headers more = {{"X-Amz-Date", "20150830T123600Z"}}) {
    more.emplace_back("Host", "api.example.com");
    more.emplace_back("Authorization", authorization);
    const Head head("/", std::move(more));
    Authorization into;
    return read_authorization(head.head, into);
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    const std::size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

WallTime at(std::string_view text) {
    WallTime time;
    REQUIRE(parse_timestamp(text, time));
    return time;
}

}  // namespace

TEST_SUITE("sigv4/authorization") {
    TEST_CASE("a whole signature is read") {
        const Head head(
            "/", {{"host", "a"}, {"x-amz-date", "20150830T123600Z"}, {"authorization", kGood}});
        Authorization into;
        REQUIRE_FALSE(read_authorization(head.head, into));
        CHECK(into.access_key == "AKID");
        CHECK(into.date == "20150830");
        CHECK(into.region == "us-east-1");
        CHECK(into.service == "execute-api");
        CHECK(into.terminator == "aws4_request");
        CHECK(into.signed_headers == std::vector<std::string>{"host", "x-amz-date"});
        CHECK(into.signature == kSignature);
        CHECK(make_timestamp(into.time) == "20150830T123600Z");
        CHECK_FALSE(into.in_query);
        CHECK_FALSE(into.has_session_token);
        // Other orders and spacing, and Date in the place of X-Amz-Date.
        CHECK_FALSE(read("AWS4-HMAC-SHA256 Signature=" + kSignature +
                             ",SignedHeaders=date;host,Credential=A/20150830/r/s/aws4_request",
                         {{"Date", "20150830T123600Z"}}));
    }

    TEST_CASE("what is not whole is refused with the service's words") {
        struct Row {
            const char* name;
            std::string authorization;
            Headers headers;
            const char* words;
        };

        const Headers date = {{"X-Amz-Date", "20150830T123600Z"}};
        const Row rows[] = {
            {"bearer", "Bearer abc", date, ""},
            {"another algorithm", replaced(kGood, "SHA256", "SHA1"), date, ""},
            {"only the algorithm", "AWS4-HMAC-SHA256", date, ""},
            {"lower case", replaced(kGood, "AWS4", "aws4"), date, ""},
            {"no elements",
             "AWS4-HMAC-SHA256 ",
             date,
             "requires 'Credential' parameter. Authorizat"},
            {"a word", "AWS4-HMAC-SHA256 abc", date, "missing equal-sign"},
            {"no credential", replaced(kGood, "Credential", "X"), date, "requires 'Credential'"},
            {"no signature", replaced(kGood, "Signature=", "X="), date, "requires 'Signature'"},
            {"no headers", replaced(kGood, "SignedHeaders", "X"), date, "requires 'SignedHeaders'"},
            {"no date",
             kGood,
             {},
             "existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed"},
            {"two dates",
             kGood,
             {{"X-Amz-Date", "20150830T123600Z"}, {"X-Amz-Date", "20150830T123600Z"}},
             "date twice"},
            {"an element twice", kGood + ", Signature=" + kSignature, date, "parameter twice"},
            {"four parts", replaced(kGood, "/execute-api", ""), date, "exactly 5 slash-delimited"},
            {"six parts", replaced(kGood, "AKID", "A/KID"), date, "exactly 5 slash-delimited"},
            {"an empty part", replaced(kGood, "AKID", ""), date, "exactly 5 slash-delimited"},
            {"headers unsorted",
             replaced(kGood, "host;x-amz-date", "x-amz-date;host"),
             date,
             "SignedHeaders must be"},
            {"a header twice",
             replaced(kGood, "host;x", "host;host;x"),
             date,
             "SignedHeaders must be"},
            {"a header in capitals",
             replaced(kGood, "host;", "Host;"),
             date,
             "SignedHeaders must be"},
            {"an empty header", replaced(kGood, "host;", ";"), date, "SignedHeaders must be"},
            {"no header", replaced(kGood, "host;x-amz-date", ""), date, "SignedHeaders must be"},
            {"a date of HTTP",
             kGood,
             {{"Date", "Sun, 30 Aug 2015 12:36:00 GMT"}},
             "ISO-8601 'basic format'. Got 'Sun, 30 Aug"},
            {"a day that is none", kGood, {{"X-Amz-Date", "20150231T123600Z"}}, "ISO-8601"},
            {"an hour that is none", kGood, {{"X-Amz-Date", "20150830T243600Z"}}, "ISO-8601"},
            {"a zone", kGood, {{"X-Amz-Date", "20150830T123600+"}}, "ISO-8601"},
            {"more", kGood, {{"X-Amz-Date", "20150830T123600ZZ"}}, "ISO-8601"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const Fault fault = read(row.authorization, row.headers);
            CHECK(fault.error == Errc::signature_incomplete);
            CAPTURE(fault.message);
            CHECK(fault.message.find(row.words) != std::string::npos);
            CHECK(fault.message.empty() == std::string(row.words).empty());
        }
        CHECK(read(kGood, {{"X-Amz-Date", "20150830T123600Z"}, {"Authorization", kGood}}).error ==
              Errc::signature_incomplete);
        const Head open("/?a=b", {{"Host", "a"}});
        Authorization into;
        CHECK(read_authorization(open.head, into).error == Errc::signature_missing);
    }

    TEST_CASE("a signature in the query is whole or none") {
        const std::string query =
            "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20150830%2Fus-east-1%2F"
            "execute-api%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature=" +
            kSignature;
        const auto read_target = [](const std::string& target, Headers headers = {}) {
            headers.emplace_back("Host", "a");
            const Head head(target, std::move(headers));
            Authorization into;
            return read_authorization(head.head, into);
        };
        CHECK_FALSE(read_target(query));
        CHECK(read_target(query, {{"Authorization", kGood}}).message.find("both") !=
              std::string::npos);
        for (const char* name : {"X-Amz-Algorithm",
                                 "X-Amz-Credential",
                                 "X-Amz-Date",
                                 "X-Amz-Expires",
                                 "X-Amz-SignedHeaders",
                                 "X-Amz-Signature"}) {
            CAPTURE(name);
            const Fault fault = read_target(replaced(query, name, "other"));
            CHECK(fault.error == Errc::signature_incomplete);
            CHECK(fault.message.find(std::string("'") + name + "'") != std::string::npos);
            const Fault twice = read_target(query + "&" + name + "=x");
            CHECK(twice.error == Errc::signature_incomplete);
        }
        for (const char* expires : {"0", "-1", "604801", "", "1h", "99999999999999999999"}) {
            CAPTURE(expires);
            CHECK(read_target(replaced(query, "Expires=60", std::string("Expires=") + expires))
                      .message.find("X-Amz-Expires") != std::string::npos);
        }
        CHECK(read_target(replaced(query, "SHA256", "SHA512"))
                  .message.find("Unsupported AWS 'algorithm'") != std::string::npos);
    }

    TEST_CASE("scope date and signed headers must be what the stage wants") {
        struct Row {
            const char* name;
            std::string authorization;
            const char* now;
            Headers more;
            Errc error;
            const char* words;
        };

        const Row rows[] = {
            {"good", kGood, "20150830T123600Z", {}, Errc::none, ""},
            {"last moment", kGood, "20150830T124100Z", {}, Errc::none, ""},
            {"first moment", kGood, "20150830T123100Z", {}, Errc::none, ""},
            {"too late",
             kGood,
             "20150830T124101Z",
             {},
             Errc::signature_expired,
             "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
             "(20150830T124101Z - 5 min.)"},
            {"too early",
             kGood,
             "20150830T123059Z",
             {},
             Errc::signature_not_yet_valid,
             "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z "
             "(20150830T123059Z + 5 min.)"},
            {"another region",
             replaced(kGood, "us-east-1", "eu-west-1"),
             "20150830T123600Z",
             {},
             Errc::signature_scope_refused,
             "valid region, not 'eu-west-1'"},
            {"another service",
             replaced(kGood, "execute-api", "s3"),
             "20150830T123600Z",
             {},
             Errc::signature_scope_refused,
             "correct service: 'execute-api'"},
            {"another end",
             replaced(kGood, "aws4_request", "aws5_request"),
             "20150830T123600Z",
             {},
             Errc::signature_scope_refused,
             "'aws4_request'"},
            {"another day",
             replaced(kGood, "AKID/20150830", "AKID/20150829"),
             "20150830T123600Z",
             {},
             Errc::signature_scope_refused,
             "'20150829' != '20150830'"},
            {"host unsigned",
             replaced(kGood, "host;", ""),
             "20150830T123600Z",
             {},
             Errc::signature_mismatch,
             "'Host' must be a 'SignedHeader'"},
            {"date unsigned",
             replaced(kGood, ";x-amz-date", ""),
             "20150830T123600Z",
             {},
             Errc::signature_mismatch,
             "'X-Amz-Date' must be"},
            {"an x-amz header unsigned",
             kGood,
             "20150830T123600Z",
             {{"X-Amz-Target", "t"}},
             Errc::signature_mismatch,
             "'X-Amz-Target' must be"},
            {"others may stay unsigned",
             kGood,
             "20150830T123600Z",
             {{"X-Amzn-Trace-Id", "t"}, {"Accept", "*/*"}},
             Errc::none,
             ""},
            {"a signed header that is not there",
             replaced(kGood, "host;", "host;x-a;"),
             "20150830T123600Z",
             {},
             Errc::signature_mismatch,
             "'x-a' is a 'SignedHeader'"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Headers headers = row.more;
            headers.emplace_back("Host", "a");
            headers.emplace_back("X-Amz-Date", "20150830T123600Z");
            headers.emplace_back("Authorization", row.authorization);
            const Head head("/", headers);
            Authorization authorization;
            REQUIRE_FALSE(read_authorization(head.head, authorization));
            const Fault fault = check_authorization(
                authorization, head.head, {"us-east-1", "execute-api"}, at(row.now));
            CHECK(fault.error == row.error);
            CAPTURE(fault.message);
            CHECK(fault.message.find(row.words) != std::string::npos);
        }
    }

    TEST_CASE("a signed URL lives as long as it says and no Date header moves it") {
        const Head head(
            "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20150830%2Fus-east-1%2F"
            "execute-api%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=3600&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature=" +
                kSignature,
            {{"Host", "a"}, {"Date", "20150830T153600Z"}});
        Authorization authorization;
        REQUIRE_FALSE(read_authorization(head.head, authorization));
        const auto error = [&](const char* now) {
            return check_authorization(
                       authorization, head.head, {"us-east-1", "execute-api"}, at(now))
                .error;
        };
        CHECK(error("20150830T133600Z") == Errc::none);
        CHECK(error("20150830T133601Z") == Errc::signature_expired);
        CHECK(error("20150830T123059Z") == Errc::signature_not_yet_valid);
    }
}

}  // namespace authorization_test
