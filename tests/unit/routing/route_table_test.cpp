#include "gatehouse/routing/route_table.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::routing::route_table_test {
namespace {

RouteTable make_table(const std::vector<RouteSpec>& specs) {
    return std::move(RouteTable::make(specs).value());
}

// "3 id=7 proxy=a/b", or "none".
std::string find_in(const RouteTable& table, std::string_view method, std::string_view path) {
    PathParameters parameters;
    parameters.push_back("left over");
    const int route = table.find(method, path, parameters);
    if (route == RouteTable::kNoRoute) {
        CHECK(parameters.empty());
        return "none";
    }
    const std::span<const std::string> names = table.parameter_names(route);
    REQUIRE(names.size() == parameters.size());
    std::string out = std::to_string(route);
    for (std::size_t i = 0; i < names.size(); ++i)
        out += ' ' + names[i] + '=' + std::string(parameters[i]);
    return out;
}

const std::vector<RouteSpec> kSpecs = {
    {"GET", "/"},                      // 0
    {"GET", "/pets"},                  // 1
    {"ANY", "/pets"},                  // 2
    {"GET", "/pets/{id}"},             // 3
    {"GET", "/pets/mine"},             // 4
    {"GET", "/pets/{id}/toys/{toy}"},  // 5
    {"POST", "/pets/mine/toys/ball"},  // 6
    {"ANY", "/files/{proxy+}"},        // 7
    {"GET", "/files/{name}"},          // 8
    {"OPTIONS", "/{proxy+}"},          // 9
    {"GET", "/part1/{a}/leaf"},        // 10
    {"GET", "/{param}/random/x"},      // 11
    {"PUT", "/a%2Fb"},                 // 12
    {"PUT", "/~user"},                 // 13
    {"GET", "/deep/{x}/{rest+}"},      // 14
    {"GET", "/deep/one/two"},          // 15
};

struct Row {
    std::string_view method;
    std::string_view path;
    std::string_view wanted;
};

}  // namespace

