#include "gatehouse/net/lambda_client.hpp"

#include <doctest/doctest.h>

#include <string>

namespace lambda_answer_test {

using namespace gatehouse;
using End = authz::Invocation::End;

TEST_SUITE("net/lambda_answer") {
    TEST_CASE("what an answer means") {
        const std::string thrown =
            R"({"errorType":"Error","errorMessage":"Unauthorized","trace":["Error"]})";

        struct Row {
            const char* name;
            int status;
            const char* function_error;
            std::string body;
            End end;
        };

        const Row rows[] = {
            {"returned", 200, "", R"({"a":1})", End::returned},
            {"returned nothing", 200, "", "", End::returned},
            {"returned garbage", 200, "", "<html>", End::returned},
            {"function error", 200, "Unhandled", thrown, End::failed},
            {"function error of the handler", 200, "Handled", "{}", End::failed},
            {"emulator without the header", 200, "", thrown, End::failed},
            {"emulator after a crash", 502, "", thrown, End::failed},
            {"more than an error object",
             200,
             "",
             R"({"errorType":"a","errorMessage":"b","statusCode":200})",
             End::returned},
            {"policy beside an error",
             200,
             "",
             R"({"errorType":"a","errorMessage":"Unauthorized","policyDocument":{}})",
             End::returned},
            {"message alone", 200, "", R"({"errorMessage":"Unauthorized"})", End::returned},
            {"message that is no text",
             200,
             "",
             R"({"errorType":"a","errorMessage":1})",
             End::returned},
            {"a list", 200, "", R"(["errorType","errorMessage"])", End::returned},
            {"message named twice",
             200,
             "",
             R"({"errorType":"a","errorMessage":"x","errorMessage":"Unauthorized"})",
             End::returned},
            {"timeout of the emulator",
             200,
             "",
             "Task timed out after 3.00 seconds",
             End::returned},
            {"no such function",
             404,
             "",
             R"({"Message":"Function not found"})",
             End::not_invokable},
            {"error object of a proxy", 500, "", thrown, End::not_invokable},
            {"error header beside a 500", 500, "Unhandled", thrown, End::not_invokable},
            {"service error", 502, "", R"({"Type":"User"})", End::not_invokable},
            {"throttled", 429, "", "{}", End::not_invokable},
            {"redirect", 302, "", "", End::not_invokable},
            {"accepted as an event", 202, "", "{}", End::not_invokable},
            {"no content", 204, "", "", End::not_invokable},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const auto outcome = net::read_invoke_answer(row.status, row.function_error, row.body);
            CHECK(outcome.end == row.end);
            const bool kept = row.end == End::returned || row.end == End::failed;
            CHECK(outcome.payload == (kept ? row.body : ""));
            CHECK(outcome.detail.empty() == (row.end == End::returned));
            CHECK(outcome.detail.find("Unauthorized") == std::string::npos);
        }
    }

    TEST_CASE("where a function is called") {
        struct Row {
            const char* endpoint;
            const char* function;
            const char* url;  ///< empty: refused
        };

        const Row rows[] = {
            {"http://127.0.0.1:9000",
             "authz",
             "http://127.0.0.1:9000/2015-03-31/functions/authz/invocations"},
            {"http://127.0.0.1:9000/",
             "authz",
             "http://127.0.0.1:9000/2015-03-31/functions/authz/invocations"},
            {"https://lambda.example/base/",
             "a b/c",
             "https://lambda.example/base/2015-03-31/functions/a%20b%2Fc/invocations"},
            {"http://h",
             "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST",
             "http://h/2015-03-31/functions/"
             "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af%3A%24LATEST/"
             "invocations"},
            {"http://h:8080/2015-03-31/functions/function/invocations",
             "authz",
             "http://h:8080/2015-03-31/functions/function/invocations"},
            {"http://h/2015-03-31/functions/function", "authz", ""},
            {"ftp://h", "authz", ""},
            {"127.0.0.1:9000", "authz", ""},
            {"http://", "authz", ""},
            {"", "authz", ""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.endpoint);
            const auto url = net::invoke_url(row.endpoint, row.function);
            CHECK(url.has_value() == (row.url[0] != '\0'));
            if (url) CHECK(*url == row.url);
        }
    }
}

}  // namespace lambda_answer_test
