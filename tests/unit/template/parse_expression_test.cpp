#include "fixture.hpp"

namespace parse_expression_test {

using namespace gatehouse;
using namespace gatehouse::templates;

TEST_SUITE("template/parse_expression") {
    TEST_CASE("operators bind as in Velocity") {
        const Prints rows[] = {
            {"product before sum", "#set($a = 1 + 2 * 3)$a", "7"},
            {"brackets first", "#set($a = (1 + 2) * 3)$a", "9"},
            {"from the left", "#set($a = 10 - 3 - 2)$a", "5"},
            {"sum before order", "#set($a = 1 + 1 < 3)$a", "true"},
            {"order before equality", "#set($a = 1 < 2 == true)$a", "true"},
            {"and before or", "#set($a = true || false && false)$a", "true"},
            {"not before and", "#set($a = !false && true)$a", "true"},
            {"words",
             "#if(1 lt 2 and 2 gt 1 and 1 le 1 and 1 ge 1 and 1 eq 1 and 1 ne 2)y#end",
             "y"},
            {"or and not as words", "#if(not true or not false)y#end", "y"},
            {"over several lines", "#if(true\n  &&\ttrue)y#end", "y"},
            {"a name may hold a minus sign", "#set($a-1 = 5)$a-1", "5"},
            {"a minus sign between spaces", "#set($a = 3)#set($b = $a - 1)$b", "2"},
            {"negative numbers", "#set($a = 3 + -5)$a", "-2"},
        };
        check_prints(rows);
    }

    TEST_CASE("literals are what they say") {
        const Prints rows[] = {
            {"integers",
             "#set($a = [0, -1, 9223372036854775807])$a",
             "[0, -1, 9223372036854775807]"},
            {"reals",
             "#set($a = [1.5, -0.25, 1e3, 1.5E-7, .5])$a",
             "[1.5, -0.25, 1000.0, 1.5E-7, 0.5]"},
            {"booleans", "#set($a = [true, false])$a", "[true, false]"},
            {"an empty list and map", "#set($a = [])#set($b = {})$a$b", "[]{}"},
            {"nested",
             "#set($a = {\"k\": [1, {\"l\": 'm'}], 2: true})$a",
             "{k=[1, {l=m}], 2=true}"},
            {"blanks anywhere", "#set( $a = [ 1 ,\n { 'k' : 2 } ] )$a", "[1, {k=2}]"},
            {"ranges", "#set($a = [1..3])#set($b = [ 1 .. -1 ])$a$b", "[1, 2, 3][1, 0, -1]"},
            {"a range of references", "#set($n = 2)#set($a = [$n..$n])$a", "[2]"},
            {"a range without an end", "#set($a = [1..$x])$a", "$a"},
        };
        check_prints(rows);
    }

    TEST_CASE("double quotes interpolate and single quotes do not") {
        const Prints rows[] = {
            {"single", "#set($a = 1)#set($b = '$a ${a} #if')$b", "$a ${a} #if"},
            {"double", "#set($a = 1)#set($b = \"<$a${a}b>\")$b", "<11b>"},
            {"undefined", "#set($b = \"<$x>$!x\")$b", "<$x>"},
            {"directives", "#set($b = \"#if(true)a#{else}b#end\")$b", "a"},
            {"a loop", "#set($b = \"#foreach($i in [1,2])$i;#end\")$b", "1;2;"},
            {"in arguments", "#set($i = 0)$input.path(\"$.a[${i}]\")", "x", R"({"a":["x"]})"},
            {"a dollar sign and a dot", "#set($b = \"$.a\")$b", "$.a"},
            {"unicode",
             "#set($b = \"\\u00e9\\u20AC\\u41\\ud800\")$b",
             "\xc3\xa9\xe2\x82\xac\\u41\\ud800"},
            {"unicode in single quotes", "#set($b = '\\u00e9')$b", "\\u00e9"},
            {"a backslash stays", R"(#set($b = "a\nb")$b)", R"(a\nb)"},
            {"a quote behind a backslash stays with it", R"(#set($b = "a\"b")$b)", R"(a\"b)"},
            {"a backslash at the end", R"(#set($b = "a\")$b)", R"(a\)"},
            {"the other quote", "#set($b = \"it's\")#set($c = 'say \"x\"')$b$c", "it'ssay \"x\""},
            {"line ends", "#set($b = \"a\nb\")$b", "a\nb"},
            {"a string in a string", "#set($m = {\"k\": 1})#set($b = \"${m.get('k')}\")$b", "1"},
        };
        check_prints(rows);
    }

