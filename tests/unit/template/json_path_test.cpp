#include "../../../src/template/json_path.hpp"

#include "fixture.hpp"

namespace json_path_test {

using namespace gatehouse;
using namespace gatehouse::templates;

TEST_SUITE("template/json_path") {
    TEST_CASE("a path finds what it names") {
        const std::string body =
            R"({"a": {"b": [10, {"c": "x"}, [1, 2]], "d-e": "y", "f g": "z", "h.i": "w"}, "c": "top", "l": []})";

        struct Row {
            const char* path;
            std::string wanted;
        };

        const Row rows[] = {
            {"$.c", "\"top\""},
            {"c", "\"top\""},
            {"a.b[0]", "10"},
            {"$['a']['d-e']", "\"y\""},
            {"$[\\\"a\\\"].b[0]", "10"},
            {"$.a.d-e", "\"y\""},
            {"$.a['f g']", "\"z\""},
            {"$.a['h.i']", "\"w\""},
            {"$.a.b[1].c", "\"x\""},
            {"$.a.b[2][1]", "2"},
            {"$.a.b[-1]", "[1,2]"},
            {"$.a.b[*]", R"([10,{"c":"x"},[1,2]])"},
            {"$.a.b[*].c", R"(["x"])"},
            {"$.a.*", R"([[10,{"c":"x"},[1,2]],"y","z","w"])"},
            {"$..c", R"(["top","x"])"},
            {"$..['c']", R"(["top","x"])"},
            {"$.a..c", R"(["x"])"},
            {"$..b[0]", "[10]"},
            {"$.l[*]", "[]"},
            {"$..nothing", "[]"},
            {"$.l[0]", "\"\""},
            {"$.a.b[3]", "\"\""},
            {"$.a.b[-4]", "\"\""},
            {"$.c.d", "\"\""},
            {"$.c[0]", "\"\""},
            {"$.a[0]", "\"\""},
            {"$.a.b.c", "\"\""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.path);
            // In double quotes, where \" does not end the string: its backslash must go.
            std::string path(row.path);
            const bool quoted = path.find('\\') != std::string::npos;
            while (path.find('\\') != std::string::npos)
                path.erase(path.find('\\'), 1);
            if (quoted) {
                CHECK(check_path(path).empty());
                continue;
            }
            CHECK(outcome("$input.json(\"" + path + "\")", body) == row.wanted);
        }
    }

    TEST_CASE("what is not supported is refused by name") {
        struct Row {
            const char* path;
            const char* wanted;
        };

        const Row rows[] = {
            {"", "it is empty"},
            {"$x", "expected . or ["},
            {"$.", "a name is missing"},
            {"$..", "a name is missing"},
            {"$.a.", "a name is missing"},
            {"$.a b", "expected . or ["},
            {"$.a[?(@.b)]", "filters"},
            {"$.a[(@.length-1)]", "scripts"},
            {"$.a[0:2]", "slices"},
            {"$.a[:2]", "slices"},
            {"$.a[0,1]", "unions"},
            {"$['a','b']", "unions"},
            {"$.a.length()", "functions such as length()"},
            {"$.a[", "expected a name in quotes, a number or *"},
            {"$.a[x]", "expected a name in quotes, a number or *"},
            {"$.a[0", "expected ]"},
            {"$.a[*", "expected ]"},
            {"$['a", "a name has no closing quote"},
            {"$['a\\'b']", "backslashes"},
            {"$.a[99999999999999999999]", "expected a name in quotes, a number or *"},
            {"@.a", "a name is missing"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.path);
            const std::string why = check_path(row.path);
            CAPTURE(why);
            CHECK(why.find(row.wanted) != std::string::npos);
        }
        CHECK(outcome("#set($p = '$.a[0:2]')$input.path($p)", "{}").find("template_failed") !=
              std::string::npos);
    }

    TEST_CASE("a path that visits too much ends at a limit") {
        const std::string body = repeat("[", 40) + repeat("1,", 20000) + "1" + repeat("]", 40);
        CHECK(outcome("$input.json('$..*..*..*..*')", body).find("limit_exceeded") !=
              std::string::npos);
    }
}

}  // namespace json_path_test
