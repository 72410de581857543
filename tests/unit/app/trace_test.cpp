#include "gatehouse/app/trace.hpp"

#include "gatehouse/core/ascii.hpp"
#include "support/gateway_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace trace_test {

using namespace gatehouse;
using namespace gatehouse::app;

namespace {

TraceRecord record_of(unsigned char id,
                      Errc reason = Errc::allowed,
                      int status = 200,
                      int route = 0) {
    TraceRecord record;
    record.request_id.fill(id);
    record.reason = static_cast<std::uint16_t>(reason);
    record.status = static_cast<std::uint16_t>(status);
    record.api = 0;
    record.route = static_cast<std::int16_t>(route);
    return record;
}

std::size_t bytes_of(const TraceDetail& detail) {
    std::size_t bytes = 0;
    for (const std::string* text : {&detail.path,
                                    &detail.host,
                                    &detail.method_arn,
                                    &detail.issued_for,
                                    &detail.principal,
                                    &detail.error,
                                    &detail.hint,
                                    &detail.kid,
                                    &detail.policy}) {
        bytes += text->size();
    }
    for (const jwt::Check check : detail.checks)
        bytes += check.expected.size() + check.found.size();
    for (const policy::StatementTrail& statement : detail.statements)
        bytes += statement.sid.size() + statement.why.size();
    return bytes;
}

}  // namespace

