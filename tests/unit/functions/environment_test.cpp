#include "../../../src/functions/environment.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace functions_environment_test {

using namespace gatehouse;
using namespace gatehouse::functions;

namespace {

const char* inherited(const char* name) {
    static const std::map<std::string_view, const char*> ours = {
        {"PATH", "/ours"},
        {"HOME", "/home/x"},
        {"AWS_SECRET_ACCESS_KEY", "secret"},
        {"GATEHOUSE_ADMIN_TOKEN", "secret"},
        {"AWS_LAMBDA_RUNTIME_API", "another"},
        {"LD_PRELOAD", "x.so"},
    };
    const auto found = ours.find(name);
    return found == ours.end() ? nullptr : found->second;
}

std::vector<std::string> made(const Command& command) {
    return make_environment("authz", command, "/srv/authz", 4711, inherited);
}

bool has(const std::vector<std::string>& lines, std::string_view line) {
    return std::ranges::find(lines, line) != lines.end();
}

bool names(const std::vector<std::string>& lines, std::string_view name) {
    return std::ranges::any_of(lines, [name](const std::string& line) {
        return line.starts_with(std::string(name) + "=");
    });
}

}  // namespace

TEST_SUITE("functions/environment") {
    TEST_CASE("a function sees what Lambda defines and little of ours") {
        Command command;
        command.command = {"ric", "app.handler"};
        command.region = "eu-west-1";
        const auto lines = made(command);
        for (const char* line : {"AWS_LAMBDA_RUNTIME_API=127.0.0.1:4711",
                                 "AWS_LAMBDA_FUNCTION_NAME=authz",
                                 "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
                                 "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
                                 "AWS_REGION=eu-west-1",
                                 "AWS_DEFAULT_REGION=eu-west-1",
                                 "LAMBDA_TASK_ROOT=/srv/authz",
                                 "_HANDLER=app.handler",
                                 "PATH=/ours",
                                 "HOME=/home/x"}) {
            CAPTURE(line);
            CHECK(has(lines, line));
        }
        CHECK_FALSE(names(lines, "AWS_SECRET_ACCESS_KEY"));
        CHECK_FALSE(names(lines, "GATEHOUSE_ADMIN_TOKEN"));
        CHECK_FALSE(names(lines, "LD_PRELOAD"));
    }

    TEST_CASE("the configuration wins but for the address of the Runtime API") {
        Command command;
        command.command = {"ric", "app.handler"};
        command.environment = {{"PATH", "/mine"},
                               {"_HANDLER", "other.handler"},
                               {"AWS_REGION", "here"},
                               {"AWS_LAMBDA_RUNTIME_API", "10.0.0.1:80"},
                               {"EMPTY", ""}};
        const auto lines = made(command);
        CHECK(has(lines, "PATH=/mine"));
        CHECK_FALSE(has(lines, "PATH=/ours"));
        CHECK(has(lines, "_HANDLER=other.handler"));
        CHECK(has(lines, "AWS_REGION=here"));
        CHECK(has(lines, "EMPTY="));
        CHECK(has(lines, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:4711"));
        CHECK_FALSE(has(lines, "AWS_LAMBDA_RUNTIME_API=10.0.0.1:80"));
    }

    TEST_CASE("the last argument is the handler only when it looks like one") {
        struct Row {
            const char* last;
            bool handler;
        };

        const Row rows[] = {
            {"app.handler", true},
            {"src/app.lambda_handler", true},
            {"com.example.Handler::handle", true},
            {"plain", false},
            {".hidden", false},
            {"-c.x", false},
            {"import a.b; run()", false},
            {"app.", false},
            {"", false},
        };
        for (const Row& row : rows) {
            CAPTURE(row.last);
            Command command;
            command.command = {"program", row.last};
            CHECK(names(made(command), "_HANDLER") == row.handler);
        }
        Command alone;
        alone.command = {"boot.strap"};
        CHECK_FALSE(names(made(alone), "_HANDLER"));
    }

    TEST_CASE("programs without a slash are looked for on the function's own path") {
        using Files = std::vector<std::string>;
        CHECK(find_program("x/y", {"PATH=/a"}) == Files{"x/y"});
        CHECK(find_program("./y", {"PATH=/a"}) == Files{"./y"});
        CHECK(find_program("y", {"A=1", "PATH=/a:/b/c"}) == Files{"/a/y", "/b/c/y"});
        CHECK(find_program("y", {"PATH=:/a::"}) == Files{"/a/y"});
        CHECK(find_program("y", {"PATH="}).empty());
        CHECK(find_program("y", {}).empty());
    }
}

}  // namespace functions_environment_test
