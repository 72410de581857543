#include "../../../src/mapping/mock_status.hpp"

#include <doctest/doctest.h>

namespace mock_status_test {

using namespace gatehouse;

TEST_SUITE("mapping/mock_status") {
    TEST_CASE("an integer statusCode is read and anything else is none") {
        struct Row {
            const char* text;
            int status;  ///< 0: none
        };

        const Row rows[] = {
            {R"({"statusCode":200})", 200},
            {R"({ "a": [1,{"statusCode":1}], "statusCode" : 404 })", 404},
            {"{statusCode: 200}", 200},
            {"{'statusCode': 201}", 201},
            {"\n  {\n  statusCode: 500, text: \"a,b\"\n}\n", 500},
            {"{a: {statusCode: 1}, statusCode: 300}", 300},
            {R"({"statusCode":"200"})", 0},
            {R"({"statusCode":200.0})", 0},
            {R"({"statusCode":true})", 0},
            {R"({"statusCode":-1})", 0},
            {R"({"statusCode":1000})", 0},
            {R"({"statuscode":200})", 0},
            {"{statusCode: '200'}", 0},
            {"{statusCode: 200x}", 0},
            {"{statusCode: }", 0},
            {"{statusCode}", 0},
            {"{}", 0},
            {"[200]", 0},
            {"200", 0},
            {"", 0},
            {"{", 0},
        };
        for (const Row& row : rows) {
            CAPTURE(row.text);
            CHECK(mapping::read_mock_status(row.text).value_or(0) == row.status);
        }
    }
}

}  // namespace mock_status_test
