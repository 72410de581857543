#include "fixture.hpp"

namespace template_evaluate_test {

using namespace gatehouse;
using namespace gatehouse::templates;

TEST_SUITE("template/evaluate") {
    TEST_CASE("conditions have the truth of Velocity 1.7") {
        const Prints rows[] = {
            {"true", "#if(true)y#{else}n#end", "y"},
            {"false", "#if(false)y#{else}n#end", "n"},
            {"undefined", "#if($x)y#{else}n#end", "n"},
            {"not undefined", "#if(!$x)y#{else}n#end", "y"},
            {"an empty text is not null", "#set($a = '')#if($a)y#{else}n#end", "y"},
            {"nor is zero", "#set($a = 0)#if($a)y#{else}n#end", "y"},
            {"a missing member of the payload is not null",
             "#if($input.path('$').a)y#{else}n#end",
             "y",
             "{}"},
            {"a boolean of the payload",
             "#if($input.path('$.a'))y#{else}n#end",
             "n",
             R"({"a":false})"},
            {"elseif", "#if(false)a#elseif(true)b#{else}c#end", "b"},
            {"the first that holds", "#if(true)a#elseif(true)b#{else}c#end", "a"},
            {"and stops early", "#set($a = [])#if($x && $a.add(1))y#end$a", "[]"},
            {"or stops early", "#set($a = [])#if(true || $a.add(1))y#end$a", "y[]"},
        };
        check_prints(rows);
    }

    TEST_CASE("comparisons") {
        const Prints rows[] = {
            {"numbers by worth", "#if(1 == 1.0 && 2 > 1.5 && 1 <= 1)y#end", "y"},
            {"text", "#if('a' == 'a' && 'a' != 'b')y#end", "y"},
            {"different types by their text", "#if(1 == '1' && true == 'true')y#end", "y"},
            {"undefined equals undefined", "#if($x == $y)y#{else}n#end", "y"},
            {"undefined equals nothing else", "#if($x == '' || $x == 0)y#{else}n#end", "n"},
            {"lists by their elements", "#if([1, [2]] == [1.0, [2]])y#end", "y"},
            {"maps in any order", "#if({'a': 1, 'b': 2} == {'b': 2, 'a': 1})y#end", "y"},
            {"lists of other lengths", "#if([1] == [1, 2])y#{else}n#end", "n"},
            {"text has no order", "#if('a' < 'b' || 'b' < 'a')y#{else}n#end", "n"},
            {"nor has undefined", "#if($x < 1 || $x >= 1)y#{else}n#end", "n"},
            {"large integers are not rounded",
             "#if(9007199254740993 == 9007199254740992)y#{else}n#end",
             "n"},
            {"a comparison is a value", "#set($a = $x != $null)$a", "false"},
        };
        check_prints(rows);
    }

    TEST_CASE("arithmetic") {
        const Prints rows[] = {
            {"integers stay integers", "#set($a = 7 / 2)#set($b = -7 % 3)$a $b", "3 -1"},
            {"a real makes it real", "#set($a = 7 / 2.0)#set($b = 1 + 0.5)$a $b", "3.5 1.5"},
            {"reals print as Java's",
             "#set($a = 1.0 * 10000000)#set($b = 1.0 / 1000)#set($c = 0.1 / 1000)$a $b $c",
             "1.0E7 0.001 1.0E-4"},
            {"a sum with text joins", "#set($a = 'a' + 1)#set($b = 1 + 'a')$a $b", "a1 1a"},
            {"undefined makes it undefined", "#set($a = $x + 1)$a", "$a"},
            {"division by zero is undefined",
             "#set($a = 1 / 0)#set($b = 1 % 0)#set($c = 1.0 / 0)$a $b $c",
             "$a $b $c"},
            {"lists do not add up", "#set($a = [1] + [2])$a", "$a"},
            {"undefined leaves the old value", "#set($a = 1)#set($a = $x)$a", "1"},
        };
        check_prints(rows);
        const Refuses faults[] = {
            {"sum",
             "#set($a = 9223372036854775807 + 1)",
             "line 1, column 5: a number is beyond 64 bits"},
            {"product", "#set($a = 9223372036854775807 * 2)", "beyond 64 bits"},
            {"difference", "#set($a = -9223372036854775807 - 2)", "beyond 64 bits"},
            {"quotient", "#set($a = -9223372036854775807 - 1)#set($b = $a / -1)", "beyond 64 bits"},
        };
        check_render_fails(Errc::template_failed, faults);
    }

    TEST_CASE("loops") {
        const Prints rows[] = {
            {"a list", "#foreach($i in ['a', 'b'])$i#end", "ab"},
            {"a map by its values", "#foreach($i in {'k': 'v', 'l': 'w'})$i#end", "vw"},
            {"a range", "#foreach($i in [1..3])$i#end", "123"},
            {"the members of $foreach",
             "#foreach($i in ['a', "
             "'b'])$foreach.index$foreach.count$foreach.first$foreach.last$foreach.hasNext #end",
             "01truefalsetrue 12falsetruefalse "},
            {"the older count", "#foreach($i in ['a', 'b'])$velocityCount#end", "12"},
            {"the outer loop",
             "#foreach($i in [1, 2])#foreach($j in [1])$foreach.parent.count$foreach.index "
             "#end#end",
             "10 20 "},
            {"commas", "#foreach($i in [1, 2, 3])$i#if($foreach.hasNext),#end#end", "1,2,3"},
            {"break", "#foreach($i in [1, 2, 3])#if($i == 2)#break#end$i#end.", "1."},
            {"break ends the inner loop alone",
             "#foreach($i in [1, 2])#foreach($j in [1, 2])$j#break#end;#end",
             "1;1;"},
            {"stop", "a#foreach($i in [1, 2])$i#stop#end b", "a1"},
            {"nothing to walk",
             "#foreach($i in $x)a#end#foreach($i in $input.path('$.a'))b#end.",
             ".",
             "{}"},
            {"the variable is as before", "#set($i = 'x')#foreach($i in [1])$i#end$i", "1x"},
            {"the variable is gone", "#foreach($i in [1])$i#end$i", "1$i"},
            {"a null element is undefined",
             "#foreach($i in $input.path('$.a'))$i#end",
             "1$i2",
             R"({"a":[1,null,2]})"},
            {"a thousand times",
             "#foreach($i in [1..1000])#if(!$foreach.hasNext)$i#end#end",
             "1000"},
        };
        check_prints(rows);
        const Refuses faults[] = {
            {"more than a thousand times", "#foreach($i in [1..1001])#end", "more than 1000 times"},
            {"a list that grows",
             "#set($l = [1])#foreach($i in $l)$l.add(1)#end",
             "more than 1000 times"},
        };
        check_render_fails(Errc::limit_exceeded, faults);
    }

    TEST_CASE("definitions run where they are used") {
        const Prints rows[] = {
            {"with what holds there", "#define($d)<$a>#end#set($a = 1)$d#set($a = 2)$d", "<1><2>"},
            {"in a string", "#define($d)x#end#set($a = \"$d$d\")$a", "xx"},
            {"as a value", "#define($d)xyz#end$d.length()", "3"},
            {"unused", "#define($d)x#end.", "."},
            {"a definition ends the one before", "#define($d)x#end#set($d = 1)$d", "1"},
            {"itself, twice and no deeper", "#define($d)x$d#end$d", "xx"},
            {"stop", "#define($d)x#stop#end$d y", "x"},
        };
        check_prints(rows);
        std::string chain = "#define($d0)x#end";
        for (int i = 1; i < 40; ++i)
            chain += "#define($d" + std::to_string(i) + ")$d" + std::to_string(i - 1) + "#end";
        CHECK(outcome(chain + "$d10") == "x");
        CHECK(outcome(chain + "$d39").find("limit_exceeded") != std::string::npos);
    }

    TEST_CASE("values are shared as Java shares them") {
        const Prints rows[] = {
            {"a list under two names",
             "#set($a = [1])#set($b = $a)#set($x = $b.add(2))$a",
             "[1, 2]"},
            {"a list in a map", "#set($m = {'l': []})#set($x = $m.l.add(1))$m", "{l=[1]}"},
            {"members can be set", "#set($m = {})#set($m.a = 1)#set($m['b'] = 2)$m", "{a=1, b=2}"},
            {"elements can be set", "#set($l = [1, 2])#set($l[0] = 5)#set($l[-1] = 6)$l", "[5, 6]"},
            {"members of members", "#set($m = {'n': {}})#set($m.n.o = 1)$m", "{n={o=1}}"},
            {"what takes no member takes none",
             "#set($a = 'x')#set($a.b = 1)#set($y.z = 1)$a $y",
             "x $y"},
        };
        check_prints(rows);
    }

    TEST_CASE("exceptions of the service are faults with their place") {
        const Refuses rows[] = {
            {"an index outside the list",
             "\n $input.path('$.a')[1]",
             "line 2, column 2: index 1 is outside the list",
             R"({"a":[1]})"},
            {"the same by get",
             "$input.path('$.a').get(-1)",
             "index -1 is outside the list",
             R"({"a":[1]})"},
            {"the same to set", "#set($l = [])#set($l[0] = 1)", "index 0 is outside the list"},
            {"$context is read only", "$context.put('a', 'b')", "the map is read only"},
            {"$stageVariables is read only",
             "$stageVariables.remove('backend')",
             "nothing can be removed"},
        };
        check_render_fails(Errc::template_failed, rows);
    }

    TEST_CASE("hostile templates end at a limit") {
        const std::string loop = "#foreach($i in [1..1000])";
        const Refuses rows[] = {
            {"loops in loops", loop + loop + loop + "$i#end#end#end", "takes too long"},
            {"empty loops in loops",
             loop + loop + loop + loop + "#end#end#end#end",
             "takes too long"},
            {"a text that doubles",
             "#set($a = 'xxxxxxxxxxxxxxxx')" + loop + "#set($a = \"$a$a\")#end",
             "too"},
            {"a sum that doubles",
             "#set($a = 'xxxxxxxxxxxxxxxx')" + loop + "#set($a = $a + $a)#end",
             "too"},
            {"a replacement that grows",
             "#set($a = 'xx')" + loop + "#set($a = $a.replace('x', 'xx'))#end",
             "too"},
            {"a pattern's replacement that grows",
             "#set($a = 'xx')" + loop + "#set($a = $a.replaceAll('x', 'xx'))#end",
             "too"},
            {"a list that doubles", "#set($a = [1])" + loop + "$a.addAll($a)#end", "too"},
            {"a list in itself", "#set($a = [])#set($x = $a.add($a))$a", "holds itself"},
            {"a map in itself", "#set($a = {})#set($a.b = $a)$a", "holds itself"},
            {"a list in itself compared",
             "#set($a = [])#set($x = $a.add($a))#set($b = [])#set($x = $b.add($b))#if($a == "
             "$b)#end",
             "too deep"},
            {"lists in lists", "#set($a = [])" + loop + "#set($a = [$a])#end$a", "too deep"},
            {"the same list twice in each",
             "#set($a = [1])#foreach($i in [1..60])#set($a = [$a, $a])#end$a",
             "too"},
            {"a wide range", "#set($a = [1..2000000000])", "too"},
            {"a long output", loop + "$input.body#end", "too", std::string(1024 * 1024, 'x')},
            {"a search of large in large",
             "#set($b = $input.body)" + loop + "#set($x = $b.contains($b))#end",
             "takes too long",
             std::string(1024 * 1024, 'x')},
            {"patterns",
             "#set($a = 'a')#foreach($i in [1..1000])#set($x = $a.matches(\"a{$i}\"))#end",
             "too many different"},
            {"a pattern that looks far ahead",
             "#set($x = $input.body.replaceAll('a|a[^b]*b', ''))",
             "takes too long",
             std::string(2 * 1024 * 1024, 'a')},
        };
        check_render_fails(Errc::limit_exceeded, rows);
    }
}

}  // namespace template_evaluate_test
