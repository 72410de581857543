#include "fixture.hpp"

namespace methods_test {

using namespace gatehouse;
using namespace gatehouse::templates;

TEST_SUITE("template/methods") {
    TEST_CASE("methods of text") {
        // $t is "Grüße 😀": seven characters before the last one, which Java counts as two.
        const std::string set = "#set($t = $input.path('$'))";
        const std::string body =
            "\"Gr\xc3\xbc\xc3\x9f"
            "e \xf0\x9f\x98\x80\"";
        const Prints rows[] = {
            {"length counts UTF-16 units", set + "$t.length()", "8", body},
            {"substring",
             set + "$t.substring(2, 4)|$t.substring(6)",
             "\xc3\xbc\xc3\x9f|\xf0\x9f\x98\x80",
             body},
            {"substring to the end is empty", set + "[$t.substring(8)]", "[]", body},
            {"charAt", set + "$t.charAt(2)$t.charAt(0)", "\xc3\xbcG", body},
            {"indexOf",
             set + "$t.indexOf('e') $t.indexOf('x') $t.lastIndexOf('G')",
             "4 -1 0",
             body},
            {"contains and its like",
             "#set($t = 'abc')$t.contains('b') $t.startsWith('ab') $t.endsWith('b')",
             "true true false"},
            {"equals",
             "#set($t = 'abc')$t.equals('abc') $t.equals('ABC') $t.equalsIgnoreCase('ABC') "
             "$t.equals(1)",
             "true false true false"},
            {"isEmpty and empty",
             "#set($t = 'a')$t.isEmpty() $t.empty $t.substring(1).empty",
             "false false true"},
            {"case and blanks",
             "#set($t = ' aB\t')[$t.toUpperCase()][$t.toLowerCase()][$t.trim()]",
             "[ AB\t][ ab\t][aB]"},
            {"concat", "#set($t = 'a')$t.concat('b')", "ab"},
            {"replace",
             "#set($t = 'a.b.')$t.replace('.', '::') $t.replace('', '-')",
             "a::b:: -a-.-b-.-"},
            {"replaceAll",
             "#set($t = 'a1b22')$t.replaceAll('[0-9]+', '#') $t.replaceAll('([a-z])([0-9])', "
             "'$2$1')",
             "a#b# 1a2b2"},
            {"replaceAll of every gap", "#set($t = 'ab')$t.replaceAll('', '-')", "-a-b-"},
            {"replaceAll of plain text",
             R"(#set($t = "a|b|c")$t.replaceAll("\|", "\$") $t.replaceAll(",", "x"))",
             "a$b$c a|b|c"},
            {"replaceFirst", "#set($t = 'aa')$t.replaceFirst('a', 'b')", "ba"},
            {"matches the whole",
             "#set($t = 'ab1')$t.matches('[a-z]+') $t.matches('[a-z]+[0-9]')",
             "false true"},
            {"split",
             "#set($t = 'a,b,,c,,')$t.split(',') $t.split(',').size() $t.split(',')[1]",
             "[a, b, , c] 4 b"},
            {"split of what is not there",
             "#set($t = 'abc')$t.split(';') $t.split('')",
             "[abc] [a, b, c]"},
            {"split of separators alone",
             "#set($t = ',,')$t.split(',').size() $t.substring(2).split(',').size()",
             "0 1"},
            {"split by a pattern", "#set($t = 'a1b22c')$t.split('[0-9]+')", "[a, b, c]"},
            {"toString", "#set($t = 'a')$t.toString()", "a"},
        };
        check_prints(rows);
        const Refuses faults[] = {
            {"substring beyond the end",
             "#set($t = 'abc')$t.substring(4)",
             "substring: an index is out of range"},
            {"substring from below",
             "#set($t = 'abc')$t.substring(-1)",
             "substring: an index is out of range"},
            {"substring backwards",
             "#set($t = 'abc')$t.substring(2, 1)",
             "substring: an index is out of range"},
            {"half a character",
             set + "$t.substring(7)",
             "substring: an index is out of range",
             body},
            {"charAt at the end",
             "#set($t = 'abc')$t.charAt(3)",
             "charAt: the index is out of range"},
            {"a group that is not there",
             "#set($t = 'a')$t.replaceAll('a', '$1')",
             "the replacement $1 is not valid"},
            {"a dollar sign at the end",
             "#set($t = 'a')$t.replaceAll('a', '$')",
             "the replacement $ is not valid"},
            {"a pattern made of text",
             "#set($p = '(')#set($t = 'a')$t.matches($p)",
             "the regular expression ( is not supported"},
        };
        check_render_fails(Errc::template_failed, faults);
    }

    TEST_CASE("methods of lists") {
        const Prints rows[] = {
            {"size and its like",
             "#set($l = [1, 2])$l.size() $l.count() $l.isEmpty() $l.empty",
             "2 2 false false"},
            {"get", "#set($l = [1, 2])$l.get(0)$l.get(1)", "12"},
            {"add", "#set($l = [1])$l.add(2) $l", "true [1, 2]"},
            {"add at a place",
             "#set($l = [1])#set($x = $l.add(0, 5))#set($x = $l.add(2, 6))$l",
             "[5, 1, 6]"},
            {"addAll",
             "#set($l = [1])$l.addAll([2, 3]) $l.addAll($l) $l",
             "true true [1, 2, 3, 1, 2, 3]"},
            {"set and remove", "#set($l = [1, 2])$l.set(0, 5) $l.remove(1) $l", "1 2 [5]"},
            {"contains and indexOf",
             "#set($l = ['a', [1]])$l.contains('a') $l.contains([1]) $l.contains('b') "
             "$l.indexOf('b')",
             "true true false -1"},
            {"clear", "#set($l = [1])#set($x = $l.clear())$l", "[]"},
        };
        check_prints(rows);
    }

    TEST_CASE("methods of maps and their entries") {
        const Prints rows[] = {
            {"get",
             "#set($m = {'a': 1, '2': 'b'})$m.get('a') $m.get(2) $m.getOrDefault('x', 'd')",
             "1 b d"},
            {"put gives back what was there", "#set($m = {'a': 1})$m.put('a', 2) $m", "1 {a=2}"},
            {"putAll and remove",
             "#set($m = {'a': 1})#set($x = $m.putAll({'b': 2, 'a': 3}))$m.remove('b') $m",
             "2 {a=3}"},
            {"keys, values, entries",
             "#set($m = {'a': 1, 'b': 2})$m.keySet() $m.values() $m.entrySet()",
             "[a, b] [1, 2] [a=1, b=2]"},
            {"an entry",
             "#set($m = {'a': 1})#foreach($e in "
             "$m.entrySet())$e.key$e.value$e.getKey()$e.getValue()#end",
             "a1a1"},
            {"what it holds",
             "#set($m = {'a': 1})$m.containsKey('a') $m.containsKey('b') $m.containsValue(1) "
             "$m.size() $m.isEmpty()",
             "true false true 1 false"},
            {"many keys",
             "#set($m = {})#foreach($i in [1..100])#set($x = $m.put($i, $i))#end#set($x = "
             "$m.remove('50'))$m.size() $m.get('51') $m.containsKey('50')",
             "99 51 false"},
        };
        check_prints(rows);
    }

    TEST_CASE("numbers of text by the static methods of any value") {
        const Prints rows[] = {
            {"integers",
             "#set($Integer = 0)$Integer.parseInt('42') $Integer.parseInt('-1') "
             "$Integer.parseLong('+5000000000')",
             "42 -1 5000000000"},
            {"reals", "#set($Double = 0.0)$Double.parseDouble('1.5')", "1.5"},
            {"booleans",
             "#set($Boolean = false)$Boolean.parseBoolean('TRUE') $Boolean.parseBoolean('1')",
             "true false"},
            {"narrowing",
             "#set($d = -2.9)#set($i = 4294967297)$d.intValue() $d.longValue() $i.intValue() "
             "$i.doubleValue()",
             "-2 -2 1 4.294967297E9"},
            {"equals knows types", "#set($i = 1)$i.equals(1) $i.equals(1.0)", "true false"},
        };
        check_prints(rows);
        const Refuses faults[] = {
            {"no number", "#set($Integer = 0)$Integer.parseInt('4x')", "4x is not a number"},
            {"nothing", "#set($Integer = 0)$Integer.parseInt('')", "is not a number"},
            {"two signs", "#set($Integer = 0)$Integer.parseInt('++4')", "is not a number"},
            {"more than 32 bits",
             "#set($Integer = 0)$Integer.parseInt('2147483648')",
             "more than 32 bits"},
            {"more than 64 bits",
             "#set($Integer = 0)$Integer.parseLong('9223372036854775808')",
             "is not a number"},
        };
        check_render_fails(Errc::template_failed, faults);
    }
}

}  // namespace methods_test