TEST_SUITE("routing/route_table") {
    TEST_CASE("section 14.1: the most specific route that has the method wins") {
        const RouteTable table = make_table(kSpecs);
        constexpr Row kRows[] = {
            {"GET", "/", "0"},
            {"GET", "/pets", "1"},
            {"GET", "/pets/", "1"},
            {"POST", "/pets", "2"},
            {"DELETE", "/pets", "2"},
            {"OPTIONS", "/pets", "2"},
            {"GET", "/pets/7", "3 id=7"},
            {"GET", "/pets/7/", "3 id=7"},
            {"GET", "/pets/mine", "4"},
            {"GET", "/pets/Mine", "3 id=Mine"},
            {"GET", "/pets/mine/toys/ball", "5 id=mine toy=ball"},
            {"POST", "/pets/mine/toys/ball", "6"},
            {"OPTIONS", "/pets/mine", "9 proxy=pets/mine"},
            {"OPTIONS", "/pets/7/", "9 proxy=pets/7"},
            {"GET", "/files/a", "8 name=a"},
            {"POST", "/files/a", "7 proxy=a"},
            {"GET", "/files/a/b", "7 proxy=a/b"},
            {"GET", "/files/a/b/", "7 proxy=a/b"},
            {"GET", "/files/a%2Fb", "8 name=a%2Fb"},
            {"GET", "/part1/random/x", "11 param=part1"},
            {"GET", "/part1/x/leaf", "10 a=x"},
            {"GET", "/other/random/x", "11 param=other"},
            {"PUT", "/a%2Fb", "12"},
            {"PUT", "/~user", "13"},
            {"GET", "/deep/one/two", "15"},
            {"GET", "/deep/one/three", "14 x=one rest=three"},
            {"GET", "/deep/one/two/three", "14 x=one rest=two/three"},
        };
        for (const Row& row : kRows) {
            CAPTURE(row.method);
            CAPTURE(row.path);
            CHECK(find_in(table, row.method, row.path) == row.wanted);
        }
    }

    TEST_CASE("an only child is found by its whole name alone, and so are siblings of one length") {
        const RouteTable table = make_table({
            {"GET", "/a/items/leaf"},    // 0
            {"GET", "/b/items/leaf"},    // 1
            {"GET", "/b/items/other"},   // 2
            {"GET", "/b/items/third"},   // 3
            {"GET", "/c/items/{id}"},    // 4
            {"GET", "/c/items/known"},   // 5
            {"POST", "/d/items/known"},  // 6
            {"GET", "/d/{kind}/known"},  // 7
        });
        constexpr Row kRows[] = {
            {"GET", "/a/items/leaf", "0"},
            {"GET", "/a/items/lea", "none"},
            {"GET", "/a/items/leaF", "none"},
            {"GET", "/a/items/leafs", "none"},
            {"GET", "/a/items/other", "none"},  // the neighbour's
            {"GET", "/a/item_/leaf", "none"},
            {"GET", "/a/items", "none"},
            {"GET", "/a", "none"},
            {"GET", "/b/items/leaf", "1"},
            {"GET", "/b/items/other", "2"},
            {"GET", "/b/items/third", "3"},
            {"GET", "/b/items/fourt", "none"},
            {"GET", "/c/items/known", "5"},
            {"GET", "/c/items/knowN", "4 id=knowN"},
            {"GET", "/c/items/7", "4 id=7"},
            {"POST", "/d/items/known", "6"},
            {"GET", "/d/items/known", "7 kind=items"},
            {"GET", "/d/itemS/known", "7 kind=itemS"},
            {"POST", "/d/itemS/known", "none"},
        };
        for (const Row& row : kRows) {
            CAPTURE(row.method);
            CAPTURE(row.path);
            CHECK(find_in(table, row.method, row.path) == row.wanted);
        }
    }

    TEST_CASE("a table that fills huge pages routes as a small one") {
        std::vector<RouteSpec> specs;
        for (int i = 0; i < 30'000; ++i)
            specs.push_back({"GET", "/r" + std::to_string(i) + "/items/{id}"});
        const RouteTable table = make_table(specs);
        for (int i = 0; i < 30'000; i += 7) {
            const std::string name = std::to_string(i);
            CHECK(find_in(table, "GET", "/r" + name + "/items/x") == name + " id=x");
            CHECK(find_in(table, "GET", "/r" + name + "_/items/x") == "none");
            CHECK(find_in(table, "GET", "/r" + name + "/itemz/x") == "none");
        }
    }

    TEST_CASE("what no route names is not routed") {
        const RouteTable table = make_table(kSpecs);
        constexpr Row kRows[] = {
            {"POST", "/", "none"},
            {"OPTIONS", "/", "none"},  // a greedy parameter needs a character
            {"HEAD", "/", "none"},     // not derived from GET
            {"HEAD", "/pets/7", "none"},
            {"GET", "/files", "none"},  // not the parent of its greedy child
            {"GET", "/files/", "none"},
            {"POST", "/files/", "none"},
            {"GET", "/PETS", "none"},
            {"GET", "/petsx", "none"},
            {"GET", "/pet", "none"},
            {"GET", "/pets/7/toys", "none"},
            {"GET", "/pets/7/toys/", "none"},
            {"GET", "/pets/7/toys/8/9", "none"},
            {"POST", "/pets/7/toys/ball", "none"},
            {"PUT", "/a/b", "none"},
            {"PUT", "/a%2fb", "none"},  // not normalised
            {"get", "/pets", "none"},
            {"TRACE", "/pets", "none"},
            {"TRACE", "/files/a", "none"},
            {"CONNECT", "/pets", "none"},
            {"ANY", "/pets", "none"},
            {"", "/pets", "none"},
            {"PROPFIND", "/files/a", "none"},
            {"GET", "", "none"},
            {"GET", "*", "none"},
            {"OPTIONS", "*", "none"},
            {"GET", "pets", "none"},
            {"GET", "/deep/one", "none"},
        };
        for (const Row& row : kRows) {
            CAPTURE(row.method);
            CAPTURE(row.path);
            CHECK(find_in(table, row.method, row.path) == row.wanted);
        }
    }

    TEST_CASE("an empty table routes nothing") {
        PathParameters parameters;
        CHECK(RouteTable().find("GET", "/", parameters) == RouteTable::kNoRoute);
        CHECK(make_table({}).find("GET", "/a", parameters) == RouteTable::kNoRoute);
    }

    TEST_CASE("ANY stands for the seven methods of a REST API") {
        const RouteTable table = make_table({{"ANY", "/a"}});
        for (const std::string_view method :
             {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}) {
            CAPTURE(method);
            CHECK(find_in(table, method, "/a") == "0");
        }
    }

    TEST_CASE("an explicit method beats ANY in either order") {
        CHECK(find_in(make_table({{"ANY", "/a"}, {"GET", "/a"}}), "GET", "/a") == "1");
        CHECK(find_in(make_table({{"GET", "/a"}, {"ANY", "/a"}}), "GET", "/a") == "0");
    }

    TEST_CASE("parameters of an abandoned branch leave no trace") {
        const RouteTable table = make_table({{"GET", "/{a}/{b}/{c}/end"}, {"GET", "/{a}/{rest+}"}});
        CHECK(find_in(table, "GET", "/1/2/3/end") == "0 a=1 b=2 c=3");
        CHECK(find_in(table, "GET", "/1/2/3/4") == "1 a=1 rest=2/3/4");
        CHECK(find_in(table, "GET", "/1/2/3/end/5") == "1 a=1 rest=2/3/end/5");
    }

    TEST_CASE("a path of very many segments is matched by a greedy parameter only") {
        const RouteTable table =
            make_table({{"GET", "/a/a"}, {"GET", "/{x}/a/a"}, {"GET", "/a/{rest+}"}});
        std::string path;
        for (int i = 0; i < 50000; ++i)
            path += "/a";
        CHECK(find_in(table, "GET", path) == "2 rest=" + path.substr(3));
        CHECK(find_in(table, "GET", "/b" + path) == "none");
    }

    TEST_CASE("a literal is told from a longer one of the same beginning") {
        const std::string long_a(70, 'a');
        const std::string long_b = long_a + 'b';
        const RouteTable table =
            make_table({{"GET", "/" + long_a}, {"GET", "/" + long_b}, {"GET", "/b"}});
        CHECK(find_in(table, "GET", "/" + long_a) == "0");
        CHECK(find_in(table, "GET", "/" + long_b) == "1");
        CHECK(find_in(table, "GET", "/" + long_a + "c") == "none");
        CHECK(find_in(table, "GET", "/" + long_b + "c") == "none");
    }

    TEST_CASE("ten thousand routes are told apart") {
        std::vector<RouteSpec> specs;
        for (int i = 0; i < 10000; ++i) {
            specs.push_back(
                {"GET", "/s" + std::to_string(i % 100) + "/{id}/r" + std::to_string(i)});
        }
        const RouteTable table = make_table(specs);
        for (int i = 0; i < 10000; i += 37) {
            const std::string number = std::to_string(i);
            CAPTURE(number);
            CHECK(find_in(table, "GET", "/s" + std::to_string(i % 100) + "/x/r" + number) ==
                  number + " id=x");
            CHECK(find_in(table, "GET", "/s" + std::to_string((i + 1) % 100) + "/x/r" + number) ==
                  "none");
        }
    }

    TEST_CASE("routes that cannot stand beside each other are refused") {
        struct Refused {
            std::string_view name;
            std::vector<RouteSpec> specs;
            std::string_view why;
        };

        const Refused rows[] = {
            {"twice",
             {{"GET", "/a"}, {"GET", "/a"}},
             "routes[1] \"GET /a\": same method and path as routes[0] \"GET /a\""},
            {"twice ANY",
             {{"ANY", "/"}, {"GET", "/"}, {"ANY", "/"}},
             "same method and path as routes[0]"},
            {"twice in two spellings", {{"GET", "/~a"}, {"GET", "/%7Ea"}}, "same method and path"},
            {"twice with a parameter", {{"GET", "/{a}"}, {"GET", "/{a}"}}, "same method and path"},
            {"parameters of two names", {{"GET", "/{a}"}, {"GET", "/{b}"}}, "siblings {a} and {b}"},
            {"parameters of two names deeper",
             {{"GET", "/x/{a}/y"}, {"PUT", "/x/{b}/z"}},
             "siblings {a} and {b}"},
            {"greedy parameters of two names",
             {{"GET", "/{a+}"}, {"PUT", "/{b+}"}},
             "siblings {a+} and {b+}"},
            {"bad method", {{"get", "/a"}}, "did you mean GET?"},
            {"bad template",
             {{"GET", "/a"}, {"GET", "/{a"}},
             "routes[1] \"GET /{a\": segment \"{a\""},
            {"space in the path", {{"GET", "/a b"}}, "routes[0]"},
            {"no path", {{"GET", ""}}, "does not begin"},
            {"too many parameters",
             {{"GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}/{q}"}},
             "more than 16 path parameters"},
        };
        for (const Refused& row : rows) {
            CAPTURE(row.name);
            const Result<RouteTable> table = RouteTable::make(row.specs);
            REQUIRE_FALSE(table.has_value());
            CHECK(table.error().errc() == Errc::config_invalid);
            CAPTURE(table.error().detail);
            CHECK(table.error().detail.find(row.why) != std::string::npos);
        }
    }

    TEST_CASE("one name may stand at one place for a parameter and a greedy parameter") {
        const RouteTable table = make_table({{"GET", "/{a}"}, {"GET", "/{a+}"}, {"PUT", "/{a}/b"}});
        CHECK(find_in(table, "GET", "/x") == "0 a=x");
        CHECK(find_in(table, "GET", "/x/y") == "1 a=x/y");
        CHECK(find_in(table, "PUT", "/x/b") == "2 a=x");
    }

    TEST_CASE("sixteen parameters are kept") {
        const RouteTable table = make_table(
            {{"GET", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p+}"}});
        PathParameters parameters;
        CHECK(table.find("GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", parameters) == 0);
        CHECK(parameters.size() == 16);
        CHECK(parameters.back() == "16/17");
    }

    TEST_CASE("a moved table keeps its routes") {
        RouteTable first = make_table({{"GET", "/a"}});
        RouteTable second = std::move(first);
        CHECK(find_in(second, "GET", "/a") == "0");
        first = std::move(second);
        CHECK(find_in(first, "GET", "/a") == "0");
    }

    TEST_CASE("HTTP APIs take a match without a greedy parameter first and have a default") {
        // API Gateway developer guide, "Create routes for HTTP APIs".
        const std::vector<RouteSpec> specs = {
            {"GET", "/pets/dog/1"},      // 0
            {"GET", "/pets/dog/{id}"},   // 1
            {"GET", "/pets/{proxy+}"},   // 2
            {"ANY", "/{proxy+}"},        // 3
            {"ANY", "$default"},         // 4
            {"GET", "/{a}/full/match"},  // 5
            {"GET", "/deep/{rest+}"},    // 6
            {"POST", "/pets/dog/{id}"},  // 7
        };
        const auto made = RouteTable::make(specs, Precedence::http);
        REQUIRE(made.has_value());
        const Row rows[] = {
            {"GET", "/pets/dog/1", "0"},
            {"GET", "/pets/dog/2", "1 id=2"},
            {"GET", "/pets/dog/2/", "1 id=2"},
            {"GET", "/pets/cat/1", "2 proxy=cat/1"},
            {"POST", "/test/5", "3 proxy=test/5"},
            {"GET", "/", "4"},
            {"PURGE", "/pets/dog/1", "4"},
            {"GET", "/deep/full/match", "5 a=deep"},
            {"GET", "/deep/full/other", "6 rest=full/other"},
            {"DELETE", "/pets/dog/1", "3 proxy=pets/dog/1"},
            {"GET", "/$default", "3 proxy=$default"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.method);
            CAPTURE(row.path);
            CHECK(find_in(*made, row.method, row.path) == row.wanted);
        }
        CHECK_FALSE(RouteTable::make(std::vector<RouteSpec>{{"ANY", "$default"}}).has_value());
        CHECK_FALSE(
            RouteTable::make(std::vector<RouteSpec>{{"ANY", "$default"}, {"ANY", "$default"}},
                             Precedence::http)
                .has_value());
        auto only = RouteTable::make(std::vector<RouteSpec>{{"GET", "/a"}}, Precedence::http);
        REQUIRE(only.has_value());
        const RouteTable& bare = *only;
        CHECK(find_in(bare, "POST", "/a") == "none");
        CHECK(find_in(bare, "PURGE", "/a") == "none");
    }
}

}  // namespace gatehouse::routing::route_table_test
