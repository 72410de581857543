#include "../../../src/forward/media_type.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace media_type_test {

using namespace gatehouse;

TEST_SUITE("forward/media_type") {
    TEST_CASE("only the first type counts and without its parameters") {
        CHECK(forward::first_media_type("image/png") == "image/png");
        CHECK(forward::first_media_type(" image/png ; q=0.5, text/html") == "image/png");
        CHECK(forward::first_media_type("text/html,image/png") == "text/html");
        CHECK(forward::first_media_type("") == "");
        CHECK(forward::first_media_type(";") == "");
    }

    TEST_CASE("binary types are matched whole or by their wildcard") {
        struct Row {
            std::vector<std::string> types;
            const char* type;
            bool binary;
        };

        const Row rows[] = {
            {{"image/png"}, "image/png", true},
            {{"image/png"}, "IMAGE/PNG", true},
            {{"text/plain", "image/png"}, "image/png", true},
            {{"image/*"}, "image/png", true},
            {{"*/*"}, "text/html", true},
            {{"*/*"}, "", true},
            {{}, "image/png", false},
            {{"image/png"}, "image/pn", false},
            {{"image/pn"}, "image/png", false},
            {{"image/*"}, "images/png", false},
            {{"image/*"}, "image", false},
            {{"image/png"}, "", false},
            {{""}, "", false},
            {{"image/*"}, "", false},
            {{"*"}, "image/png", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.type);
            CHECK(forward::is_binary(row.types, row.type) == row.binary);
        }
    }

    TEST_CASE("text types are the listed ones and their suffixes") {
        for (const char* type : {"text/plain",
                                 "TEXT/html",
                                 "application/json",
                                 "application/vnd.api+json",
                                 "image/svg+xml",
                                 "application/xml",
                                 "application/javascript",
                                 "application/x-www-form-urlencoded"}) {
            CAPTURE(type);
            CHECK(forward::is_text(type));
        }
        for (const char* type : {"",
                                 "text",
                                 "image/png",
                                 "application/octet-stream",
                                 "application/jsonp",
                                 "multipart/form-data"}) {
            CAPTURE(type);
            CHECK_FALSE(forward::is_text(type));
        }
    }
}

}  // namespace media_type_test
