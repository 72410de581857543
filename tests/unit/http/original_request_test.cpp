#include "gatehouse/http/original_request.hpp"

#include "gatehouse/core/errc.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/framing.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace original_request_test {

using namespace gatehouse;
using namespace gatehouse::http;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// A proxy's question, as head_parser and check_request leave it. Stays in place.
struct Asked {
    std::string method = "GET";
    std::string target = "/decision";
    Pairs pairs;
    std::vector<Field> fields;
    RequestHead head;
    OriginalRequest original;

    Result<void> read(OriginalForm form) {
        fields.clear();
        for (const auto& [name, value] : pairs)
            fields.push_back({name, value, find_field_id(name)});
        head.method = method;
        head.target = target;
        head.fields = fields;
        REQUIRE(check_request(head) == Errc::none);
        return read_original_request(form, head, original);
    }

    void set(const std::string& name, const std::string& value) {
        for (auto& pair : pairs) {
            if (pair.first == name) {
                pair.second = value;
                return;
            }
        }
        pairs.emplace_back(name, value);
    }

    void remove(const std::string& name) {
        std::erase_if(pairs, [&](const auto& pair) { return pair.first == name; });
    }
};

Asked ask(OriginalForm form) {
    Asked asked;
    if (form == OriginalForm::nginx) {
        asked.pairs = {{"Host", "127.0.0.1:8181"},
                       {"X-Original-Method", "DELETE"},
                       {"X-Original-URI", "/items/7?a=1&b=/../x"},
                       {"X-Original-Host", "api.example.com:8443"},
                       {"X-Original-Proto", "https"},
                       {"X-Real-IP", "192.0.2.7"},
                       {"Authorization", "Bearer x"}};
    } else if (form == OriginalForm::forwarded) {
        asked.pairs = {{"Host", "127.0.0.1:8181"},
                       {"X-Forwarded-Method", "DELETE"},
                       {"X-Forwarded-Uri", "/items/7?a=1&b=/../x"},
                       {"X-Forwarded-Host", "api.example.com:8443"},
                       {"X-Forwarded-Proto", "https"},
                       {"X-Forwarded-For", "192.0.2.7"},
                       {"Authorization", "Bearer x"}};
    } else {
        asked.method = "DELETE";
        asked.target = "/items/7?a=1&b=/../x";
        asked.pairs = {{"Host", "api.example.com:8443"},
                       {"X-Forwarded-Proto", "https"},
                       {"X-Forwarded-For", "192.0.2.7"},
                       {"Authorization", "Bearer x"},
                       {"Content-Length", "0"}};
    }
    return asked;
}

constexpr OriginalForm kForms[] = {
    OriginalForm::nginx, OriginalForm::forwarded, OriginalForm::envoy};

// "DELETE /items api.example.com https 192.0.2.7:443 | Host=…, Authorization=…"
std::string show(const OriginalRequest& original) {
    std::string text = std::string(original.head.method) + " " + std::string(original.head.target) +
                       " " + std::string(original.head.host) +
                       (original.secure ? " https " : " http ") + original.source_ip + " " +
                       std::to_string(original.port) + " |";
    for (const Field& field : original.head.fields)
        text += " " + std::string(field.name) + "=" + std::string(field.value);
    return text;
}

std::string outcome(const Result<void>& read) {
    if (read) return "ok";
    return std::string(reason_id(read.error().errc())) +
           (read.error().detail.empty() ? "" : ": " + read.error().detail);
}

}  // namespace

