#include "gatehouse/policy/conditions.hpp"

#include "support/naive_policy.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

namespace gatehouse::policy::conditions_test {
namespace {

using namespace std::chrono_literals;

// 2026-01-01T00:00:00.500Z
constexpr WallTime kNow{1767225600500ms};

ConditionContext make_context() {
    ConditionContext context;
    context.now = kNow;
    context.source_ip = "192.0.2.7";
    context.source_arn = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/pets/7";
    context.referer = "https://app.example/list";
    context.user_agent = "curl/8.5";
    context.secure_transport = true;
    return context;
}

Json parse(std::string_view text) {
    auto json = parse_json(text);
    REQUIRE(json.has_value());
    return std::move(*json);
}

struct Row {
    const char* name;
    std::string_view block;
    bool want;
};

void check_rows(const Row* begin, const Row* end, const ConditionContext& context) {
    for (const Row* row = begin; row != end; ++row) {
        CAPTURE(row->name);
        const Json block = parse(row->block);
        const auto conditions = Conditions::make(block);
        REQUIRE(conditions.has_value());
        CHECK(conditions->hold(context) == row->want);
        CHECK(naive::conditions_hold(block, context) == row->want);
        std::string failed;
        conditions->hold(context, &failed);
        CHECK(failed.empty() == row->want);
    }
}

template <std::size_t N>
void check_rows(const Row (&rows)[N], const ConditionContext& context = make_context()) {
    check_rows(rows, rows + N, context);
}

struct Refusal {
    const char* name;
    std::string_view block;
    Errc code;
    std::string_view path;
};

template <std::size_t N>
void check_refusals(const Refusal (&rows)[N]) {
    for (const Refusal& row : rows) {
        CAPTURE(row.name);
        const auto conditions = Conditions::make(parse(row.block));
        REQUIRE_FALSE(conditions.has_value());
        CHECK(conditions.error().errc() == row.code);
        CAPTURE(conditions.error().detail);
        CHECK(conditions.error().detail.starts_with(std::string(row.path) + ": "));
    }
}

TEST_SUITE("policy/conditions") {
    TEST_CASE("an empty block is no condition") {
        const auto conditions = Conditions::make(Json::object());
        REQUIRE(conditions.has_value());
        CHECK(conditions->empty());
        CHECK(conditions->hold({}));
        CHECK(conditions->heap_bytes() == 0);
        CHECK(Conditions().empty());
    }

    TEST_CASE("string operators compare whole texts") {
        const Row rows[] = {
            {"equal", R"({"StringEquals":{"aws:UserAgent":"curl/8.5"}})", true},
            {"any of several", R"({"StringEquals":{"aws:UserAgent":["wget","curl/8.5"]}})", true},
            {"key name in another case", R"({"StringEquals":{"AWS:useragent":"curl/8.5"}})", true},
            {"another", R"({"StringNotEquals":{"aws:UserAgent":["wget","lynx"]}})", true},
            {"case ignored", R"({"StringEqualsIgnoreCase":{"aws:UserAgent":"CURL/8.5"}})", true},
            {"case ignored and negated",
             R"({"StringNotEqualsIgnoreCase":{"aws:UserAgent":"W"}})",
             true},
            {"like", R"({"StringLike":{"aws:Referer":"https://*.example/????"}})", true},
            {"not like", R"({"StringNotLike":{"aws:Referer":"http://*"}})", true},
            {"an address is a text too", R"({"StringLike":{"aws:SourceIp":"192.0.2.*"}})", true},
            {"time is a text too",
             R"({"StringLike":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}})",
             true},
            {"seconds are a text too", R"({"StringEquals":{"aws:EpochTime":1767225600}})", true},
            {"TLS is a text too", R"({"StringEquals":{"aws:SecureTransport":true}})", true},

            {"case differs", R"({"StringEquals":{"aws:UserAgent":"Curl/8.5"}})", false},
            {"part of the text", R"({"StringEquals":{"aws:UserAgent":"curl"}})", false},
            {"a star is a star", R"({"StringEquals":{"aws:UserAgent":"curl/*"}})", false},
            {"one of the excluded",
             R"({"StringNotEquals":{"aws:UserAgent":["w","curl/8.5"]}})",
             false},
            {"excluded in any case",
             R"({"StringNotEqualsIgnoreCase":{"aws:UserAgent":"CURL/8.5"}})",
             false},
            {"like counts case", R"({"StringLike":{"aws:UserAgent":"CURL*"}})", false},
            {"like is anchored", R"({"StringLike":{"aws:Referer":"app.example"}})", false},
            {"like with an escaped star", R"({"StringLike":{"aws:UserAgent":"curl${*}"}})", false},
            {"not like one of", R"({"StringNotLike":{"aws:UserAgent":["w*","curl*"]}})", false},
        };
        check_rows(rows);
    }

    TEST_CASE("numbers and dates are compared by value") {
        const Row rows[] = {
            {"equal", R"({"NumericEquals":{"aws:EpochTime":1767225600}})", true},
            {"equal as text", R"({"NumericEquals":{"aws:EpochTime":"1767225600.0"}})", true},
            {"exponent", R"({"NumericGreaterThan":{"aws:EpochTime":"1.7e9"}})", true},
            {"not equal", R"({"NumericNotEquals":{"aws:EpochTime":["1","2"]}})", true},
            {"less", R"({"NumericLessThan":{"aws:EpochTime":1767225601}})", true},
            {"less or equal", R"({"NumericLessThanEquals":{"aws:EpochTime":1767225600}})", true},
            {"greater or equal",
             R"({"NumericGreaterThanEquals":{"aws:EpochTime":1767225600}})",
             true},
            {"negative", R"({"NumericGreaterThan":{"aws:EpochTime":-5}})", true},
            {"day", R"({"DateGreaterThan":{"aws:CurrentTime":"2026-01-01"}})", true},
            {"before", R"({"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:01Z"}})", true},
            {"fraction", R"({"DateEquals":{"aws:CurrentTime":"2026-01-01T00:00:00.5Z"}})", true},
            {"fraction cut",
             R"({"DateEquals":{"aws:CurrentTime":"2026-01-01T00:00:00.500999Z"}})",
             true},
            {"ahead of UTC",
             R"({"DateEquals":{"aws:CurrentTime":"2026-01-01T05:30:00.5+05:30"}})",
             true},
            {"behind UTC",
             R"({"DateEquals":{"aws:CurrentTime":"2025-12-31T16:00:00.5-08:00"}})",
             true},
            {"no seconds",
             R"({"DateGreaterThanEquals":{"aws:CurrentTime":"2026-01-01T00:00Z"}})",
             true},
            {"epoch", R"({"DateEquals":{"aws:EpochTime":"1767225600"}})", true},
            {"whole seconds as date",
             R"({"DateEquals":{"aws:EpochTime":"2026-01-01T00:00:00Z"}})",
             true},
            {"epoch zero", R"({"DateGreaterThan":{"aws:CurrentTime":0}})", true},
            {"leap day", R"({"DateGreaterThan":{"aws:CurrentTime":"2024-02-29"}})", true},
            {"window",
             R"({"DateGreaterThan":{"aws:CurrentTime":"2025-06-01T00:00:00Z"},
                 "DateLessThan":{"aws:CurrentTime":"2026-06-01T00:00:00Z"}})",
             true},

            {"less than itself", R"({"NumericLessThan":{"aws:EpochTime":1767225600}})", false},
            {"greater than itself",
             R"({"NumericGreaterThan":{"aws:EpochTime":1767225600}})",
             false},
            {"excluded", R"({"NumericNotEquals":{"aws:EpochTime":[1,1767225600]}})", false},
            {"milliseconds count",
             R"({"DateEquals":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}})",
             false},
            {"after",
             R"({"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00.500Z"}})",
             false},
            {"at the limit",
             R"({"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00.5Z"}})",
             false},
            {"over", R"({"DateLessThanEquals":{"aws:CurrentTime":"2025-12-31"}})", false},
            {"not then", R"({"DateNotEquals":{"aws:EpochTime":"1767225600"}})", false},
            {"window closed",
             R"({"DateGreaterThan":{"aws:CurrentTime":"2025-06-01T00:00:00Z"},
                 "DateLessThan":{"aws:CurrentTime":"2025-12-01T00:00:00Z"}})",
             false},
        };
        check_rows(rows);
    }

    TEST_CASE("a flag is true or false") {
        const Row rows[] = {
            {"text", R"({"Bool":{"aws:SecureTransport":"true"}})", true},
            {"boolean", R"({"Bool":{"aws:SecureTransport":true}})", true},
            {"letter case", R"({"Bool":{"aws:SecureTransport":"True"}})", true},
            {"either", R"({"Bool":{"aws:SecureTransport":["false","true"]}})", true},
            {"other", R"({"Bool":{"aws:SecureTransport":"false"}})", false},
        };
        check_rows(rows);
        ConditionContext plain = make_context();
        plain.secure_transport = false;
        const auto wants_tls =
            Conditions::make(parse(R"({"Bool":{"aws:SecureTransport":"true"}})"));
        REQUIRE(wants_tls.has_value());
        CHECK_FALSE(wants_tls->hold(plain));
    }

    TEST_CASE("addresses lie in ranges of their own family") {
        struct AddressRow {
            const char* name;
            std::string_view address;
            std::string_view range;
            bool want;
        };

        const AddressRow rows[] = {
            {"itself", "192.0.2.7", "192.0.2.7", true},
            {"whole range", "192.0.2.7", "0.0.0.0/0", true},
            {"octet border", "192.0.2.255", "192.0.2.0/24", true},
            {"inside an octet", "192.0.2.127", "192.0.2.0/25", true},
            {"host bits are ignored", "192.0.2.1", "192.0.2.99/24", true},
            {"v6 itself", "2001:db8::1", "2001:DB8:0::1", true},
            {"v6 range", "2001:db8:7fff::1", "2001:db8::/33", true},
            {"v6 whole", "::1", "::/0", true},
            {"mapped peer", "::ffff:192.0.2.7", "192.0.2.0/24", true},
            {"mapped range", "10.1.2.3", "::ffff:10.0.0.0/104", true},
            {"zone index", "fe80::1%eth0", "fe80::/10", true},
            {"any address", "192.0.2.7", "10.0.0.0/8\",\"192.0.2.0/24", true},

            {"other address", "192.0.2.8", "192.0.2.7", false},
            {"next range", "192.0.3.0", "192.0.2.0/24", false},
            {"next half", "192.0.2.128", "192.0.2.0/25", false},
            {"one bit of 32", "192.0.2.6", "192.0.2.7/32", false},
            {"v6 next half", "2001:db8:8000::1", "2001:db8::/33", false},
            {"v4 is not v6", "192.0.2.7", "::/0", false},
            {"v6 is not v4", "::1", "0.0.0.0/0", false},
            {"last bit of 128", "2001:db8::2", "2001:db8::3/128", false},
            {"no address at all", "unix", "0.0.0.0/0", false},
        };
        for (const AddressRow& row : rows) {
            CAPTURE(row.name);
            ConditionContext context;
            context.source_ip = row.address;
            const std::string keys = R"({"aws:SourceIp":[")" + std::string(row.range) + R"("]})";
            for (const bool negated : {false, true}) {
                const Json block =
                    parse((negated ? R"({"NotIpAddress":)" : R"({"IpAddress":)") + keys + "}");
                const auto conditions = Conditions::make(block);
                REQUIRE(conditions.has_value());
                CHECK(conditions->hold(context) == (row.want != negated));
                CHECK(naive::conditions_hold(block, context) == (row.want != negated));
            }
        }
    }

    TEST_CASE("ARN operators match part by part") {
        const Row rows[] = {
            {"equal",
             R"({"ArnEquals":{"aws:SourceArn":"arn:aws:execute-api:us-east-1:123456789012:abc123/prod/GET/pets/7"}})",
             true},
            {"equal takes wildcards",
             R"({"ArnEquals":{"aws:SourceArn":"arn:*:execute-api:*:*:*/GET/*"}})",
             true},
            {"like",
             R"({"ArnLike":{"aws:SourceArn":"arn:aws:execute-api:us-????-1:*:abc123/*"}})",
             true},
            {"not like", R"({"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:*:*:*"}})", true},
            {"not equal", R"({"ArnNotEquals":{"aws:SourceArn":"arn:aws:s3:*:*:*"}})", true},
            {"a star stays in its part",
             R"({"ArnLike":{"aws:SourceArn":"arn:aws:execute-api:*:abc123/*:*"}})",
             false},
            {"whole parts", R"({"ArnLike":{"aws:SourceArn":"arn:aws:execute:*:*:*"}})", false},
            {"excluded",
             R"({"ArnNotLike":{"aws:SourceArn":["arn:a:b:c:d:e","arn:aws:execute-api:*:*:*"]}})",
             false},
        };
        check_rows(rows);
        ConditionContext odd = make_context();
        odd.source_arn = "arn:aws:execute-api";
        const auto like = Conditions::make(parse(R"({"ArnLike":{"aws:SourceArn":"*:*:*:*:*:*"}})"));
        REQUIRE(like.has_value());
        CHECK_FALSE(like->hold(odd));
    }

    TEST_CASE("an absent key fails what is positive and passes what is negated") {
        const Row rows[] = {
            {"positive", R"({"StringEquals":{"aws:PrincipalArn":"x"}})", false},
            {"positive number", R"({"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}})", false},
            {"positive flag", R"({"Bool":{"aws:MultiFactorAuthPresent":"false"}})", false},
            {"positive address", R"({"IpAddress":{"aws:VpcSourceIp":"0.0.0.0/0"}})", false},
            {"positive date", R"({"DateLessThan":{"aws:TokenIssueTime":"2030-01-01"}})", false},
            {"misspelt key", R"({"StringLike":{"aws:UserAgents":"*"}})", false},
            {"no Referer sent", R"({"StringLike":{"aws:Referer":"*"}})", false},
            {"any value", R"({"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}})", false},
            {"any value negated", R"({"ForAnyValue:StringNotEquals":{"aws:TagKeys":"a"}})", false},

            {"negated", R"({"StringNotEquals":{"aws:PrincipalArn":"x"}})", true},
            {"negated like", R"({"StringNotLike":{"aws:Referer":"*"}})", true},
            {"negated address", R"({"NotIpAddress":{"aws:VpcSourceIp":"0.0.0.0/0"}})", true},
            {"if exists", R"({"StringEqualsIfExists":{"aws:PrincipalArn":"x"}})", true},
            {"negated if exists", R"({"StringNotEqualsIfExists":{"aws:PrincipalArn":"x"}})", true},
            {"all values", R"({"ForAllValues:StringEquals":{"aws:TagKeys":"a"}})", true},
            {"all values negated", R"({"ForAllValues:StringNotEquals":{"aws:TagKeys":"a"}})", true},
            {"any value if exists",
             R"({"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":"a"}})",
             true},
        };
        ConditionContext context = make_context();
        context.referer = {};
        check_rows(rows, context);
    }

    TEST_CASE("IfExists and the set operators judge a present key as without them") {
        const Row rows[] = {
            {"if exists", R"({"StringLikeIfExists":{"aws:UserAgent":"curl*"}})", true},
            {"if exists fails", R"({"StringLikeIfExists":{"aws:UserAgent":"wget*"}})", false},
            {"any", R"({"ForAnyValue:StringLike":{"aws:UserAgent":["w*","curl*"]}})", true},
            {"any fails", R"({"ForAnyValue:StringLike":{"aws:UserAgent":"w*"}})", false},
            {"all", R"({"ForAllValues:StringLike":{"aws:UserAgent":["w*","curl*"]}})", true},
            {"all fails", R"({"ForAllValues:StringLike":{"aws:UserAgent":"w*"}})", false},
            {"any negated fails",
             R"({"ForAnyValue:StringNotLike":{"aws:UserAgent":["w*","curl*"]}})",
             false},
        };
        check_rows(rows);
    }

    TEST_CASE("Null asks whether a key exists") {
        const Row rows[] = {
            {"absent", R"({"Null":{"aws:SourceVpc":"true"}})", true},
            {"present", R"({"Null":{"aws:UserAgent":false}})", true},
            {"either", R"({"Null":{"aws:UserAgent":["true","false"]}})", true},
            {"absent wanted", R"({"Null":{"aws:UserAgent":"true"}})", false},
            {"present wanted", R"({"Null":{"aws:SourceVpc":false}})", false},
        };
        check_rows(rows);
    }

    TEST_CASE("every operator and every key must hold") {
        const Row rows[] = {
            {"both operators",
             R"({"Bool":{"aws:SecureTransport":"true"},"StringLike":{"aws:UserAgent":"curl*"}})",
             true},
            {"first fails",
             R"({"Bool":{"aws:SecureTransport":"false"},"StringLike":{"aws:UserAgent":"curl*"}})",
             false},
            {"second fails",
             R"({"Bool":{"aws:SecureTransport":"true"},"StringLike":{"aws:UserAgent":"wget*"}})",
             false},
            {"second key fails",
             R"({"StringLike":{"aws:UserAgent":"curl*","aws:Referer":"http:*"}})",
             false},
        };
        check_rows(rows);
    }

    TEST_CASE("what fails is named with what was found") {
        std::string failed;
        const auto agent = Conditions::make(parse(R"({"StringLike":{"AWS:UserAgent":"wget*"}})"));
        REQUIRE(agent.has_value());
        CHECK_FALSE(agent->hold(make_context(), &failed));
        CHECK(failed == R"(StringLike AWS:UserAgent: found "curl/8.5")");
        const auto vpc = Conditions::make(parse(R"({"StringEquals":{"aws:SourceVpc":"vpc-1"}})"));
        REQUIRE(vpc.has_value());
        CHECK_FALSE(vpc->hold(make_context(), &failed));
        CHECK(failed == "StringEquals aws:SourceVpc: the key is absent");
        const auto date =
            Conditions::make(parse(R"({"DateLessThan":{"aws:CurrentTime":"2025-01-01"}})"));
        REQUIRE(date.has_value());
        CHECK_FALSE(date->hold(make_context(), &failed));
        CHECK(failed == R"(DateLessThan aws:CurrentTime: found "2026-01-01T00:00:00Z")");
    }

    TEST_CASE("unknown operators and pairs that cannot be judged are refused") {
        constexpr auto kUnsupported = Errc::condition_unsupported;
        const Refusal rows[] = {
            {"misspelt", R"({"StringEqual":{"aws:Referer":"x"}})", kUnsupported, "/StringEqual"},
            {"other case",
             R"({"stringEquals":{"aws:Referer":"x"}})",
             kUnsupported,
             "/stringEquals"},
            {"binary", R"({"BinaryEquals":{"x":"eA=="}})", kUnsupported, "/BinaryEquals"},
            {"empty name", R"({"":{"aws:Referer":"x"}})", kUnsupported, "/"},
            {"suffix alone", R"({"IfExists":{"aws:Referer":"x"}})", kUnsupported, "/IfExists"},
            {"suffix twice",
             R"({"BoolIfExistsIfExists":{"aws:Referer":"x"}})",
             kUnsupported,
             "/BoolIfExistsIfExists"},
            {"unknown prefix",
             R"({"ForSomeValues:Bool":{"aws:Referer":"x"}})",
             kUnsupported,
             "/ForSomeValues:Bool"},
            {"Null if exists",
             R"({"NullIfExists":{"aws:Referer":"true"}})",
             kUnsupported,
             "/NullIfExists"},
            {"Null of a set",
             R"({"ForAnyValue:Null":{"aws:Referer":"true"}})",
             kUnsupported,
             "/ForAnyValue:Null"},
            {"known after unknown",
             R"({"Bool":{"aws:SecureTransport":true},"Wat":{"a":"b"}})",
             kUnsupported,
             "/Wat"},
            {"number of a text",
             R"({"NumericEquals":{"aws:UserAgent":"1"}})",
             kUnsupported,
             "/NumericEquals/aws:UserAgent"},
            {"date of an address",
             R"({"DateEquals":{"aws:SourceIp":"0"}})",
             kUnsupported,
             "/DateEquals/aws:SourceIp"},
            {"flag of a text",
             R"({"Bool":{"aws:Referer":"true"}})",
             kUnsupported,
             "/Bool/aws:Referer"},
            {"range of a text",
             R"({"IpAddress":{"aws:Referer":"::1"}})",
             kUnsupported,
             "/IpAddress/aws:Referer"},
            {"ARN of a text",
             R"({"ArnLike":{"aws:Referer":"arn:a:b:c:d:e"}})",
             kUnsupported,
             "/ArnLike/aws:Referer"},
        };
        check_refusals(rows);
    }

    TEST_CASE("malformed values are refused when the policy is loaded") {
        constexpr auto kInvalid = Errc::policy_invalid;
        const Refusal rows[] = {
            {"null", "null", kInvalid, ""},
            {"list", "[]", kInvalid, ""},
            {"text", R"("x")", kInvalid, ""},
            {"operator null", R"({"Bool":null})", kInvalid, "/Bool"},
            {"operator list", R"({"Bool":[]})", kInvalid, "/Bool"},
            {"operator without keys", R"({"Bool":{}})", kInvalid, "/Bool"},
            {"key twice",
             R"({"StringLike":{"aws:Referer":"a","AWS:referer":"b"}})",
             kInvalid,
             "/StringLike/aws:Referer"},
            {"value null",
             R"({"StringLike":{"aws:Referer":null}})",
             kInvalid,
             "/StringLike/aws:Referer"},
            {"value object",
             R"({"StringLike":{"aws:Referer":{}}})",
             kInvalid,
             "/StringLike/aws:Referer"},
            {"list in list",
             R"({"StringLike":{"aws:Referer":["a",["b"]]}})",
             kInvalid,
             "/StringLike/aws:Referer/1"},
            {"no values",
             R"({"StringNotLike":{"aws:Referer":[]}})",
             kInvalid,
             "/StringNotLike/aws:Referer"},
            {"slash in a key",
             R"({"StringLike":{"aws:PrincipalTag/a":[]}})",
             kInvalid,
             "/StringLike/aws:PrincipalTag~1a"},
            {"variable in a text",
             R"({"StringEquals":{"aws:Referer":"${aws:username}"}})",
             kInvalid,
             "/StringEquals/aws:Referer"},
            {"variable in a pattern",
             R"({"StringLike":{"aws:Referer":["a","${x}"]}})",
             kInvalid,
             "/StringLike/aws:Referer/1"},
            {"variable of an absent key",
             R"({"StringLike":{"aws:x":"${x}"}})",
             kInvalid,
             "/StringLike/aws:x"},
            {"short ARN",
             R"({"ArnLike":{"aws:SourceArn":"arn:aws:s3::"}})",
             kInvalid,
             "/ArnLike/aws:SourceArn"},
            {"star as ARN",
             R"({"ArnLike":{"aws:SourceArn":"*"}})",
             kInvalid,
             "/ArnLike/aws:SourceArn"},
        };
        check_refusals(rows);
    }

    TEST_CASE("numbers dates flags and addresses must be well formed") {
        struct Value {
            const char* op;
            const char* key;
            std::string_view value;
        };

        const Value rows[] = {
            {"NumericEquals", "aws:EpochTime", ""},
            {"NumericEquals", "aws:EpochTime", "abc"},
            {"NumericEquals", "aws:EpochTime", "1x"},
            {"NumericEquals", "aws:EpochTime", " 1"},
            {"NumericEquals", "aws:EpochTime", "+1"},
            {"NumericEquals", "aws:EpochTime", ".5"},
            {"NumericEquals", "aws:EpochTime", "-"},
            {"NumericEquals", "aws:EpochTime", "0x10"},
            {"NumericEquals", "aws:EpochTime", "inf"},
            {"NumericEquals", "aws:EpochTime", "nan"},
            {"NumericEquals", "aws:EpochTime", "1e999"},
            {"NumericEquals", "aws:EpochTime", "true"},
            {"DateEquals", "aws:CurrentTime", ""},
            {"DateEquals", "aws:CurrentTime", "today"},
            {"DateEquals", "aws:CurrentTime", "2026"},
            {"DateEquals", "aws:CurrentTime", "2026-01"},
            {"DateEquals", "aws:CurrentTime", "2026-1-1"},
            {"DateEquals", "aws:CurrentTime", "2026-13-01"},
            {"DateEquals", "aws:CurrentTime", "2026-02-29"},
            {"DateEquals", "aws:CurrentTime", "2026-00-10"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T00:00:00"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01 00:00:00Z"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T00Z"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T24:00:00Z"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T00:60:00Z"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T00:00:60Z"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T00:00:00.Z"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T00:00:00Z "},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T00:00:00+0100"},
            {"DateEquals", "aws:CurrentTime", "2026-01-01T00:00:00+25:00"},
            {"DateEquals", "aws:CurrentTime", "20260101T000000Z"},
            {"DateEquals", "aws:CurrentTime", "-1"},
            {"DateEquals", "aws:CurrentTime", "1767225600000000"},
            {"Bool", "aws:SecureTransport", "yes"},
            {"Bool", "aws:SecureTransport", "1"},
            {"Bool", "aws:SecureTransport", ""},
            {"Null", "aws:Referer", "null"},
            {"IpAddress", "aws:SourceIp", ""},
            {"IpAddress", "aws:SourceIp", "*"},
            {"IpAddress", "aws:SourceIp", "192.0.2"},
            {"IpAddress", "aws:SourceIp", "192.0.2.256"},
            {"IpAddress", "aws:SourceIp", "192.0.2.01"},
            {"IpAddress", "aws:SourceIp", "192.0.2.0/33"},
            {"IpAddress", "aws:SourceIp", "192.0.2.0/"},
            {"IpAddress", "aws:SourceIp", "192.0.2.0/-1"},
            {"IpAddress", "aws:SourceIp", "192.0.2.0/024"},
            {"IpAddress", "aws:SourceIp", "192.0.2.0/24/24"},
            {"IpAddress", "aws:SourceIp", "192.0.2.0/255.255.255.0"},
            {"IpAddress", "aws:SourceIp", "2001:db8::/129"},
            {"IpAddress", "aws:SourceIp", "2001:db8:::1"},
            {"IpAddress", "aws:SourceIp", "fe80::1%eth0"},
            {"IpAddress", "aws:SourceIp", "::ffff:0:0/0"},
            {"IpAddress", "aws:SourceIp", "[::1]"},
            {"IpAddress", "aws:SourceIp", "example.com"},
            {"IpAddress", "aws:SourceIp", "2001:db8:2001:db8:2001:db8:2001:db8:2001:db8:2001:db8"},
        };
        for (const Value& row : rows) {
            CAPTURE(row.op);
            CAPTURE(row.value);
            const Json block = {{row.op, {{row.key, std::string(row.value)}}}};
            const auto conditions = Conditions::make(block);
            REQUIRE_FALSE(conditions.has_value());
            CHECK(conditions.error().errc() == Errc::policy_invalid);
            CHECK(conditions.error().detail.starts_with("/" + std::string(row.op) + "/" + row.key));
        }
    }

    TEST_CASE("the certificate of mutual TLS") {
        ConditionContext context = make_context();
        context.client_cert_subject = "C=US,CN=client";
        context.client_cert_issuer = "CN=Authority";
        context.client_cert_serial = "a1:b2";
        const Row rows[] = {
            {"subject",
             R"({"StringEquals":{"gatehouse:ClientCertSubjectDN":"C=US,CN=client"}})",
             true},
            {"subject by pattern",
             R"({"StringLike":{"gatehouse:clientCertSubjectDN":"*CN=cl?ent"}})",
             true},
            {"issuer",
             R"({"StringEquals":{"gatehouse:ClientCertIssuerDN":["x","CN=Authority"]}})",
             true},
            {"serial", R"({"StringEquals":{"gatehouse:ClientCertSerialNumber":"a1:b2"}})", true},
            {"there is one", R"({"Null":{"gatehouse:ClientCertSubjectDN":"false"}})", true},
            {"part of it",
             R"({"StringEquals":{"gatehouse:ClientCertSubjectDN":"CN=client"}})",
             false},
            {"case",
             R"({"StringEquals":{"gatehouse:ClientCertSubjectDN":"c=us,cn=client"}})",
             false},
            {"another", R"({"StringLike":{"gatehouse:ClientCertSubjectDN":"*CN=admin"}})", false},
            {"issuer for subject",
             R"({"StringEquals":{"gatehouse:ClientCertSubjectDN":"CN=Authority"}})",
             false},
            {"not this one",
             R"({"StringNotEquals":{"gatehouse:ClientCertIssuerDN":"CN=Authority"}})",
             false},
            {"another serial",
             R"({"StringEquals":{"gatehouse:ClientCertSerialNumber":"A1:B2"}})",
             false},
            {"there is none", R"({"Null":{"gatehouse:ClientCertSerialNumber":"true"}})", false},
            {"no such key", R"({"StringEquals":{"gatehouse:ClientCert":"C=US,CN=client"}})", false},
        };
        check_rows(rows, context);
        const Row without[] = {
            {"equals nothing", R"({"StringEquals":{"gatehouse:ClientCertSubjectDN":""}})", false},
            {"like anything", R"({"StringLike":{"gatehouse:ClientCertSubjectDN":"*"}})", false},
            {"none", R"({"Null":{"gatehouse:ClientCertSubjectDN":"true"}})", true},
        };
        check_rows(without, make_context());
        for (const char* op : {"NumericEquals", "Bool", "IpAddress", "ArnEquals", "DateEquals"}) {
            CAPTURE(op);
            CHECK_FALSE(
                Conditions::make({{op, {{"gatehouse:ClientCertSubjectDN", "1"}}}}).has_value());
        }
    }

    TEST_CASE("conditions count their memory") {
        const std::string value(500, 'a');
        const auto conditions = Conditions::make(
            {{"StringLike", {{"aws:Referer", value}}}, {"ArnLike", {{"x", "a:b:c:d:e:f"}}}});
        REQUIRE(conditions.has_value());
        CHECK(conditions->heap_bytes() > value.size());
    }
}

}  // namespace
}  // namespace gatehouse::policy::conditions_test