    TEST_CASE("what is no expression is refused with its place") {
        const Refuses rows[] = {
            {"nothing", "#set($a = )", "line 1, column 11: expected a value"},
            {"the end", "#set($a =", "found the end"},
            {"no reference", "#set(a = 1)", "#set needs a $reference"},
            {"no equals sign", "#set($a 1)", "#set needs a = here"},
            {"two equals signs", "#set($a == 1)", "#set needs a = here"},
            {"no bracket", "#set $a = 1", "#set needs ( … )"},
            {"no closing bracket", "#set($a = 1", "needs a ) here, found the end"},
            {"a number behind a reference", "#set($a = $b -1)", "needs a ) here, found '-1)'"},
            {"two values", "#set($a = 1 2)", "needs a ) here"},
            {"null", "#if($a == null)#end", "null is no value of Velocity"},
            {"a word", "#set($a = foo)", "expected a value"},
            {"an operator as an argument", "$a.get(1 + 2)", "expected , or ), found '+ 2)'"},
            {"a condition as an element", "#set($a = [1 == 2])", "a list needs , or ]"},
            {"an open list", "#set($a = [1, 2)", "a list needs , or ]"},
            {"an open map", "#set($a = {1: 2)", "a map needs , or }"},
            {"a map without values", "#set($a = {1, 2})", "a map needs a :"},
            {"an open range", "#set($a = [1..2)", "a range needs a ]"},
            {"an open string", "#set($a = \"x)", "a string has no closing quote"},
            {"an open string in single quotes", "#set($a = 'x)", "a string has no closing quote"},
            {"an integer beyond 64 bits",
             "#set($a = 9223372036854775808)",
             "not a number of 64 bits"},
            {"a real beyond a double", "#set($a = 1e999)", "not a number of 64 bits"},
            {"a sign alone", "#set($a = -)", "not a number of 64 bits"},
            {"an assignment in a condition",
             "#if($a = 1)#end",
             "#if needs a ) here, found '= 1)#end'"},
            {"a fault in a string", "#set($a = \"$util.x()\")", "line 1, column 12: $util.x"},
            {"an end in a string", "#set($a = \"#end\")", "in its string"},
            {"nested too deeply", "#set($a = " + repeat("[", 100) + ")", "nested more than 64"},
            {"brackets", "#if(" + repeat("(", 100000) + ")", "nested more than 64"},
            {"negations", "#if(" + repeat("!", 100000) + "true)#end", "nested more than 64"},
            {"blocks", repeat("#if(true)", 20000) + repeat("#end", 20000), "nested more than 64"},
            {"calls", "$a" + repeat(".get($a", 20000), "nested more than 64"},
        };
        check_compile_refuses(rows);
    }

    TEST_CASE("what Velocity 1.7 takes for false in silence is refused as a condition") {
        const Refuses rows[] = {
            {"text", "#if('x')#end", "a bare value or sum is no condition"},
            {"an interpolation", "#if(\"$x\")#end", "a bare value or sum is no condition"},
            {"a number", "#if(1)#end", "a bare value or sum is no condition"},
            {"a list", "#if([1])#end", "a bare value or sum is no condition"},
            {"a map", "#if({})#end", "a bare value or sum is no condition"},
            {"a range", "#if([1..2])#end", "a bare value or sum is no condition"},
            {"a sum", "#if($a + 1)#end", "a bare value or sum is no condition"},
            {"negated", "#if(!'x')#end", "a bare value or sum is no condition"},
            {"behind and", "#if(true && 'x')#end", "a bare value or sum is no condition"},
            {"before or", "#if(1 || true)#end", "a bare value or sum is no condition"},
            {"of elseif", "#if(true)#elseif(1)#end", "line 1, column 18: a bare value"},
        };
        check_compile_refuses(rows);
    }

    TEST_CASE("long rows are no depth") {
        CHECK(outcome("#set($a = 0" + repeat(" + 1", 50000) + ")$a") == "50000");
        CHECK(outcome("#if(false)" + repeat("#elseif(false)", 10000) + "#{else}y#end") == "y");
        CHECK(outcome("#set($a = [" + repeat("1,", 20000) + "1])$a.size()") == "20001");
        CHECK(outcome("$x" + repeat(".y", 50000)) == "$x" + repeat(".y", 50000));
    }

    TEST_CASE("a template has a size") {
        CHECK(compile(std::string(300 * 1024, ' ')).has_value());
        const auto large = compile(std::string(300 * 1024 + 1, ' '));
        REQUIRE_FALSE(large.has_value());
        CHECK(large.error().detail.find("at most 307200 bytes") != std::string::npos);
    }
}

}  // namespace parse_expression_test
