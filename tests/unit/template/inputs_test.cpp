#include "fixture.hpp"

namespace inputs_test {

using namespace gatehouse;
using namespace gatehouse::templates;

namespace {

const Override* find_override(const std::vector<Override>& overrides, std::string_view name) {
    for (const Override& item : overrides) {
        if (item.name == name) return &item;
    }
    return nullptr;
}

}  // namespace

TEST_SUITE("template/inputs") {
    TEST_CASE("the payload as text, as JSON and as an object") {
        const std::string body =
            R"({"b": "x", "a": {"d": [1, {"e": "/\"f"}], "c": null}, "n": 1.50, "big": 12345678901234567890123, "t": true})";
        const Prints rows[] = {
            {"body", "$input.body", " { }x", " { }x"},
            {"no body", "$input.body $input.json('$') $input.path('$')", "{} {} {}"},
            {"json keeps the order and no blanks",
             "$input.json('$')",
             R"({"b":"x","a":{"d":[1,{"e":"/\"f"}],"c":null},"n":1.5,"big":12345678901234567890123,"t":true})",
             body},
            {"json of text has quotes", "$input.json('$.b')", "\"x\"", body},
            {"path of text has none", "$input.path('$.b')", "x", body},
            {"path of an object prints as Java's map",
             "$input.path('$')",
             R"({b=x, a={d=[1,{"e":"/\"f"}], c=null}, n=1.5, big=12345678901234567890123, t=true})",
             body},
            {"path of a list prints as JSON", "$input.path('$.a.d')", R"([1,{"e":"/\"f"}])", body},
            {"an element of a list prints as Java's map again",
             "$input.path('$.a.d')[1]",
             "{e=/\"f}",
             body},
            {"missing", "[$input.path('$.x')][$input.json('$.x')]", "[][\"\"]", body},
            {"null",
             "[$input.path('$.a.c')][$input.json('$.a.c')][$input.path('$').a.c]",
             "[][null][]",
             body},
            {"missing members",
             "[$input.path('$').x][$input.path('$').x.y][$input.path('$').get('x')]",
             "[][][]",
             body},
            {"missing members are not there",
             "$input.path('$').containsKey('x') $input.path('$').containsKey('b')",
             "false true",
             body},
            {"a text alone", "$input.path('$') $input.json('$')", "x \"x\"", "\"x\""},
            {"size of an object", "$input.path('$.a').size()", "2", body},
            {"count of a list", "$input.path('$.a.d').count()", "2", body},
            {"the object can be changed and the payload is it",
             "#set($r = $input.path('$'))#set($r.b = 'y')$input.json('$.b')",
             "\"y\"",
             body},
            {"controls in JSON",
             "$input.json('$')",
             "\"\\n\\t\\r\\u0001\\\\\"",
             "\"\\n\\t\\r\\u0001\\\\\""},
            {"a path made while rendering", "#set($k = 'b')$input.path(\"$['$k']\")", "x", body},
            {"an undefined path", "$input.path($nothing)", "$input.path($nothing)", body},
        };
        check_prints(rows);
    }

    TEST_CASE("a payload that is not JSON is the sender's fault and only when it is read as JSON") {
        CHECK(outcome("$input.body", "hello") == "hello");

        struct Row {
            const char* name;
            std::string body;
            Errc code;
        };

        const Row rows[] = {
            {"text", "hello", Errc::json_syntax},
            {"cut off", "{\"a\":", Errc::json_syntax},
            {"more behind it", "{} {}", Errc::json_syntax},
            {"a comma too much", "[1,]", Errc::json_syntax},
            {"bytes that are no UTF-8", "\"\xff\"", Errc::json_syntax},
            {"a byte order mark", "\xef\xbb\xbf{}", Errc::json_syntax},
            {"a NUL", std::string("{}\0", 3), Errc::json_syntax},
            {"a number beyond a double", "1e999", Errc::json_syntax},
            {"a member twice", R"({"a":1,"a":2})", Errc::json_duplicate_key},
            {"a member twice, null first", R"({"a":null,"a":2})", Errc::json_duplicate_key},
            {"too deep", repeat("[", 100) + repeat("]", 100), Errc::json_too_deep},
            {"very deep", repeat("[", 100000), Errc::json_too_deep},
            {"too many values", "[" + repeat("1,", 2000000) + "1]", Errc::limit_exceeded},
        };
        for (const Row& row : rows) {
            for (const char* text :
                 {"$input.json('$')", "$input.path('$.a')", "$util.parseJson($input.body)"}) {
                CAPTURE(row.name);
                CAPTURE(text);
                Given given;
                given.body = row.body;
                const auto rendered = render_text(text, given);
                REQUIRE_FALSE(rendered.has_value());
                CHECK(rendered.error().errc() == row.code);
            }
        }
    }

    TEST_CASE("parameters") {
        const Prints rows[] = {
            {"path first", "$input.params('id')", "7"},
            {"then the query string", "$input.params('q')", "a b"},
            {"then the headers", "$input.params('Accept')", "*/*"},
            {"names have a case", "[$input.params('accept')]", "[]"},
            {"missing is empty", "#if($input.params('x') == '')y#end", "y"},
            {"all as Java's map",
             "$input.params()",
             "{path={id=7}, querystring={q=a b, id=shadowed}, header={Accept=*/*, X-Id=h, "
             "q=shadowed}}"},
            {"one group",
             "$input.params().header.get('X-Id') $input.params().querystring.q "
             "$input.params().get('path')",
             "h a b {id=7}"},
            {"a missing one of a group", "[$input.params().header.nothing]", "[]"},
        };
        check_prints(rows);
    }

    TEST_CASE("context and stage variables") {
        const Prints rows[] = {
            {"text and number", "$context.apiId $context.requestTimeEpoch", "local 1783711144836"},
            {"members of members",
             "$context.authorizer.principalId ${context.identity.sourceIp}",
             "u1 192.0.2.1"},
            {"by index", "$context['apiId'] $context.authorizer['roles']", "local a,b"},
            {"missing is empty",
             "[$context.nothing][$context.authorizer.claims.sub][$context.identity.apiKey]",
             "[][][]"},
            {"groups can be walked",
             "#foreach($k in $context.authorizer.keySet())$k;#end",
             "principalId;roles;"},
            {"stage variables in each form",
             "$stageVariables.backend $stageVariables['a-b'] ${stageVariables['a-b']} "
             "$stageVariables.get('a-b') $stageVariables.a-b",
             "127.0.0.1:3000 dash dash dash dash"},
            {"a missing stage variable", "[$stageVariables.x]", "[]"},
        };
        check_prints(rows);
        CHECK(render(*compile("[$context.x][$stageVariables.x]$input.params()"), Inputs{})->text ==
              "[][]{path={}, querystring={}, header={}}");
    }

    TEST_CASE("overrides come out as they were set") {
        const auto rendered = render_text(
            "#set($context.requestOverride.header.X-A = 'one')\n"
            "#set($context.requestOverride.header['X-B'] = ['two', 3])\n"
            "#set($n = 'X-C')#set($context.requestOverride.header[$n] = true)\n"
            "#set($context.requestOverride.path.proxy = $input.params('id'))\n"
            "#set($context.requestOverride.querystring.q = '')\n"
            "#set($context.responseOverride.header.Y = {'a': 1})\n"
            "#set($context.responseOverride.status = 404)\n"
            "$context.responseOverride.status $context.requestOverride.header",
            {});
        REQUIRE(rendered.has_value());
        CHECK(rendered->text == "404 {X-A=one, X-B=[two, 3], X-C=true}");
        const Overrides& overrides = rendered->overrides;
        REQUIRE(overrides.request_headers.size() == 3);
        CHECK(find_override(overrides.request_headers, "X-A")->values ==
              std::vector<std::string>{"one"});
        CHECK(find_override(overrides.request_headers, "X-B")->values ==
              std::vector<std::string>{"two", "3"});
        CHECK(find_override(overrides.request_headers, "X-C")->values ==
              std::vector<std::string>{"true"});
        CHECK(find_override(overrides.request_path, "proxy")->values ==
              std::vector<std::string>{"7"});
        CHECK(find_override(overrides.request_querystring, "q")->values ==
              std::vector<std::string>{""});
        CHECK(find_override(overrides.response_headers, "Y")->values ==
              std::vector<std::string>{"{a=1}"});
        CHECK(overrides.response_status == 404);
    }

    TEST_CASE("a template that sets nothing gives back nothing") {
        const auto rendered = render_text("$context.apiId", {});
        REQUIRE(rendered.has_value());
        CHECK(rendered->overrides.request_headers.empty());
        CHECK_FALSE(rendered->overrides.response_status.has_value());
    }

    TEST_CASE("a response template sees what the request template set") {
        Given given;
        given.overrides.request_path = {{"stash", {"kept"}}};
        given.overrides.request_headers = {{"X", {"1", "2"}}};
        given.overrides.response_status = 201;
        const auto rendered = render_text(
            "$context.requestOverride.path.stash $context.requestOverride.header.X "
            "$context.responseOverride.status#set($context.responseOverride.header.Z = 'z')",
            given);
        REQUIRE(rendered.has_value());
        CHECK(rendered->text == "kept [1, 2] 201");
        CHECK(rendered->overrides.response_status == 201);
        CHECK(rendered->overrides.request_headers.at(0).values.size() == 2);
        CHECK(find_override(rendered->overrides.response_headers, "Z") != nullptr);
        const auto untouched = render_text("x", given);
        REQUIRE(untouched.has_value());
        CHECK(untouched->overrides.response_status == 201);
        CHECK(untouched->overrides.request_path.size() == 1);
    }

    TEST_CASE("an override is set once and a status is one") {
        const Refuses rows[] = {
            {"a header twice",
             "#set($context.requestOverride.header.X = '1')#set($context.requestOverride.header.X "
             "= '1')",
             "the override X is set twice"},
            {"the same by put",
             "#set($context.requestOverride.path.x = '1')#set($y = "
             "$context.requestOverride.path.put('x', '2'))",
             "the override x is set twice"},
            {"the same after a removal",
             "#set($context.requestOverride.path.x = '1')#set($y = "
             "$context.requestOverride.path.remove('x'))",
             "nothing can be removed"},
            {"a status twice",
             "#set($context.responseOverride.status = 200)#set($context.responseOverride.status = "
             "201)",
             "the override status is set twice"},
            {"a status that is none",
             "#set($context.responseOverride.status = 'teapot')",
             "no status from 200 to 599"},
            {"a status too low",
             "#set($context.responseOverride.status = 100)",
             "no status from 200 to 599"},
            {"a status too high",
             "#set($context.responseOverride.status = 600)",
             "no status from 200 to 599"},
            {"a status with a fraction",
             "#set($context.responseOverride.status = 200.5)",
             "no status from 200 to 599"},
            {"a group by put",
             "#set($y = $context.responseOverride.put('status', 1))",
             "the map is read only"},
        };
        check_render_fails(Errc::template_failed, rows);
        CHECK(
            outcome(
                "#set($context.responseOverride.status = '404')$context.responseOverride.status") ==
            "404");
    }

    TEST_CASE("the developer guide's samples in our own words") {
        const Prints rows[] = {
            {"all parameters into one object",
             "#set($all = $input.params())\n"
             "{\"params\":{\n"
             "#foreach($kind in $all.keySet())\n"
             "#set($group = $all.get($kind))\n"
             "\"$kind\":{\n"
             "#foreach($name in $group.keySet())\n"
             "\"$name\":\"$util.escapeJavaScript($group.get($name))\"\n"
             "#if($foreach.hasNext),#end\n"
             "#end\n"
             "}#if($foreach.hasNext),#end\n"
             "#end\n"
             "}}",
             "{\"params\":{\n\"path\":{\n\"id\":\"7\"\n}"
             ",\"querystring\":{\n\"q\":\"a b\"\n,\"id\":\"shadowed\"\n}"
             ",\"header\":{\n\"Accept\":\"*\\/*\"\n,\"X-Id\":\"h\"\n,\"q\":\"shadowed\"\n}}}"},
            {"a list mapped to another",
             "#set($root = $input.path('$'))\n"
             "[\n#foreach($item in $root.items)\n"
             "{\"n\":\"$item.name\",\"p\":$item.price}#if($foreach.hasNext),#end\n"
             "#end\n]",
             "[\n{\"n\":\"a\",\"p\":1.5},{\"n\":\"b\",\"p\":}]",
             R"({"items":[{"name":"a","price":1.5},{"name":"b"}]})"},
            {"an error message that is JSON in a text",
             "#set ($e = $util.parseJson($input.path('$.errorMessage')))\n{\"v\":$e.key2.arr[0]}",
             "{\"v\":1}",
             R"({"errorMessage":"{\"key1\":\"var1\",\"key2\":{\"arr\":[1,2,3]}}"})"},
            {"quotes that JSON knows",
             R"x(#set($d = "it's"){"v":"$util.escapeJavaScript($d).replaceAll("\\'","'")"})x",
             R"({"v":"it's"})"},
            {"records for a stream",
             "#set($count = $input.path('$.records').size())\n"
             "#set($last = $count - 1)\n"
             "#foreach($i in [0..$last])\n"
             "#set($b64 = $util.base64Encode($input.json(\"$.records[${i}].data\")))\n"
             "{\"Data\":\"$b64\"}#if($foreach.hasNext),#end\n"
             "#end",
             "{\"Data\":\"ImEi\"},{\"Data\":\"eyJiIjoxfQ==\"}",
             R"({"records":[{"data":"a"},{"data":{"b":1}}]})"},
            {"a status chosen by the body",
             "#set($root = $input.path('$'))\n$input.json(\"$\")\n"
             "#if($root.toString().contains(\"error\"))\n"
             "#set($context.responseOverride.status = 400)\n#end\n$context.responseOverride.status",
             "{\"error\":1}\n400",
             R"({"error":1})"},
            {"a block for each group, as Serverless Framework writes it",
             "#define($loop)\n{#foreach($key in $map.keySet())\n"
             "\"$key\":\"$util.escapeJavaScript($map.get($key))\"#if($foreach.hasNext),#end\n#end}"
             "\n#end\n"
             "#set($map = $context.authorizer)\n$loop#set($map = $input.params().path)\n$loop",
             "{\"principalId\":\"u1\",\"roles\":\"a,b\"}\n{\"id\":\"7\"}\n"},
            {"a queue's form",
             "Action=SendMessage&MessageBody=$util.urlEncode($input.body)",
             "Action=SendMessage&MessageBody=%7B%22a%22%3A+1%7D",
             R"({"a": 1})"},
        };
        check_prints(rows);
    }
}

}  // namespace inputs_test
