#include "gatehouse/policy/arn.hpp"

#include "gatehouse/core/limits.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace gatehouse::policy::arn_test {
namespace {

constexpr std::string_view kPrefix = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/";

TEST_SUITE("policy/arn") {
    TEST_CASE("the partition of a stage follows its region") {
        struct Row {
            const char* name;
            StageName stage;
            std::string_view want;
        };

        const Row rows[] = {
            {"commercial",
             {"us-east-1", "123456789012", "local", "prod"},
             "arn:aws:execute-api:us-east-1:123456789012:local/prod/"},
            {"China",
             {"cn-north-1", "123456789012", "local", "prod"},
             "arn:aws-cn:execute-api:cn-north-1:123456789012:local/prod/"},
            {"GovCloud",
             {"us-gov-west-1", "123456789012", "local", "prod"},
             "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:local/prod/"},
            {"default stage of an HTTP API",
             {"eu-west-1", "000000000000", "a1", "$default"},
             "arn:aws:execute-api:eu-west-1:000000000000:a1/$default/"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(make_stage_prefix(row.stage) == row.want);
        }
    }

    TEST_CASE("the stage ARN covers everything below the stage") {
        CHECK(make_stage_arn(kPrefix) == std::string(kPrefix) + "*");
    }

    TEST_CASE("a method ARN holds verb and path as requested") {
        struct Row {
            const char* name;
            std::string_view verb;
            std::string_view path;
            std::string_view text;
            std::string_view alternate;
        };

        const Row rows[] = {
            {"root has a slash and no other form", "GET", "/", "GET/", ""},
            {"plain path", "GET", "/pets/7", "GET/pets/7", "GET/pets/7/"},
            {"trailing slash is kept", "GET", "/pets/", "GET/pets/", "GET/pets"},
            {"percent-encoding is kept", "PUT", "/a%2Fb", "PUT/a%2Fb", "PUT/a%2Fb/"},
            {"colons stay as they are",
             "GET",
             "/at/12:30:00",
             "GET/at/12:30:00",
             "GET/at/12:30:00/"},
            {"stars are only text", "GET", "/*", "GET/*", "GET/*/"},
        };
        std::string buffer = "left from before";
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto arn = make_method_arn(kPrefix, row.verb, row.path, buffer);
            REQUIRE(arn.has_value());
            CHECK(arn->text == std::string(kPrefix).append(row.text));
            if (row.alternate.empty()) {
                CHECK(arn->alternate.empty());
            } else {
                CHECK(arn->alternate == std::string(kPrefix).append(row.alternate));
            }
        }
    }

    TEST_CASE("a method ARN may have 1600 bytes and no more") {
        std::string buffer;
        const std::size_t fixed = kPrefix.size() + 3;
        for (const char last : {'a', '/'}) {
            CAPTURE(last);
            std::string path = "/" + std::string(limits::kMethodArnBytes - fixed - 2, 'a') + last;
            const auto longest = make_method_arn(kPrefix, "GET", path, buffer);
            REQUIRE(longest.has_value());
            CHECK(longest->text.size() == limits::kMethodArnBytes);
            const auto too_long = make_method_arn(kPrefix, "GET", path.insert(1, 1, 'a'), buffer);
            REQUIRE_FALSE(too_long.has_value());
            CHECK(too_long.error().errc() == Errc::arn_too_long);
        }
    }

    TEST_CASE("a path without a leading slash makes no ARN") {
        std::string buffer;
        for (const std::string_view path : {"", "*", "pets", "?x"}) {
            CAPTURE(path);
            const auto arn = make_method_arn(kPrefix, "GET", path, buffer);
            REQUIRE_FALSE(arn.has_value());
            CHECK(arn.error().errc() == Errc::arn_invalid);
        }
    }
}

}  // namespace
}  // namespace gatehouse::policy::arn_test
