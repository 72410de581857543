#include "fixture.hpp"

namespace parse_reference_test {

using namespace gatehouse;
using namespace gatehouse::templates;

TEST_SUITE("template/parse_reference") {
    TEST_CASE("a reference ends where Velocity ends it") {
        const Prints rows[] = {
            {"plain", "#set($a = 1)$a.", "1."},
            {"a dot and a blank", "#set($a = 1)$a. b", "1. b"},
            {"a dot and a digit", "#set($a = 1)$a.5", "1.5"},
            {"a minus sign and an underscore belong to it", "#set($a-b_c = 1)$a-b_c", "1"},
            {"formal", "#set($a = 1)${a}b", "1b"},
            {"quiet", "#set($a = 1)$!a $!{a}b $!x $!{x}.", "1 1b  ."},
            {"a bracket of text", "#set($a = 1)$a(b)", "1(b)"},
            {"a blank before a bracket", "#set($a = {\"b\": 1})$a.b (c)", "1 (c)"},
            {"behind a bracket", "#set($a = 'x')$a.length().", "1."},
            {"next to each other", "#set($a = 1)$a$a$x", "11$x"},
            {"before a directive", "#set($a = 1)$a#if(true)b#end", "1b"},
            {"members and indices",
             "#set($a = {\"b\": [{\"c-d\": 5}]})$a.b[0].c-d ${a.b[0]['c-d']}",
             "5 5"},
            {"an index that is a reference", "#set($a = [7, 8])#set($i = 1)$a[$i]", "8"},
            {"an index from the end", "#set($a = [7, 8])$a[-1]", "8"},
            {"a chain of calls", "#set($a = ' xY ')$a.trim().toLowerCase().length()", "2"},
        };
        check_prints(rows);
    }

    TEST_CASE("an undefined reference prints as it was written") {
        const Prints rows[] = {
            {"plain",
             "$a ${a} $a.b ${a.b} $a.size() $a['x'] $a[0]",
             "$a ${a} $a.b ${a.b} $a.size() $a['x'] $a[0]"},
            {"a member that a plain map lacks",
             "#set($a = {})$a.b $a.get('b') $a['b']",
             "$a.b $a.get('b') $a['b']"},
            {"a method that the type lacks", "#set($a = 'x')$a.size() $a.b", "$a.size() $a.b"},
            {"arguments of another type", "#set($a = 'x')$a.contains(1)", "$a.contains(1)"},
            {"put of a new key", "#set($a = {})$a.put('k', 'v')$a", "$a.put('k', 'v'){k=v}"},
            {"the loop outside of one",
             "$foreach.index $velocityCount",
             "$foreach.index $velocityCount"},
        };
        check_prints(rows);
    }

    TEST_CASE("names that nothing answers to are refused") {
        const Refuses rows[] = {
            {"an unknown $util function",
             "$util.toJson($x)",
             "$util.toJson is not supported: $util has escapeJavaScript"},
            {"the quiet return of another service", "$util.qr($x)", "$util.qr is not supported"},
            {"$util with too much", "$util.urlEncode('a', 'b')", "each with one argument"},
            {"$util with nothing", "$util.urlEncode()", "each with one argument"},
            {"$util as a map", "$util.urlEncode", "$util.urlEncode is not supported"},
            {"$util alone", "$util", "$util alone is not supported"},
            {"an unknown $input function",
             "$input.header('x')",
             "$input.header() with 1 arguments is not supported"},
            {"$input.json without a path", "$input.json()", "$input.json() with 0 arguments"},
            {"$input.body()", "$input.body()", "$input.body() with 0 arguments"},
            {"an unknown $input member", "$input.headers", "$input.headers is not supported"},
            {"$input as a map", "$input['body']", "is not supported: $input has"},
            {"$input alone", "$input", "$input alone is not supported"},
            {"an unknown method", "$x.getClass()", "the method getClass() is not supported"},
            {"an unknown method in a chain",
             "$input.path('$').stream()",
             "the method stream() is not supported"},
            {"a method with too many arguments",
             "$x.trim('a')",
             "trim() with 1 arguments is not supported"},
            {"a method with too few arguments",
             "$x.replaceAll('a')",
             "replaceAll() with 1 arguments"},
            {"the property class", "$x.class", "the property class is not supported"},
            {"the property class further on",
             "$x.y.class.name",
             "the property class is not supported"},
            {"$foreach alone", "$foreach", "$foreach is not supported: $foreach has index"},
            {"an unknown member of $foreach", "$foreach.size", "$foreach.size is not supported"},
            {"more behind a member of $foreach",
             "$foreach.index.x",
             "is not supported: $foreach has"},
            {"$foreach.parent alone", "$foreach.parent", "is not supported: $foreach has"},
            {"an alternate value", "${x|'y'}", "an alternate value"},
            {"an open formal reference", "${x", "${x needs a } here, found the end"},
            {"text in a formal reference", "${x y}", "${x needs a } here"},
            {"a bare word as an index", "$x[y]", "expected a value or a $reference"},
            {"a real as an index", "$x[1.5]", "an index is a string, an integer or a $reference"},
            {"an open index", "$x[1", "an index needs a ] here"},
            {"a JSONPath that cannot be used",
             "$input.path('$.a[?(@.b)]')",
             "filters [?(…)] are not supported"},
            {"the same in double quotes",
             "$input.json(\"$.a.length()\")",
             "length() are not supported"},
            {"a regular expression that cannot be used",
             "$x.replaceAll('(?=a)', '')",
             "the regular expression (?=a) is not supported"},
            {"an open one", "$x.matches('(')", "the regular expression ( is not supported"},
        };
        check_compile_refuses(rows);
    }

    TEST_CASE("set writes where the service lets it") {
        const Refuses rows[] = {
            {"$input", "#set($input = 1)", "$input alone is not supported"},
            {"$context", "#set($context = 1)", "#set cannot write to $context"},
            {"$util", "#set($util = 1)", "$util alone is not supported"},
            {"$stageVariables",
             "#set($stageVariables = 1)",
             "#set cannot write to $stageVariables"},
            {"a stage variable",
             "#set($stageVariables.x = 1)",
             "#set cannot write to $stageVariables"},
            {"$velocityCount", "#set($velocityCount = 1)", "#set cannot write to $velocityCount"},
            {"the body", "#set($input.body = 1)", "#set cannot write to $input"},
            {"a method's result", "#set($x.get('a') = 1)", "a method's result"},
            {"a context variable",
             "#set($context.stage = 'x')",
             "#set of $context.stage is not supported"},
            {"the override itself",
             "#set($context.requestOverride = {})",
             "is not supported: $context takes"},
            {"a group of overrides",
             "#set($context.requestOverride.header = {})",
             "is not supported: $context takes"},
            {"an unknown group",
             "#set($context.requestOverride.body.x = 1)",
             "is not supported: $context takes"},
            {"a status that is no member",
             "#set($context.responseOverride.status.x = 1)",
             "is not supported: $context takes"},
            {"a query string of the response",
             "#set($context.responseOverride.querystring.x = 1)",
             "is not supported: $context takes"},
            {"a loop over $context",
             "#foreach($context in [1])#end",
             "#foreach cannot write to $context"},
            {"a loop over a member", "#foreach($x.y in [1])#end", "#foreach cannot write to $x.y"},
            {"a definition of $input", "#define($input)#end", "$input alone is not supported"},
            {"no variable", "#foreach(x in [1])#end", "#foreach needs a $variable"},
            {"no in", "#foreach($x of [1])#end", "#foreach needs the word in"},
            {"no end", "a\n#foreach($x in [1])b", "line 2, column 9: #foreach has no #end"},
            {"else of a loop", "#foreach($x in [1])#else#end", "#foreach has no #else"},
            {"else twice", "#if(true)#else#else#end", "behind an #else"},
        };
        check_compile_refuses(rows);
    }
}

}  // namespace parse_reference_test