TEST_SUITE("http/original_request") {
    TEST_CASE("each form names the same request") {
        for (const OriginalForm form : kForms) {
            CAPTURE(static_cast<int>(form));
            Asked asked = ask(form);
            REQUIRE(outcome(asked.read(form)) == "ok");
            const std::string length = form == OriginalForm::envoy ? " Content-Length=0" : "";
            CHECK(show(asked.original) ==
                  "DELETE /items/7?a=1&b=/../x api.example.com:8443 https 192.0.2.7 8443 | "
                  "Host=api.example.com:8443 Authorization=Bearer x" +
                      length);
            CHECK(asked.original.head.framing.kind == Framing::Kind::none);
            CHECK(asked.original.head.version == Version::http_1_1);
        }
    }

    TEST_CASE("names of another form are the client's own fields") {
        struct Row {
            OriginalForm form;
            const char* name;
            const char* value;
        };

        const Row rows[] = {
            {OriginalForm::forwarded, "X-Original-Method", "GET"},
            {OriginalForm::forwarded, "X-Original-URI", "/open"},
            {OriginalForm::forwarded, "X-Original-Host", "other.example"},
            {OriginalForm::forwarded, "X-Real-IP", "10.0.0.1"},
            {OriginalForm::forwarded, "X_Forwarded_Method", "GET"},
            {OriginalForm::forwarded, "X-Original-URL", "http://x/open"},
            {OriginalForm::nginx, "X-Forwarded-Method", "GET"},
            {OriginalForm::nginx, "X-Forwarded-Uri", "/open"},
            {OriginalForm::nginx, "X-Forwarded-Host", "other.example"},
            {OriginalForm::nginx, "X-Forwarded-Proto", "http"},
            {OriginalForm::nginx, "X-Forwarded-For", "10.0.0.1"},
            {OriginalForm::nginx, "X_Original_URI", "/open"},
            {OriginalForm::envoy, "X-Forwarded-Method", "GET"},
            {OriginalForm::envoy, "X-Forwarded-Uri", "/open"},
            {OriginalForm::envoy, "X-Forwarded-Host", "other.example"},
            {OriginalForm::envoy, "X-Original-URI", "/open"},
            {OriginalForm::envoy, "X-Envoy-Original-Path", "/open"},
            {OriginalForm::envoy, "X-Envoy-External-Address", "10.0.0.1"},
            {OriginalForm::envoy, "X-HTTP-Method-Override", "GET"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Asked asked = ask(row.form);
            asked.pairs.insert(asked.pairs.begin(), {row.name, row.value});
            REQUIRE(outcome(asked.read(row.form)) == "ok");
            CHECK(show(asked.original).find("DELETE /items/7") == 0);
            CHECK(asked.original.head.host == "api.example.com:8443");
            CHECK(asked.original.source_ip == "192.0.2.7");
            CHECK(asked.original.secure);
            CHECK(find_field(asked.original.head.fields, row.name) != nullptr);
        }
    }

    TEST_CASE("a name that is absent empty or repeated is refused") {
        for (const OriginalForm form : kForms) {
            for (const auto& pair : ask(form).pairs) {
                const std::string& name = pair.first;
                if (!name.starts_with("X-")) continue;
                CAPTURE(name);
                CAPTURE(static_cast<int>(form));
                Asked absent = ask(form);
                absent.remove(name);
                CHECK(outcome(absent.read(form)) == "decision_unreadable: " + name + " is missing");
                Asked empty = ask(form);
                empty.set(name, "");
                CHECK(outcome(empty.read(form)) == "decision_unreadable: " + name + " is empty");
                Asked repeated = ask(form);
                repeated.pairs.push_back(pair);
                CHECK(outcome(repeated.read(form)) ==
                      "decision_unreadable: " + name + " is repeated");
                // In front and in another case, as a client would send it.
                Asked spoofed = ask(form);
                std::string lower = name;
                for (char& c : lower)
                    c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
                spoofed.pairs.insert(spoofed.pairs.begin(), {lower, "/open"});
                CHECK(outcome(spoofed.read(form)) ==
                      "decision_unreadable: " + name + " is repeated");
            }
        }
    }

    TEST_CASE("asked by another form it refuses") {
        for (const OriginalForm form : kForms) {
            for (const OriginalForm other : kForms) {
                if (form == other) continue;
                CAPTURE(static_cast<int>(form));
                CAPTURE(static_cast<int>(other));
                Asked asked = ask(other);
                CHECK(outcome(asked.read(form)).starts_with("decision_unreadable"));
            }
        }
    }

    TEST_CASE("the forms with names are asked at one path by harmless methods") {
        struct Row {
            const char* method;
            const char* target;
            bool good;
        };

        const Row rows[] = {
            {"GET", "/decision", true},
            {"HEAD", "/decision", true},
            {"POST", "/decision", true},
            {"GET", "/decision?a=1", true},
            {"DELETE", "/decision", false},
            {"get", "/decision", false},
            {"OPTIONS", "*", false},
            {"GET", "/", false},
            {"GET", "/decision/", false},
            {"GET", "/decision/items", false},
            {"GET", "/Decision", false},
            {"GET", "//decision", false},
            {"GET", "/%64ecision", false},
            {"GET", "/x/../decision", false},
            {"GET", "http://127.0.0.1:8181/decision", false},
        };
        for (const OriginalForm form : {OriginalForm::nginx, OriginalForm::forwarded}) {
            for (const Row& row : rows) {
                CAPTURE(row.method);
                CAPTURE(row.target);
                Asked asked = ask(form);
                asked.method = row.method;
                asked.target = row.target;
                const std::string found = outcome(asked.read(form));
                if (row.good) CHECK(found == "ok");
                if (!row.good)
                    CHECK(found.starts_with("decision_unreadable: GET /decision is how"));
            }
        }
    }

    TEST_CASE("the named request passes what a direct one must") {
        struct Row {
            const char* method;
            const char* uri;
            const char* host;
            const char* want;
        };

        const Row rows[] = {
            {"GET", "/", "a.example", "ok"},
            {"get", "/", "a.example", "ok"},            // another method, and no route has it
            {"GET", "/a/../b", "a.example", "ok"},      // judged, and refused, by http/target
            {"GET", "/%2e%2e/b#x", "a.example", "ok"},  // the same
            {"PURGE", "/a", "[2001:db8::1]:80", "ok"},
            {"GET", "http://a.example/open", "a.example", "target_invalid"},
            {"GET", "http://b.example/open", "a.example", "target_invalid"},
            {"GET", "//b.example/open", "a.example", "ok"},  // an empty segment: http/target
            {"GET", "a.example/open", "a.example", "target_invalid"},
            {"GET", "?a=1", "a.example", "target_invalid"},
            {"GET", "\\open", "a.example", "target_invalid"},
            {"OPTIONS", "*", "a.example", "target_invalid"},
            {"CONNECT", "/a", "a.example", "method_unsupported"},
            {"GET /open", "/a", "a.example", "request_malformed"},
            {"GET,DELETE", "/a", "a.example", "request_malformed"},
            {"G\tET", "/a", "a.example", "request_malformed"},
            {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
             "/a",
             "a.example",
             "method_unsupported"},
            {"GET", "/a", "a.example, b.example", "host_invalid"},
            {"GET", "/a", "a.example/open", "host_invalid"},
            {"GET", "/a", "a.example?", "host_invalid"},
            {"GET", "/a", "me@a.example", "host_invalid"},
            {"GET", "/a", "a.example:99999", "host_invalid"},
            {"GET", "/a", ":80", "host_invalid"},
        };
        for (const OriginalForm form : {OriginalForm::nginx, OriginalForm::forwarded}) {
            const std::string prefix = form == OriginalForm::nginx ? "X-Original-" : "X-Forwarded-";
            for (const Row& row : rows) {
                CAPTURE(row.method);
                CAPTURE(row.uri);
                CAPTURE(row.host);
                Asked asked = ask(form);
                asked.set(prefix + "Method", row.method);
                asked.set(prefix + (form == OriginalForm::nginx ? "URI" : "Uri"), row.uri);
                asked.set(prefix + "Host", row.host);
                CHECK(outcome(asked.read(form)) == row.want);
            }
        }
    }

    TEST_CASE("the scheme is one of four words") {
        struct Row {
            const char* proto;
            const char* want;
        };

        const Row rows[] = {{"http", "http 80"},
                            {"ws", "http 80"},
                            {"https", "https 443"},
                            {"wss", "https 443"},
                            {"HTTPS", ""},
                            {"https, http", ""},
                            {"http,https", ""},
                            {"h2", ""},
                            {"on", ""},
                            {"https;", ""}};
        for (const OriginalForm form : kForms) {
            const std::string name =
                form == OriginalForm::nginx ? "X-Original-Proto" : "X-Forwarded-Proto";
            const std::string host = form == OriginalForm::nginx       ? "X-Original-Host"
                                     : form == OriginalForm::forwarded ? "X-Forwarded-Host"
                                                                       : "Host";
            for (const Row& row : rows) {
                CAPTURE(row.proto);
                Asked asked = ask(form);
                asked.set(name, row.proto);
                asked.set(host, "a.example");
                const std::string found = outcome(asked.read(form));
                if (*row.want == '\0') {
                    CHECK(found == "decision_unreadable: " + name + " is \"" + row.proto +
                                       "\", neither http nor https");
                    continue;
                }
                REQUIRE(found == "ok");
                CHECK((asked.original.secure ? "https " : "http ") +
                          std::to_string(asked.original.port) ==
                      row.want);
            }
        }
    }

    TEST_CASE("the address is what the proxy saw") {
        struct Row {
            const char* list;
            const char* address;  // empty: refused
            const char* rest;     // what stays in X-Forwarded-For; empty: no such field
        };

        const Row rows[] = {
            {"192.0.2.7", "192.0.2.7", ""},
            {"10.0.0.1, 192.0.2.7", "192.0.2.7", "10.0.0.1"},
            {"10.0.0.1,unknown ,192.0.2.7", "192.0.2.7", "10.0.0.1,unknown"},
            {",192.0.2.7", "192.0.2.7", ""},
            {"2001:DB8:0::1", "2001:db8::1", ""},
            {"::ffff:192.0.2.7", "192.0.2.7", ""},
            {"::ffff:c000:207", "192.0.2.7", ""},
            {"fe80::1%eth0", "fe80::1", ""},
            {"192.0.2.7,", "", ""},
            {"192.0.2.7, unknown", "", ""},
            {"192.0.2.7:4711", "", ""},
            {"[2001:db8::1]", "", ""},
            {"[2001:db8::1]:4711", "", ""},
            {"192.0.2.256", "", ""},
            {"192.0.2", "", ""},
            {"192.0.02.7", "", ""},
            {"0xC0000207", "", ""},
            {"3221225991", "", ""},
            {"localhost", "", ""},
            {"192.0.2.7 10.0.0.1", "", ""},
            {"%", "", ""},
        };
        for (const OriginalForm form : {OriginalForm::forwarded, OriginalForm::envoy}) {
            for (const Row& row : rows) {
                CAPTURE(row.list);
                Asked asked = ask(form);
                asked.set("X-Forwarded-For", row.list);
                const std::string found = outcome(asked.read(form));
                if (*row.address == '\0') {
                    CHECK(found.starts_with("decision_unreadable: X-Forwarded-For ends with"));
                    continue;
                }
                REQUIRE(found == "ok");
                CHECK(asked.original.source_ip == row.address);
                const Field* rest = find_field(asked.original.head.fields, "X-Forwarded-For");
                CHECK((rest == nullptr ? "" : rest->value) == row.rest);
            }
        }
        // nginx names one address. A list there is the client's doing.
        Asked asked = ask(OriginalForm::nginx);
        asked.set("X-Real-IP", "10.0.0.1, 192.0.2.7");
        CHECK(outcome(asked.read(OriginalForm::nginx)) ==
              "decision_unreadable: X-Real-IP ends with \"10.0.0.1, 192.0.2.7\", no address");
    }

    TEST_CASE("nothing of one request is left for the next") {
        Asked first = ask(OriginalForm::forwarded);
        REQUIRE(outcome(first.read(OriginalForm::forwarded)) == "ok");
        first.remove("X-Forwarded-Method");
        CHECK(outcome(first.read(OriginalForm::forwarded)) ==
              "decision_unreadable: X-Forwarded-Method is missing");
        CHECK(first.original.head.method.empty());
        CHECK(first.original.source_ip.empty());
        CHECK_FALSE(first.original.secure);
    }
}

}  // namespace original_request_test
