#include "gatehouse/http/bearer.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string_view>

namespace bearer_test {

using gatehouse::http::find_bearer_token;

TEST_SUITE("http/bearer") {
    TEST_CASE("one Bearer credential is found and nothing else is") {
        using std::string_view;

        struct Row {
            const char* name;
            string_view value;
            std::optional<string_view> want;
        };

        const Row rows[] = {
            {"plain", "Bearer abc", "abc"},
            {"lower case scheme", "bearer abc", "abc"},
            {"upper case scheme", "BEARER abc", "abc"},
            {"several spaces", "Bearer   abc", "abc"},
            {"compact JWS", "Bearer aA0-_.b.c", "aA0-_.b.c"},
            {"every b64token character", "Bearer a-._~+/Z9", "a-._~+/Z9"},
            {"padding at the end", "Bearer abc==", "abc=="},
            {"empty", "", std::nullopt},
            {"scheme alone", "Bearer", std::nullopt},
            {"scheme and space", "Bearer ", std::nullopt},
            {"no space", "Bearerabc", std::nullopt},
            {"tab instead of space", "Bearer\tabc", std::nullopt},
            {"tab after the space", "Bearer \tabc", std::nullopt},
            {"space before the scheme", " Bearer abc", std::nullopt},
            {"space at the end", "Bearer abc ", std::nullopt},
            {"two credentials", "Bearer abc def", std::nullopt},
            {"two in a list", "Bearer abc,def", std::nullopt},
            {"two schemes in a list", "Bearer abc, Bearer def", std::nullopt},
            {"padding alone", "Bearer ==", std::nullopt},
            {"padding in the middle", "Bearer a=b", std::nullopt},
            {"another scheme", "Basic abc", std::nullopt},
            {"token without scheme", "aaaa.bbbb.cccc", std::nullopt},
            {"scheme as a part", "XBearer abc", std::nullopt},
            {"auth parameters", "Bearer realm=\"x\"", std::nullopt},
            {"a control", string_view("Bearer a\0b", 10), std::nullopt},
            {"not ASCII", "Bearer a\xc3\xa4", std::nullopt},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(find_bearer_token(row.value) == row.want);
        }
    }

    TEST_CASE("the token is a view into the value") {
        constexpr std::string_view kValue = "Bearer abc";
        const auto token = find_bearer_token(kValue);
        REQUIRE(token);
        CHECK(token->data() == kValue.data() + 7);
    }
}

}  // namespace bearer_test
