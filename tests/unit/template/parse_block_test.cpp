#include "fixture.hpp"

namespace parse_block_test {

using namespace gatehouse;
using namespace gatehouse::templates;

TEST_SUITE("template/parse_block") {
    TEST_CASE("text is printed as it is") {
        const Prints rows[] = {
            {"empty", "", ""},
            {"plain", R"({"a": [1, 2]})", R"({"a": [1, 2]})"},
            {"a dollar sign", "5$ $ $5 $-x $(x) $[0] $. $$", "5$ $ $5 $-x $(x) $[0] $. $$"},
            {"an open brace behind a dollar sign", "${ } ${5} $!{ $!", "${ } ${5} $!{ $!"},
            {"a hash", "# #5 #- #\n#", "# #5 #- #\n#"},
            {"an unknown word behind a hash",
             "#fff #foo #{bar} #endless",
             "#fff #foo #{bar} #endless"},
            {"backslashes", R"(\ \\ \" \n {"a":"\"b\""})", R"(\ \\ \" \n {"a":"\"b\""})"},
            {"bytes that are no UTF-8", "\xff\xfe$x", "\xff\xfe$x"},
            {"a text block", "#[[$x #if #end ## *# ]]#.", "$x #if #end ## *# ."},
        };
        check_prints(rows);
    }

    TEST_CASE("comments leave nothing behind") {
        const Prints rows[] = {
            {"a line with its end", "a## b $x #if\nc", "ac"},
            {"a line with a carriage return", "a## b\r\nc", "ac"},
            {"at the end of the text", "a##", "a"},
            {"a block", "a#* b\n #if *#c", "ac"},
            {"a block with two stars", "a#** b **#c", "ac"},
            {"the shortest block", "a#**#c", "ac"},
            {"behind a reference", "#set($a = 1)$a## b", "1"},
            {"in a string", "#set($a = \"x## y\")$a.", "x."},
        };
        check_prints(rows);
    }

    TEST_CASE("directives eat the rest of their line and set eats the blanks before it") {
        const Prints rows[] = {
            {"set and its line end", "#set($a = 1)\n$a", "1"},
            {"set and blanks before the line end", "#set($a = 1) \t\r\n$a", "1"},
            {"set keeps blanks that text follows", "#set($a = 1)  $a", "  1"},
            {"set eats blanks before it at the start", "  #set($a = 1)\n$a", "1"},
            {"set eats blanks before it behind another",
             "#set($a = 1)\n  #set($b = 2)\n$a$b",
             "12"},
            {"set eats blanks before it behind a reference", "$x \t#set($a = 1)$a", "$x1"},
            {"set keeps blanks that belong to text", "{\n  #set($a = 1)\n$a", "{\n  1"},
            {"set with blanks before its bracket", "#set  ($a = 1)$a", "1"},
            {"only one line end is eaten", "#set($a = 1)\n\n$a", "\n1"},
            {"if and end", "#if(true)\n a\n#end\nb", " a\nb"},
            {"if keeps blanks before it", "  #if(true)\na\n  #end\nb", "  a\n  b"},
            {"else", "#if(false)\na\n#else \nb\n#end \n", "b\n"},
            {"end keeps blanks that text follows", "#if(true)a#end  b", "a  b"},
            {"foreach", "#foreach($i in [1, 2])\n$i\n#end\n.", "1\n2\n."},
            {"stop and break eat nothing", "#foreach($i in [1])x#break\ny#end\nz", "xz"},
        };
        check_prints(rows);
    }

    TEST_CASE("directives in braces end where their word ends") {
        const Prints rows[] = {
            {"else", "#if(false)a#{else}b#{end}c", "bc"},
            {"if", "#{if}(true)a#end", "a"},
            {"set", "#{set}($a = 1)$a", "1"},
            {"foreach", "#{foreach}($i in [1])$i#{end}", "1"},
            {"elseif", "#if(false)a#{elseif}(true)b#end", "b"},
            {"without braces the word goes on", "#if(true)a#elsewhere#end", "a#elsewhere"},
        };
        check_prints(rows);
    }

    TEST_CASE("a backslash takes the meaning from a directive that is one") {
        const Prints rows[] = {
            {"if", R"(\#if(true))", "#if(true)"},
            {"end", R"(\#end)", "#end"},
            {"in braces", R"(\#{else})", "#{else}"},
            {"two", R"(\\#if(true)a#end)", R"(\a)"},
            {"three", R"(\\\#if(true))", R"(\#if(true))"},
            {"an unknown word", R"(\#foo \\#foo)", R"(\#foo \\#foo)"},
            {"a comment", R"(a\## b)", R"(a\)"},
        };
        check_prints(rows);
    }

    TEST_CASE("a backslash takes the meaning from a reference that has a value") {
        const Prints rows[] = {
            {"one", R"(#set($a = 1)\$a)", "$a"},
            {"two", R"(#set($a = 1)\\$a)", R"(\1)"},
            {"three", R"(#set($a = 1)\\\$a)", R"(\$a)"},
            {"formal and quiet", R"(#set($a = 1)\${a} \$!a)", "${a} $!a"},
            {"one, undefined", R"(\$a)", R"(\$a)"},
            {"two, undefined", R"(\\$a)", R"(\\$a)"},
            {"no reference", R"(\$5 \\$)", R"(\$5 \\$)"},
        };
        check_prints(rows);
    }

    TEST_CASE("what is not supported is refused by name and place") {
        const Refuses rows[] = {
            {"macro", "a\n #macro(x)#end", "line 2, column 2: #macro is not supported"},
            {"parse", "#parse('x')", "#parse is not supported"},
            {"include", "#include('x')", "#include is not supported"},
            {"evaluate", "#evaluate('x')", "#evaluate is not supported"},
            {"literal", "#literal()#end", "#literal is not supported"},
            {"a block macro", "#@x()#end", "#@x is not supported"},
            {"a call of a macro", "#foo ($x)", "#foo(…) is no directive"},
            {"an open comment", "a #* b", "line 1, column 3: #* has no *#"},
            {"an open text block", "#[[ b", "#[[ has no ]]#"},
            {"end alone", "a#end", "#end, #else or #elseif without"},
            {"else alone", "a#else", "#end, #else or #elseif without"},
            {"elseif alone", "a#elseif(true)", "#end, #else or #elseif without"},
            {"break outside a loop", "#break", "#break outside a #foreach"},
            {"break behind a loop", "#foreach($i in [1])#end#break", "#break outside a #foreach"},
            {"break in a definition",
             "#foreach($i in [1])#define($d)#break#end#end",
             "#break outside"},
            {"break with an argument",
             "#foreach($i in [1])#break($foreach.parent)#end",
             "with an argument"},
            {"stop with an argument", "#stop('x')", "#stop with an argument"},
            {"stop in a string", "#set($a = \"#stop\")", "#stop is not supported in a string"},
            {"a position behind line ends", "a\r\nb\n\n  $util.x()", "line 4, column 3: $util.x"},
        };
        check_compile_refuses(rows);
    }
}

}  // namespace parse_block_test
