#include "fixture.hpp"

namespace parse_integration_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

// The example's first route is "GET /items", its second "ANY /files/{proxy+}".
void check_uri(const char* route_key, const std::string& uri, const std::string& words) {
    CAPTURE(uri);
    Json document = minimal_document();
    Json& route = document["apis"][0]["routes"][0];
    document["apis"][0]["stageVariables"] = {{"backend", "app:3000"}, {"path", "v1"}};
    route["routeKey"] = route_key;
    route["integration"]["uri"] = uri;
    const Loaded loaded = load(document);
    const std::string problems = show(loaded.problems);
    CAPTURE(problems);
    if (words.empty()) {
        CHECK(problems == "");
    } else {
        CHECK(loaded.problems.size() == 1);
        CHECK(has_problem(loaded.problems, "/apis/0/routes/0/integration/uri", words));
    }
}

}  // namespace

TEST_SUITE("config/parse_integration") {
    TEST_CASE("uris that can be served load") {
        for (const char* uri : {"http://app",
                                "http://app/",
                                "https://app.example:8443/a/b?x=1&y={id}",
                                "http://[::1]:3000/{id}",
                                "http://my_service:3000/{id}/x-{id}",
                                "http://${stageVariables.backend}/${stageVariables.path}/{id}",
                                "http://10.0.0.1/%7Eme/{id}",
                                "http://app/a/"}) {
            check_uri("GET /items/{id}", uri, "");
        }
    }

    TEST_CASE("uris that cannot be served are refused with the reason") {
        struct Row {
            const char* uri;
            const char* words;
        };

        const Row rows[] = {
            {"", "is no URL"},
            {"app:3000", "is no URL"},
            {"//app/", "is no URL"},
            {"ftp://app/", "is no URL"},
            {"http:/app/", "is no URL"},
            {"http://", "has no host"},
            {"http:///x", "has no host"},
            {"http://:80/x", "has no host"},
            {"http://app:/x", "the port is missing"},
            {"http://app:0/", "not 1 to 65535"},
            {"http://app:65536/", "not 1 to 65535"},
            {"http://app:80x/", "not 1 to 65535"},
            {"http://app:+80/", "not 1 to 65535"},
            {"http://user:secret@app/", "user name or password"},
            {"http://{id}/", "placeholder in its host"},
            {"http://app{id}:80/", "placeholder in its host"},
            {"http://app:{id}/", "placeholder in its host"},
            {"http://a_b..c/", "empty label"},
            {"http://app /", "no host name"},
            {"http://[::1/", "not closed"},
            {"http://[app]/", "no IPv6 address"},
            {"http://[::1]x/", "port is missing"},
            {"http://app/a#b", "fragment"},
            {"http://app/a b", "cannot have"},
            {"http://app/\xc3\xa9", "cannot have"},
            {"http://app/a\\b", "cannot have"},
            {"http://app/%zz", "two hexadecimal digits"},
            {"http://app/%2", "two hexadecimal digits"},
            {"http://app/a/../b", "dot segment"},
            {"http://app/.", "dot segment"},
            {"http://app//b", "empty segment"},
            {"http://app/{id", "without its \"}\""},
            {"http://app/id}", "without its \"{\""},
            {"http://app/{}", "is no placeholder"},
            {"http://app/{a b}", "cannot have"},
            {"http://app/{id+}", "write {id} without \"+\""},
            {"http://app/{other}", "{other} is no path parameter"},
            {"http://app/{idd}", "did you mean \"id\"?"},
            {"http://app/${name}/", "has the reference \"${name}\""},
            {"http://app/${stageVariables.none}", "stage variable \"none\" is not set"},
            {"http://${stageVariables.backnd}/", "did you mean \"backend\"?"},
            {"http://app/${stageVariables.path", "has a \"{\" without its \"}\""},
            {"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations",
             "a function is an integration of type AWS_PROXY"},
        };
        for (const Row& row : rows)
            check_uri("GET /items/{id}", row.uri, row.words);
    }

    TEST_CASE("stage variables are filled in and placeholders stay") {
        const Loaded loaded = parse(read_file("config/gatehouse.example.json"),
                                    make_environment({{"BACKEND", "app:9"}}));
        REQUIRE(show(loaded.problems) == "");
        CHECK(loaded.model.apis.at(0).routes.at(0).integration.uri == "http://app:9/items");
        CHECK(loaded.model.apis.at(0).routes.at(1).integration.uri ==
              "http://127.0.0.1:3000/files/{proxy}");
    }

    TEST_CASE("types that are not built are refused by name") {
        check_refusals(full_document(),
                       {
                           {"service",
                            "/apis/0/routes/0/integration/type",
                            "\"AWS\"",
                            "/apis/0/routes/0/integration/type",
                            "not supported by this version of Gatehouse yet"},
                           {"small letters",
                            "/apis/0/routes/0/integration/type",
                            "\"http_proxy\"",
                            "/apis/0/routes/0/integration/type",
                            "did you mean \"HTTP_PROXY\"?"},
                       });
    }

    TEST_CASE("keys of the other type are refused") {
        check_refusals(full_document(),
                       {
                           {"templates on a proxy",
                            "/apis/0/routes/0/integration/responseTemplates",
                            "{}",
                            "/apis/0/routes/0/integration/responseTemplates",
                            "would be ignored"},
                           {"status on a proxy",
                            "/apis/0/routes/0/integration/statusCode",
                            "200",
                            "/apis/0/routes/0/integration/statusCode",
                            "would be ignored"},
                           {"uri on a mock",
                            "/apis/0/routes/2/integration/uri",
                            "\"http://a/\"",
                            "/apis/0/routes/2/integration/uri",
                            "would be ignored"},
                           {"method on a mock",
                            "/apis/0/routes/2/integration/httpMethod",
                            "\"GET\"",
                            "/apis/0/routes/2/integration/httpMethod",
                            "would be ignored"},
                           {"timeout on a mock",
                            "/apis/0/routes/2/integration/timeoutInMillis",
                            "100",
                            "/apis/0/routes/2/integration/timeoutInMillis",
                            "would be ignored"},
                           {"mapping on a mock",
                            "/apis/0/routes/2/integration/requestParameters",
                            "{}",
                            "/apis/0/routes/2/integration/requestParameters",
                            "would be ignored"},
                           {"timeout too short",
                            "/apis/0/routes/0/integration/timeoutInMillis",
                            "49",
                            "/apis/0/routes/0/integration/timeoutInMillis",
                            "allowed: 50 to 29000"},
                           {"timeout too long",
                            "/apis/0/routes/0/integration/timeoutInMillis",
                            "29001",
                            "/apis/0/routes/0/integration/timeoutInMillis",
                            "allowed: 50 to 29000"},
                           {"method",
                            "/apis/0/routes/0/integration/httpMethod",
                            "\"get\"",
                            "/apis/0/routes/0/integration/httpMethod",
                            "did you mean \"GET\"?"},
                           {"connect",
                            "/apis/0/routes/0/integration/httpMethod",
                            "\"CONNECT\"",
                            "/apis/0/routes/0/integration/httpMethod",
                            "allowed: \"ANY\""},
                           {"mock status",
                            "/apis/0/routes/2/integration/statusCode",
                            "100",
                            "/apis/0/routes/2/integration/statusCode",
                            "allowed: 200 to 599"},
                           {"no media type",
                            "/apis/0/routes/2/integration/responseTemplates/json",
                            "\"x\"",
                            "/apis/0/routes/2/integration/responseTemplates/json",
                            "no MIME type"},
                           {"mapping template",
                            "/apis/0/routes/2/integration/responseTemplates/text~1plain",
                            "\"#set($a = 1)\"",
                            "/apis/0/routes/2/integration/responseTemplates/text~1plain",
                            "templates are rendered in"},
                           {"variable",
                            "/apis/0/routes/2/integration/responseTemplates/text~1plain",
                            "\"$context.requestId\"",
                            "/apis/0/routes/2/integration/responseTemplates/text~1plain",
                            "templates are rendered in"},
                       });
    }

    TEST_CASE("mappings go where they may go") {
        struct Row {
            const char* name;
            const char* destination;
            const char* source;
            const char* words;
        };

        const Row rows[] = {
            {"header", "integration.request.header.X-A", "method.request.header.X-B", ""},
            {"query", "integration.request.querystring.a", "method.request.querystring.b", ""},
            {"path", "integration.request.path.proxy", "method.request.path.proxy", ""},
            {"several values",
             "integration.request.header.X-A",
             "method.request.multivalueheader.X-B",
             ""},
            {"several query values",
             "integration.request.querystring.a",
             "method.request.multivaluequerystring.b",
             ""},
            {"context", "integration.request.header.X-A", "context.identity.sourceIp", ""},
            {"authorizer context",
             "integration.request.header.X-A",
             "context.authorizer.tenantId",
             ""},
            {"principal", "integration.request.header.X-A", "context.authorizer.principalId", ""},
            {"claim", "integration.request.header.X-A", "context.authorizer.claims.email", ""},
            {"stage variable", "integration.request.header.X-A", "stageVariables.backend", ""},
            {"constant", "integration.request.header.X-A", "'it''s'", ""},
            {"empty constant", "integration.request.header.X-A", "''", ""},
            {"host", "integration.request.header.Host", "'app.internal'", ""},
            {"content length", "integration.request.header.content-length", "'1'", "gateway's own"},
            {"transfer encoding",
             "integration.request.header.Transfer_Encoding",
             "'chunked'",
             "gateway's own"},
            {"trace id", "integration.request.header.X-Amzn-Trace-Id", "'1'", "gateway's own"},
            {"api id",
             "integration.request.header.x-amzn-apigateway-api-id",
             "'1'",
             "gateway's own"},
            {"request context",
             "integration.request.header.X-Amzn-Request-Context",
             "'{}'",
             "gateway's own"},
            {"connection", "integration.request.header.Connection", "'close'", "never passed on"},
            {"te", "integration.request.header.TE", "'trailers'", "never passed on"},
            {"via", "integration.request.header.Via", "'x'", "never passed on"},
            {"expect", "integration.request.header.Expect", "'x'", "never passed on"},
            {"no header name", "integration.request.header.X A", "'x'", "no header name"},
            {"empty header name", "integration.request.header.", "'x'", "no destination"},
            {"empty path name", "integration.request.path.", "'x'", "no destination"},
            {"query with a separator",
             "integration.request.querystring.a&b",
             "'x'",
             "no name of a query parameter"},
            {"body", "integration.request.body", "'x'", "no destination"},
            {"method side", "method.request.header.X-A", "'x'", "no destination"},
            {"HTTP API form", "append:header.X-A", "'x'", "no destination"},
            {"unused path name", "integration.request.path.other", "'x'", "the uri has no {other}"},
            {"body source",
             "integration.request.header.X-A",
             "method.request.body",
             "integrations of type HTTP alone"},
            {"body member",
             "integration.request.header.X-A",
             "method.request.body.a",
             "integrations of type HTTP alone"},
            {"unknown part",
             "integration.request.header.X-A",
             "method.request.cookie.a",
             "no part of a request"},
            {"no name",
             "integration.request.header.X-A",
             "method.request.querystring.",
             "names no parameter"},
            {"unknown path parameter",
             "integration.request.header.X-A",
             "method.request.path.prxy",
             "did you mean \"proxy\"?"},
            {"unknown context",
             "integration.request.header.X-A",
             "context.identity.sourceIP",
             "did you mean \"identity.sourceIp\"?"},
            {"access-log variable",
             "integration.request.header.X-A",
             "context.responseLatency",
             "access logs only"},
            {"unknown authorizer key",
             "integration.request.header.X-A",
             "context.authorizer.userID",
             "did you mean \"userId\"?"},
            {"unset stage variable",
             "integration.request.header.X-A",
             "stageVariables.none",
             "is not set"},
            {"dollar",
             "integration.request.header.X-A",
             "$context.requestId",
             "leave the \"$\" out"},
            {"bare word", "integration.request.header.X-A", "hello", "'constant' in single quotes"},
            {"double quotes",
             "integration.request.header.X-A",
             "\"hello\"",
             "'constant' in single quotes"},
            {"empty", "integration.request.header.X-A", "", "is no source"},
            {"constant left open", "integration.request.header.X-A", "'hello", "not closed"},
            {"lone quote", "integration.request.header.X-A", "'", "not closed"},
            {"line end in a constant",
             "integration.request.header.X-A",
             "'a\r\nX-B: 1'",
             "control character"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json document = full_document();
            document["apis"][0]["routes"][1]["integration"]["requestParameters"][row.destination] =
                row.source;
            const Loaded loaded = load(document);
            const std::string problems = show(loaded.problems);
            CAPTURE(problems);
            CHECK(loaded.problems.size() == (*row.words == '\0' ? 0U : 1U));
            if (*row.words == '\0') continue;
            CHECK(has_problem(
                loaded.problems,
                "/apis/0/routes/1/integration/requestParameters/" + std::string(row.destination),
                row.words));
        }
    }

    TEST_CASE("two spellings of one header are refused") {
        Json document = full_document();
        Json& mappings = document["apis"][0]["routes"][0]["integration"]["requestParameters"];
        mappings["integration.request.header.x_user_ID"] = "'x'";
        const Loaded loaded = load(document);
        CHECK(loaded.problems.size() == 1);
        CHECK(has_problem(
            loaded.problems,
            "/apis/0/routes/0/integration/requestParameters/integration.request.header.x_user_ID",
            "sets the header"));
    }
}

}  // namespace parse_integration_test
