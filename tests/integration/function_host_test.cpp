#include "gatehouse/functions/function_host.hpp"

#include "support/function_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

namespace function_host_test {

using namespace gatehouse;
using namespace gatehouse::test;
using functions::Command;
using functions::Function;
using functions::FunctionHost;

namespace {

Command faulty(const std::string& start = "ok") {
    Command command;
    command.command = {GATEHOUSE_PYTHON, "faulty_function.py", start};
    command.directory = source_path("tests/support");
    command.environment = {{"PYTHONDONTWRITEBYTECODE", "1"}};
    command.pool.timeout = 60s;
    command.pool.start_time = 60s;
    return command;
}

struct Host {
    explicit Host(Command command) {
        host.emplace(loop.io, loop.clock, std::vector<Function>{{"authz", std::move(command)}});
        host->start();
    }

    /// Begins a call without waiting for its end.
    void begin(const std::string& event, std::chrono::milliseconds patience = 60s) {
        app::LambdaCall call;
        call.payload = event;
        call.timeout = patience;
        call.trace_id = "Root=1-2-3";
        host->invoke(std::move(call), outcomes.next());
    }

    app::LambdaOutcome invoke(const std::string& event, std::chrono::milliseconds patience = 60s) {
        begin(event, patience);
        const auto entry = outcomes.entries.back();
        REQUIRE(loop.until([&] { return entry->told > 0; }));
        return *entry->outcome;
    }

    /// What a call returned, which is to be JSON.
    Json returned(const std::string& event) {
        const app::LambdaOutcome outcome = invoke(event);
        CAPTURE(outcome.payload);
        CAPTURE(outcome.detail);
        REQUIRE(outcome.end == End::returned);
        const auto json = parse_json(outcome.payload);
        REQUIRE(json.has_value());
        return *json;
    }

    pid_t pid() { return returned("{}").at("pid").get<pid_t>(); }

    Loop loop;
    Outcomes outcomes;
    std::optional<FunctionHost> host;
};

struct TemporaryFile {
    TemporaryFile()
        : path(std::filesystem::temp_directory_path() /
               ("gatehouse-test-" + std::to_string(::getpid()) + "-child")) {
        std::filesystem::remove(path);
    }

    ~TemporaryFile() { std::filesystem::remove(path); }

    std::string text() const {
        std::ifstream file(path);
        return {(std::istreambuf_iterator<char>(file)), {}};
    }