TEST_SUITE("app/trace") {
    TEST_CASE("a journal gives its newest records first and forgets the oldest") {
        const test::GatewayFixture f;
        Journal journal(4);
        journal.begin(f.snapshot);
        CHECK(journal.find({}).empty());
        for (unsigned char i = 1; i <= 6; ++i)
            journal.add(record_of(i), nullptr, f.snapshot.get());
        const auto found = journal.find({});
        REQUIRE(found.size() == 4);
        for (std::size_t i = 0; i < 4; ++i)
            CHECK(found[i].record.request_id[0] == 6 - i);
    }

    TEST_CASE("a record without detail never shows the detail of the one it replaces") {
        const test::GatewayFixture f;
        Journal journal(1);
        journal.begin(f.snapshot);
        TraceDetail detail;
        detail.host = "old.example";
        journal.add(record_of(1), &detail, f.snapshot.get());
        REQUIRE(journal.find({})[0].detail != nullptr);
        CHECK(journal.find({})[0].unpack().detail->host == "old.example");
        journal.add(record_of(2), nullptr, f.snapshot.get());
        CHECK(journal.find({})[0].detail == nullptr);
    }

    TEST_CASE("filters choose by status reason route id and number") {
        const test::GatewayFixture f;
        Journal journal(16);
        journal.begin(f.snapshot);
        journal.add(record_of(1, Errc::allowed, 200, 0), nullptr, f.snapshot.get());
        journal.add(record_of(2, Errc::implicit_deny, 403, 1), nullptr, f.snapshot.get());
        journal.add(record_of(3, Errc::route_unmatched, 403, -1), nullptr, f.snapshot.get());
        journal.add(record_of(4, Errc::token_expired, 401, 1), nullptr, f.snapshot.get());

        struct Row {
            const char* name;
            TraceFilter filter;
            std::vector<int> wanted;  // first bytes of the ids
        };

        std::vector<Row> rows(9);
        rows[0] = {"nothing asked", {}, {4, 3, 2, 1}};
        rows[1] = {"status", {403, {}, {}, 50, {}}, {3, 2}};
        rows[2] = {"reason", {{}, "implicit_deny", {}, 50, {}}, {2}};
        rows[3] = {"unknown reason", {{}, "deny", {}, 50, {}}, {}};
        rows[4] = {"route", {{}, {}, "GET /b", 50, {}}, {4, 2}};
        rows[5] = {"a path is no route key", {{}, {}, "/b", 50, {}}, {}};
        rows[6] = {"all must hold", {403, {}, "GET /b", 50, {}}, {2}};
        rows[7] = {"limit", {{}, {}, {}, 3, {}}, {4, 3, 2}};
        rows[8] = {"id", {{}, {}, {}, 50, record_of(3).request_id}, {3}};
        for (const Row& row : rows) {
            CAPTURE(row.name);
            std::vector<int> found;
            for (const KeptTrace& trace : journal.find(row.filter))
                found.push_back(trace.record.request_id[0]);
            CHECK(found == row.wanted);
        }
    }

    TEST_CASE("details stay within their bound whatever they are made of") {
        TraceDetail detail;
        const std::string huge(100000, 'x');
        for (std::string* text : {&detail.path,
                                  &detail.host,
                                  &detail.method_arn,
                                  &detail.issued_for,
                                  &detail.principal,
                                  &detail.error,
                                  &detail.hint,
                                  &detail.kid,
                                  &detail.policy}) {
            *text = huge;
        }
        for (int i = 0; i < 1000; ++i)
            detail.checks.add("form", false, huge, huge);
        detail.statements.assign(1000, {0, policy::Effect::deny, huge, false, huge});
        detail.bound();
        CHECK(bytes_of(detail) <= limits::kTraceDetailBytes);
        CHECK(detail.statements.size() <= 12);
        CHECK(detail.checks.size() <= 32);
        CHECK(detail.checks[0].name == "form");
        CHECK_FALSE(detail.checks[0].passed);
        CHECK(detail.checks[0].found.size() <= 100);
        CHECK(detail.checks[0].found.ends_with("…"));
        CHECK(detail.error.ends_with("…"));
        CHECK(detail.error.size() > 100);
    }

    TEST_CASE("texts are cut between characters") {
        TraceDetail detail;
        detail.kid = "x";
        for (int i = 0; i < 100; ++i)
            detail.kid += "é";
        detail.bound();
        CHECK(is_utf8(detail.kid));
        CHECK(detail.kid.size() <= 100);
        CHECK(detail.kid.ends_with("é…"));
    }

    TEST_CASE("details of usual size are left whole") {
        TraceDetail detail;
        detail.path = "/items";
        detail.policy = R"({"Statement":[]})";
        for (int i = 0; i < 12; ++i)
            detail.checks.add("audience", true, "api://users", "api://users");
        detail.statements.assign(3, {0, policy::Effect::allow, "All", true, "Resource * matches"});
        detail.bound();
        CHECK(detail.path == "/items");
        CHECK(detail.policy == R"({"Statement":[]})");
        CHECK(detail.checks[11].found == "api://users");
        CHECK(detail.statements[2].why == "Resource * matches");
    }

    TEST_CASE("request ids survive the way to text and back") {
        std::array<unsigned char, 16> id{};
        for (std::size_t i = 0; i < id.size(); ++i)
            id[i] = static_cast<unsigned char>(i * 17);
        const std::string text = request_id_text(id);
        CHECK(text == "00112233-4455-6677-8899-aabbccddeeff");
        CHECK(parse_request_id(text) == id);
        CHECK(parse_request_id("00112233-4455-6677-8899-AABBCCDDEEFF") == id);
    }

    TEST_CASE("texts that are no request id are refused") {
        for (const std::string_view text : {"",
                                            "-",
                                            "00112233-4455-6677-8899-aabbccddeef",
                                            "00112233-4455-6677-8899-aabbccddeeff0",
                                            "001122334-455-6677-8899-aabbccddeeff",
                                            "g0112233-4455-6677-8899-aabbccddeeff",
                                            "00112233-4455-6677-8899-aabbccddee--",
                                            "------------------------------------"}) {
            CAPTURE(text);
            CHECK_FALSE(parse_request_id(text));
        }
    }

    TEST_CASE("a trace tells which target of an upstream it was") {
        test::ConfigText config;
        config.routes =
            R"({ "routeKey": "GET /a", "authorizer": "NONE", "integration": { "type": "HTTP_PROXY", "uri": "http://users/" } })";
        config.top +=
            R"(, "upstreams": { "users": { "targets": ["http://127.0.0.1:1", "http://127.0.0.1:2"] } })";
        const test::GatewayFixture f(config);
        Trace trace;
        trace.snapshot = f.snapshot;
        trace.record = record_of(1, Errc::open_route);
        trace.record.upstream_status = 200;
        trace.record.target = 1;
        trace.record.attempts = 2;
        Json step = test::step_of(to_json(trace), "upstream");
        CHECK(step["host"] == "127.0.0.1:2");
        CHECK(step["upstream"] == "users");
        CHECK(step["attempts"] == 2);
        // The last of as many targets as there may be.
        Json targets = Json::array();
        for (std::size_t i = 1; i <= limits::kUpstreamTargets; ++i)
            targets.push_back("http://127.0.0.1:" + std::to_string(i));
        config.top = R"(, "upstreams": { "users": { "targets": )" + targets.dump() + " } }";
        const test::GatewayFixture many(config);
        Trace last = trace;
        last.snapshot = many.snapshot;
        last.record.target = limits::kUpstreamTargets - 1;
        step = test::step_of(to_json(last), "upstream");
        CHECK(step["host"] == "127.0.0.1:" + std::to_string(limits::kUpstreamTargets));
        // Refused before any target was chosen.
        trace.record = record_of(1, Errc::upstream_overloaded, 503);
        trace.record.refused = true;
        step = test::step_of(to_json(trace), "upstream");
        CHECK(step["host"] == "users");
        CHECK(step["result"] == "upstream_overloaded");
        CHECK_FALSE(step.contains("attempts"));
    }

    TEST_CASE("a trace tells time and the path as text with outside bytes made printable") {
        const test::GatewayFixture f;
        Trace trace;
        trace.snapshot = f.snapshot;
        trace.record = record_of(1, Errc::request_malformed, 400, -1);
        trace.record.api = -1;
        trace.record.wall_ms = 1783711144036;
        const std::string line = "GET /a\x1b[31m\"";
        std::copy(line.begin(), line.end(), trace.record.method_path);
        trace.record.path_bytes = line.size() & 0x3f;
        trace.record.refused = true;
        const Json json = to_json(trace);
        CHECK(json["time"] == "2026-07-10T19:19:04.036Z");
        CHECK(json["method"] == "GET");
        CHECK(json["path"] == R"(/a\x1b[31m\x22)");
        CHECK(json["verdict"] == "refuse");
        CHECK(json["reason"] == "request_malformed");
        CHECK(test::step_of(json, "route")["result"] == "request_malformed");
    }

    TEST_CASE("indices that fit no configuration are shown as none") {
        const test::GatewayFixture f;
        Trace trace;
        trace.snapshot = f.snapshot;
        trace.record = record_of(1, Errc::allowed, 200, 999);
        trace.record.authorizer = 99;
        CHECK(test::step_of(to_json(trace), "route")["result"] == "allowed");
        trace.record.api = 99;
        CHECK_NOTHROW(to_json(trace));
        CHECK(test::step_of(to_json(trace), "identitySource").is_null());
    }

    TEST_CASE("every failure that is a fault of the setup has a hint") {
        for (const Errc reason : {Errc::internal,
                                  Errc::context_unusable,
                                  Errc::authorizer_result_invalid,
                                  Errc::authorizer_failure,
                                  Errc::authorizer_function_error,
                                  Errc::authorizer_timeout,
                                  Errc::authorizer_not_invokable,
                                  Errc::authorizer_result_too_large,
                                  Errc::policy_invalid,
                                  Errc::policy_too_large,
                                  Errc::condition_unsupported,
                                  Errc::function_error,
                                  Errc::function_timeout,
                                  Errc::function_not_invokable,
                                  Errc::function_event_too_large,
                                  Errc::function_answer_too_large,
                                  Errc::function_answer_invalid,
                                  Errc::mapping_invalid,
                                  Errc::keys_unavailable,
                                  Errc::token_key_unknown,
                                  Errc::route_unmatched}) {
            CAPTURE(reason_id(reason));
            CHECK_FALSE(hint_for(reason).empty());
        }
        CHECK(hint_for(Errc::allowed).empty());
    }

    TEST_CASE("traces keep the names of the configuration that judged them") {
        const test::GatewayFixture f;
        const test::GatewayFixture other;
        Journal journal(4);
        journal.begin(f.snapshot);
        journal.add(record_of(1), nullptr, f.snapshot.get());
        journal.begin(other.snapshot);
        journal.add(record_of(2), nullptr, other.snapshot.get());
        journal.add(record_of(3), nullptr, f.snapshot.get());  // it began before
        const auto found = journal.find({});
        REQUIRE(found.size() == 3);
        CHECK(found[0].snapshot == f.snapshot);
        CHECK(found[1].snapshot == other.snapshot);
        CHECK(found[2].snapshot == f.snapshot);
        // One that was never begun has no names here.
        const test::GatewayFixture stranger;
        journal.add(record_of(4), nullptr, stranger.snapshot.get());
        CHECK(journal.find({}).size() == 3);
    }

    TEST_CASE("traces of configurations long gone are forgotten and never take another's names") {
        const test::GatewayFixture f;
        Journal journal(1000);
        journal.begin(f.snapshot);
        journal.add(record_of(1), nullptr, f.snapshot.get());
        const std::weak_ptr<const Snapshot> first = f.snapshot;
        const test::GatewayFixture other;
        for (int i = 0; i < 300; ++i) {  // the numbers go round
            journal.begin(other.snapshot);
            if (i < 6) CHECK(journal.find({}).size() == 1);
        }
        CHECK(journal.find({}).empty());
        CHECK(first.use_count() == 3);  // the fixture's own: it, its gateway, that one's journal
    }
}

}  // namespace trace_test
