#include "gatehouse/http/bearer.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <string>
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

    // Long tokens are looked at by sixteen bytes, the last of which overlap those before.
    TEST_CASE("one wrong byte refuses a token of any length, wherever it stands") {
        constexpr std::string_view kFine =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
        for (const std::size_t size : {1, 15, 16, 17, 31, 32, 33, 50}) {
            for (std::size_t at = 0; at < size; ++at) {
                for (int byte = 0; byte < 256; ++byte) {
                    std::string value = "Bearer " + std::string(size, 'x');
                    const char c = static_cast<char>(byte);
                    value[7 + at] = c;
                    if (c == '=' && at + 1 == size && size > 1) continue;  // padding
                    if (c == ' ' && at == 0 && size > 1) continue;         // of the scheme
                    CAPTURE(size);
                    CAPTURE(at);
                    CAPTURE(byte);
                    const bool fine = kFine.find(c) != std::string_view::npos;
                    REQUIRE(find_bearer_token(value).has_value() == fine);
                }
            }
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