    std::filesystem::path path;
};

}  // namespace

TEST_SUITE("functions/function_host") {
    TEST_CASE("a process serves one call after the other and sees what Lambda gives") {
        Host host(faulty());
        const Json first = host.returned(R"({"a":1})");
        CHECK(first.at("event") == Json{{"a", 1}});
        const Json seen = host.returned(R"({"do":"environment"})");
        CHECK(host.pid() == first.at("pid").get<pid_t>());

        const Json& environment = seen.at("environment");
        CHECK(environment.at("AWS_LAMBDA_FUNCTION_NAME") == "authz");
        CHECK(environment.at("LAMBDA_TASK_ROOT") == source_path("tests/support"));
        CHECK(seen.at("cwd") == source_path("tests/support"));
        const Json& headers = seen.at("headers");
        CHECK(headers.at("Content-Type") == "application/json");
        CHECK(headers.at("Lambda-Runtime-Trace-Id") == "Root=1-2-3");
        CHECK(headers.at("Lambda-Runtime-Invoked-Function-Arn") ==
              "arn:aws:lambda:us-east-1:123456789012:function:authz");
        CHECK(headers.at("Lambda-Runtime-Aws-Request-Id").get<std::string>().size() == 36);
        const auto deadline =
            std::stoll(headers.at("Lambda-Runtime-Deadline-Ms").get<std::string>());
        const auto now = host.loop.clock.now().wall.time_since_epoch().count();
        CHECK(deadline > now);
        CHECK(deadline <= now + 60000);

        CHECK(seen.at("group") == true);

        // Blocked: none. Ignored: what Python itself ignores, SIGPIPE and SIGXFSZ.
        CHECK(seen.at("signals").at(0) == "0000000000000000");
        // Nothing of ours is open in it: its own connection is the only socket.
        std::size_t sockets = 0;
        for (const Json& file : seen.at("open"))
            sockets += file.get<std::string>().find("socket:") != std::string::npos ? 1 : 0;
        CHECK(sockets == 1);
    }

    TEST_CASE("the first process starts without a call and its output goes to the log") {
        Host host(faulty());
        CHECK(host.loop.until([&] { return host.loop.logged("function authz: starting"); }));
    }

    TEST_CASE("errors that a function reports are function errors with its own words") {
        Host host(faulty());
        const auto outcome = host.invoke(
            R"({"do":"error","error":{"errorType":"Error","errorMessage":"Unauthorized"}})");
        CHECK(outcome.end == End::failed);
        CHECK(outcome.payload == R"({"errorType": "Error", "errorMessage": "Unauthorized"})");
        CHECK(outcome.detail == "the function reported an error");
        CHECK(host.loop.until([&] { return host.loop.logged("status 202"); }));
    }

    TEST_CASE("a slow function is killed at its own limit and replaced") {
        Command command = faulty();
        command.pool.timeout = 300ms;
        Host host(command);
        const pid_t first = host.pid();
        const auto outcome = host.invoke(R"({"do":"slow"})");
        CHECK(outcome.end == End::failed);
        CHECK(outcome.payload.find("Task timed out after 0.30 seconds") != std::string::npos);
        CHECK(outcome.detail ==
              "the function's own limit of 300 ms is over, its processes were killed");
        const pid_t second = host.pid();
        CHECK(second != first);
        CHECK_FALSE(is_running(first));
    }

    TEST_CASE("a caller that gives up does not end the function") {
        Host host(faulty());
        const pid_t first = host.pid();
        const auto outcome = host.invoke(R"({"do":"slow","seconds":0.5})", 100ms);
        CHECK(outcome.end == End::timed_out);
        CHECK(outcome.payload.empty());
        CHECK(outcome.detail == "no answer within 100 ms");
        CHECK(host.pid() == first);
        CHECK(host.outcomes.each_once());
    }

    TEST_CASE("a fork goes with its group") {
        struct Row {
            const char* name;
            const char* seconds;
            std::chrono::milliseconds timeout;
        };

        for (const Row& row :
             {Row{"killed at the limit", "600", 2s}, Row{"its parent ends", "0", 60s}}) {
            CAPTURE(row.name);
            TemporaryFile file;
            Command command = faulty();
            command.pool.timeout = row.timeout;
            Host host(command);
            const auto outcome =
                host.invoke(R"({"do":"fork","seconds":)" + std::string(row.seconds) +
                            R"(,"file":)" + quote_json(file.path.string()) + "}");
            CHECK(outcome.end == End::failed);
            REQUIRE_FALSE(file.text().empty());
            const pid_t child = std::stoi(file.text());
            CHECK(host.loop.until([&] { return !is_running(child); }));
            CHECK(host.pid() > 0);
        }
    }

    TEST_CASE("a fork that left the group and holds the output open stops nobody") {
        TemporaryFile file;
        Host host(faulty());
        const auto outcome = host.invoke(R"({"do":"fork","session":true,"seconds":0,"file":)" +
                                         quote_json(file.path.string()) + "}");
        CHECK(outcome.end == End::failed);
        REQUIRE_FALSE(file.text().empty());
        CHECK(host.pid() > 0);
        ::kill(std::stoi(file.text()), SIGKILL);
    }

    TEST_CASE("a process that dies ends its call alone and another takes over") {
        struct Row {
            const char* name;
            const char* event;
            const char* how;
        };

        const Row rows[] = {
            {"killed", R"({"do":"die"})", "signal: Killed"},
            {"exits", R"({"do":"exit"})", "exit status 7"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Host host(faulty());
            const auto outcome = host.invoke(row.event);
            CHECK(outcome.end == End::failed);
            CHECK(outcome.detail ==
                  std::string("its process ended before it answered: ") + row.how);
            CHECK(outcome.payload.find("\"errorType\":\"Runtime.ExitError\"") != std::string::npos);
            CHECK(outcome.payload.find(row.how) != std::string::npos);
            CHECK(host.pid() > 0);
            CHECK(host.loop.logged(std::string("its process ended: ") + row.how));
        }
    }

    TEST_CASE("what was written last reaches the log though the process is gone") {
        Host host(faulty());
        host.invoke(R"({"do":"exit"})");
        CHECK(host.loop.logged("function authz: last words"));
    }

    TEST_CASE("a function that cannot start says why") {
        struct Row {
            const char* name;
            std::function<void(Command&)> change;
            End end;
            std::vector<std::string> details;
            const char* payload;
        };

        const Row rows[] = {
            {"ends before its first next",
             [](Command& c) { c.command.back() = "exit"; },
             End::failed,
             {"ended before it asked for work: exit status 3",
              "starting | cannot find \\x1b[31mmy module",
              "next start in "},
             "Runtime.ExitError"},
            {"shows no value that it was given",
             [](Command& c) {
                 c.command.back() = "exit";
                 c.environment.emplace_back("SECRET", "cannot find");
             },
             End::failed,
             {"starting | ${SECRET} \\x1b[31mmy module"},
             "Runtime.ExitError"},
            {"reports an init error",
             [](Command& c) { c.command.back() = "init_error"; },
             End::failed,
             {"reported that it cannot start", "no module x"},
             R"({"errorType": "Import", "errorMessage": "no module x"})"},
            {"never asks",
             [](Command& c) {
                 c.command.back() = "hang";
                 c.pool.start_time = 300ms;
             },
             End::failed,
             {"did not ask for work within 300 ms of its start"},
             "Sandbox.Timedout"},
            {"no such program",
             [](Command& c) { c.command = {"gatehouse-no-such-program"}; },
             End::not_invokable,
             {"cannot start: gatehouse-no-such-program in ", "No such file"},
             ""},
            {"no such file",
             [](Command& c) {
                 c.command = {"./no-such-file", "app.handler"};
             },
             End::not_invokable,
             {"cannot start: ./no-such-file", "No such file"},
             ""},
            {"not executable",
             [](Command& c) { c.command = {"./main.cpp"}; },
             End::not_invokable,
             {"cannot start: ./main.cpp", "Permission denied"},
             ""},
            {"no such directory",
             [](Command& c) { c.directory = "/no/such/directory"; },
             End::not_invokable,
             {"cannot start: /no/such/directory", "No such file"},
             ""},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Command command = faulty();
            row.change(command);
            Host host(command);
            for (int i = 0; i < 2; ++i) {
                CAPTURE(i);
                const auto outcome = host.invoke("{}");
                CAPTURE(outcome.detail);
                CHECK(outcome.end == row.end);
                for (const std::string& part : row.details)
                    CHECK(outcome.detail.find(part) != std::string::npos);
                CAPTURE(outcome.payload);
                CHECK(outcome.payload.find(row.payload) != std::string::npos);
                CHECK(outcome.payload.empty() == (row.payload[0] == '\0'));
            }
        }
    }

    TEST_CASE("faults on the Runtime API get a 4xx and have no effect") {
        Host host(faulty());
        const pid_t first = host.pid();
        CHECK(host.returned(R"({"do":"wrong_id"})") == 400);
        CHECK(host.returned(R"({"do":"impatient"})") == 403);
        CHECK(host.returned(R"({"do":"garbage"})") ==
              Json::array({"400", "404", "404", "405", "400", "403"}));
        const Json twice = host.returned(R"({"do":"twice"})");
        CHECK(twice.at("event").at("do") == "twice");
        CHECK(host.loop.until([&] { return host.loop.logged("statuses 202 400"); }));
        CHECK(host.pid() == first);
        CHECK(host.outcomes.each_once());
    }

    TEST_CASE("an answer that is too large is never taken") {
        Host host(faulty());
        const pid_t first = host.pid();
        auto outcome = host.invoke(R"({"do":"flood","bytes":104857600})");
        CHECK(outcome.end == End::too_large);
        CHECK(outcome.payload.empty());
        CHECK(outcome.detail == "the answer is larger than 6291556 bytes");
        outcome = host.invoke(R"({"do":"huge","bytes":6000000})");
        CHECK(outcome.end == End::returned);
        CHECK(outcome.payload.size() == 6000002);
        CHECK(host.pid() == first);

        app::LambdaCall call;
        call.payload = R"({"do":"huge","bytes":1000})";
        call.most_bytes = 1001;
        host.host->invoke(std::move(call), host.outcomes.next());
        REQUIRE(host.loop.until([&] { return host.outcomes.entries.back()->told > 0; }));
        CHECK(host.outcomes.entries.back()->outcome->end == End::too_large);
        CHECK(host.pid() == first);
    }

    TEST_CASE("processes start on demand up to the concurrency and work side by side") {
        Command command = faulty();
        command.pool.concurrency = 3;
        Host host(command);
        host.pid();
        for (int i = 0; i < 5; ++i)
            host.begin(R"({"do":"slow","seconds":0.3})");
        REQUIRE(host.loop.until([&] { return host.outcomes.ended() == 6; }));
        std::vector<int> pids;
        for (std::size_t i = 1; i < 6; ++i) {
            const auto json = parse_json(host.outcomes.at(i).payload);
            REQUIRE(json.has_value());
            pids.push_back(json->at("pid").get<int>());
        }
        std::sort(pids.begin(), pids.end());
        CHECK(std::unique(pids.begin(), pids.end()) - pids.begin() == 3);
    }

    TEST_CASE("a full queue refuses and what waits ends by its caller's patience") {
        Command command = faulty();
        command.pool.queue = 1;
        Host host(command);
        host.pid();
        host.begin(R"({"do":"slow"})");
        REQUIRE(host.loop.until([&] { return host.loop.logged("sleeping"); }));
        host.begin("{}", 200ms);
        host.begin("{}");
        REQUIRE(host.loop.until([&] { return host.outcomes.ended() == 3; }));
        CHECK(host.outcomes.at(2).end == End::timed_out);
        CHECK(host.outcomes.at(3).end == End::not_invokable);
        CHECK(host.outcomes.at(3).detail == "the queue of 1 calls is full");
    }

    TEST_CASE("calls may come from many threads") {
        Command command = faulty();
        command.pool.concurrency = 2;
        Host host(command);
        std::vector<app::LambdaDone> done;
        for (int i = 0; i < 100; ++i)
            done.push_back(host.outcomes.next());
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&, thread] {
                for (int i = 0; i < 25; ++i) {
                    app::LambdaCall call;
                    call.payload = R"({"n":)" + std::to_string(thread * 25 + i) + "}";
                    call.timeout = 60s;
                    host.host->invoke(std::move(call),
                                      done[static_cast<std::size_t>(thread * 25 + i)]);
                }
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        REQUIRE(host.loop.until([&] { return host.outcomes.ended() == 100; }));
        for (std::size_t i = 0; i < 100; ++i) {
            const auto json = parse_json(host.outcomes.at(i).payload);
            REQUIRE(json.has_value());
            CHECK(json->at("event").at("n") == i);
        }
        CHECK(host.outcomes.each_once());
    }

    TEST_CASE("at the end all groups are gone and all calls are told") {
        struct Row {
            const char* start;
            std::chrono::milliseconds grace;
        };

        for (const Row& row : {Row{"ok", 1h}, Row{"stubborn", 200ms}}) {
            CAPTURE(row.start);
            Command command = faulty(row.start);
            command.pool.grace = row.grace;
            Host host(command);
            const pid_t pid = host.pid();
            host.begin(R"({"do":"slow"})");
            REQUIRE(host.loop.until([&] { return host.loop.logged("sleeping"); }));
            host.begin("{}");
            bool stopped = false;
            const auto began = std::chrono::steady_clock::now();
            host.host->stop([&] { stopped = true; });
            host.begin("{}");  // ends at once
            REQUIRE(host.loop.until([&] { return stopped; }));
            CHECK_FALSE(is_running(pid));
            const auto took = std::chrono::steady_clock::now() - began;
            CHECK((row.grace == 1h || took >= row.grace));
            CHECK(host.outcomes.ended() == 4);
            for (std::size_t i = 1; i < 4; ++i) {
                CHECK(host.outcomes.at(i).end == End::not_invokable);
                CHECK(host.outcomes.at(i).detail == "the gateway is shutting down");
            }
            CHECK(host.outcomes.each_once());
        }
    }

    TEST_CASE("a host that is dropped leaves no process and no call behind") {
        Host host(faulty());
        const pid_t pid = host.pid();
        host.begin(R"({"do":"slow"})");
        REQUIRE(host.loop.until([&] { return host.loop.logged("sleeping"); }));
        host.begin("{}");
        host.host.reset();
        CHECK_FALSE(is_running(pid));
        CHECK(host.outcomes.ended() == 3);
        CHECK(host.outcomes.each_once());
    }

    TEST_CASE("an index that names no function is told so") {
        Host host(faulty());
        app::LambdaCall call;
        call.function = 7;
        host.host->invoke(std::move(call), host.outcomes.next());
        REQUIRE(host.loop.until([&] { return host.outcomes.ended() == 1; }));
        CHECK(host.outcomes.at(0).end == End::not_invokable);
    }

    TEST_CASE("AWS's own runtime client runs a Node handler") {
        const std::string client = "node_modules/aws-lambda-ric/dist/rapid-client.node";
        const bool installed = std::filesystem::exists(source_path("tests/integration/" + client));
        REQUIRE_MESSAGE(installed, "aws-lambda-ric is not built: ./dev test does it");
        Command command;
        command.command = {"node_modules/.bin/aws-lambda-ric", "support/lambda_handler.handler"};
        command.directory = source_path("tests/integration");
        command.pool.timeout = 60s;
        command.pool.start_time = 60s;
        Host host(command);
        const Json first =
            host.returned(R"({"authorizationToken":"Bearer good","methodArn":"arn"})");
        CHECK(first.at("principalId") == "good");
        CHECK(first.at("context").at("functionName") == "authz");
        CHECK(first.at("context").at("arn") ==
              "arn:aws:lambda:us-east-1:123456789012:function:authz");
        CHECK(first.at("context").at("traceId") == "Root=1-2-3");
        CHECK(first.at("context").at("remaining").get<int>() > 0);
        CHECK(first.at("context").at("remaining").get<int>() <= 60000);

        const auto refused = host.invoke(R"({"authorizationToken":"Bearer bad"})");
        CHECK(refused.end == End::failed);
        const auto error = parse_json(refused.payload);
        REQUIRE(error.has_value());
        CHECK(error->at("errorMessage") == "Unauthorized");

        const auto crashed = host.invoke(R"({"authorizationToken":"Bearer exit"})");
        CHECK(crashed.end == End::failed);
        CHECK(crashed.detail.find("exit status 9") != std::string::npos);
        CHECK(host.returned(R"({"authorizationToken":"Bearer good"})").at("principalId") == "good");
    }

    TEST_CASE("AWS's own runtime client says why a handler cannot be loaded") {
        Command command;
        command.command = {"node_modules/.bin/aws-lambda-ric", "support/no_such_handler.handler"};
        command.directory = source_path("tests/integration");
        command.pool.start_time = 60s;
        Host host(command);
        const auto outcome = host.invoke("{}");
        CAPTURE(outcome.detail);
        CHECK(outcome.end == End::failed);
        CHECK(outcome.detail.find("Cannot find module 'no_such_handler'") != std::string::npos);
    }

    TEST_CASE("a Python handler runs behind the small runtime client of the tests") {
        Command command;
        command.command = {GATEHOUSE_PYTHON,
                           source_path("tests/support/lambda_runtime.py"),
                           "support/lambda_handler.handler"};
        command.directory = source_path("tests/integration");
        command.environment = {{"PYTHONDONTWRITEBYTECODE", "1"}};
        command.pool.start_time = 60s;
        command.pool.timeout = 60s;
        Host host(command);
        CHECK(host.returned(R"({"authorizationToken":"Bearer good"})").at("principalId") == "good");
        const auto refused = host.invoke(R"({"authorizationToken":"Bearer bad"})");
        CHECK(refused.end == End::failed);
        CHECK(refused.payload.find(R"("errorMessage": "Unauthorized")") != std::string::npos);
    }
}

}  // namespace function_host_test
