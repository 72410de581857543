#include "../../../src/functions/runtime_api.hpp"

#include "gatehouse/core/json.hpp"

#include <doctest/doctest.h>

namespace runtime_api_test {

using namespace gatehouse;
using namespace gatehouse::functions;
using Verb = RuntimeRequest::Verb;

TEST_SUITE("functions/runtime_api") {
    TEST_CASE("requests are told apart by method and path") {
        struct Row {
            const char* name;
            const char* method;
            const char* target;
            Verb verb;
            const char* id;
        };

        const Row rows[] = {
            {"next", "GET", "/2018-06-01/runtime/invocation/next", Verb::next, ""},
            {"response",
             "POST",
             "/2018-06-01/runtime/invocation/a-1/response",
             Verb::response,
             "a-1"},
            {"error", "POST", "/2018-06-01/runtime/invocation/a-1/error", Verb::error, "a-1"},
            {"init error", "POST", "/2018-06-01/runtime/init/error", Verb::init_error, ""},
            {"next by POST", "POST", "/2018-06-01/runtime/invocation/next", Verb::wrong_method, ""},
            {"response by GET",
             "GET",
             "/2018-06-01/runtime/invocation/a/response",
             Verb::wrong_method,
             "a"},
            {"init error by PUT", "PUT", "/2018-06-01/runtime/init/error", Verb::wrong_method, ""},
            {"another version", "GET", "/2015-03-31/runtime/invocation/next", Verb::unknown, ""},
            {"no id", "POST", "/2018-06-01/runtime/invocation//response", Verb::unknown, ""},
            {"nothing behind the id",
             "POST",
             "/2018-06-01/runtime/invocation/a",
             Verb::unknown,
             ""},
            {"something else behind the id",
             "POST",
             "/2018-06-01/runtime/invocation/a/b",
             Verb::unknown,
             ""},
            {"more behind response",
             "POST",
             "/2018-06-01/runtime/invocation/a/response/",
             Verb::unknown,
             ""},
            {"a query", "GET", "/2018-06-01/runtime/invocation/next?a", Verb::unknown, ""},
            {"the restore calls of SnapStart",
             "GET",
             "/2018-06-01/runtime/restore/next",
             Verb::unknown,
             ""},
            {"root", "GET", "/", Verb::unknown, ""},
            {"empty", "GET", "", Verb::unknown, ""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            const RuntimeRequest request = parse_runtime_request(row.method, row.target);
            CHECK(request.verb == row.verb);
            CHECK(request.id == row.id);
        }
    }

    TEST_CASE("answers are JSON with a content type") {
        CHECK(runtime_accepted().status == 202);
        CHECK(runtime_accepted().content_type == "application/json");
        CHECK(runtime_accepted().body == R"({"status":"OK"})");
        const auto refused = runtime_refused(403, "A", "b \"c\"");
        CHECK(refused.status == 403);
        CHECK(refused.content_type == "application/json");
        CHECK(refused.body == R"({"errorMessage":"b \"c\"","errorType":"A"})");
    }

    TEST_CASE("error objects are worded as Lambda words them") {
        CHECK(error_object("Runtime.ExitError", "id", "Runtime exited with error: exit status 1") ==
              R"({"errorType":"Runtime.ExitError","errorMessage":"RequestId: id Error: )"
              R"(Runtime exited with error: exit status 1"})");
        CHECK(parse_json(error_object("a\"", "", "b\n")).has_value());
    }
}

}  // namespace runtime_api_test
