#include "fixture.hpp"

namespace util_functions_test {

using namespace gatehouse;
using namespace gatehouse::templates;

TEST_SUITE("template/util_functions") {
    TEST_CASE("section 13.3: each function does what its name says") {
        const Prints rows[] = {
            {"escapeJavaScript",
             "$util.escapeJavaScript($input.path('$'))",
             R"(a\"b\'c\\d\/e\n\t\u0001\u00FC\uD83D\uDE00)",
             "\"a\\\"b'c\\\\d/e\\n\\t\\u0001\xc3\xbc\xf0\x9f\x98\x80\""},
            {"escapeJavaScript of a number", "$util.escapeJavaScript(1)", "1"},
            {"escapeJavaScript of what is missing",
             "[$util.escapeJavaScript($input.path('$.x'))]",
             "[]"},
            {"parseJson of an object", "$util.parseJson('{\"a\":{\"b\":[1,2]}}').a.b[1]", "2"},
            {"parseJson of scalars",
             "$util.parseJson('\"x\"') $util.parseJson('1') $util.parseJson('true') "
             "$util.parseJson('[]').size()",
             "x 1 true 0"},
            {"urlEncode",
             "$util.urlEncode('x=a+b c*-._~/\xc3\xbc')",
             "x%3Da%2Bb+c*-._%7E%2F%C3%BC"},
            {"urlDecode", "$util.urlDecode('x%3da+b%2B%C3%BC')", "x=a b+\xc3\xbc"},
            {"urlDecode of bytes that are no UTF-8",
             "$util.urlDecode('a%ffb')",
             "a\xef\xbf\xbd"
             "b"},
            {"base64Encode", "$util.base64Encode('ab?>~') $util.base64Encode('')", "YWI/Pn4= "},
            {"base64Decode",
             "$util.base64Decode('YWI/Pn4=') $util.base64Decode('YWI_Pn4')",
             "ab?>~ ab?>~"},
            {"base64Decode of bytes that are no UTF-8",
             "$util.base64Decode('/w==')",
             "\xef\xbf\xbd"},
            {"undefined stays undefined",
             "$util.urlEncode($x) $!util.base64Encode($x)",
             "$util.urlEncode($x) "},
        };
        check_prints(rows);
    }

    TEST_CASE("what cannot be decoded is a fault") {
        const Refuses rows[] = {
            {"a percent sign alone", "$util.urlDecode('a%')", "a % is not followed by two digits"},
            {"one digit", "$util.urlDecode('a%4')", "a % is not followed by two digits"},
            {"no digits", "$util.urlDecode('%zz')", "a % is not followed by two digits"},
            {"a blank in base64", "$util.base64Decode('YW J')", "$util.base64Decode: character"},
            {"one character of base64", "$util.base64Decode('Y')", "$util.base64Decode: length"},
        };
        check_render_fails(Errc::template_failed, rows);
    }
}

}  // namespace util_functions_test
