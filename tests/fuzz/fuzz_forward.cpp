// Whatever a client sends and an authorizer says, the head that reaches the upstream is one that
// every parser reads alike: one Host, at most one framing field, nothing of the client's under the
// gateway's names, and no way out of a segment, a line or the head.
#include "fuzz/require.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/http/target.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace gatehouse;

namespace {

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

// What a head parser lets through: a token, and a value without controls but tab.
bool add_field(std::string_view line, std::vector<http::Field>& fields) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
    const std::string_view value = trim(line.substr(colon + 1));
    if (std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; }))
        return false;
    const std::string_view name = line.substr(0, colon);
    fields.push_back({name, value, http::find_field_id(name)});
    return true;
}

bool folds_under(std::string_view name, std::string_view prefix) {
    return name.size() >= prefix.size() && equals_folded(name.substr(0, prefix.size()), prefix);
}

forward::ForwardPlan make_plan(bool plain, bool request_context) {
    forward::ForwardOptions options;
    options.uri = "http://backend:3000/u/{who}/{id}?own={id}";
    options.path_parameters = {"id"};
    options.plain_headers = plain;
    options.context_headers.request_context = request_context;
    options.request_parameters = {
        {"integration.request.path.who", "context.authorizer.who"},
        {"integration.request.header.X-Mapped", "method.request.querystring.q"},
        {"integration.request.header.X-Who", "context.authorizer.who"},
        {"integration.request.querystring.m", "method.request.multivalueheader.X-In"}};
    return forward::ForwardPlan::make(options).value();
}

struct Counts {
    int host = 0;
    int framing = 0;
    int mapped = 0;
    int who = 0;
    int prefixed = 0;
    int context = 0;
    int forwarded_for = 0;
};

void count_line(std::string_view line, Counts& counts) {
    const std::size_t colon = line.find(": ");
    require(colon != std::string_view::npos, "every line has a colon");
    const std::string_view name = line.substr(0, colon);
    require(is_token(name), "names are tokens");
    for (const char c : line)
        require(!is_control(c) || c == '\t', "values have no control");
    counts.host += equals_folded(name, "host") ? 1 : 0;
    counts.framing +=
        equals_folded(name, "content-length") || equals_folded(name, "transfer-encoding") ? 1 : 0;
    counts.mapped += equals_folded(name, "x-mapped") ? 1 : 0;
    counts.who += equals_folded(name, "x-who") ? 1 : 0;
    counts.prefixed += folds_under(name, "x-authorizer-") ? 1 : 0;
    counts.context += equals_folded(name, "x-amzn-request-context") ? 1 : 0;
    counts.forwarded_for += equals_folded(name, "x-forwarded-for") ? 1 : 0;
    require(!equals_ignoring_case(name, "connection"), "no hop-by-hop field");
}

void check_target(std::string_view line, std::string_view parameter) {
    require(line.starts_with("GET /u/") && line.ends_with(" HTTP/1.1"), "the request line");
    line.remove_prefix(4);
    line.remove_suffix(9);
    for (const char c : line)
        require(static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '#',
                "no way out of the target");
    const std::string_view path = line.substr(0, line.find('?'));
    const auto slashes = std::count(path.begin(), path.end(), '/');
    // The mapped value is one segment, however it tries.
    require(slashes == 3 + std::count(parameter.begin(), parameter.end(), '/'),
            "no way out of a segment");
    std::string scratch;
    require(http::parse_target(path, scratch).has_value(), "the path reads back");
}

void check_head(std::string_view head, std::string_view parameter, bool request_context) {
    require(head.ends_with("\r\n\r\n"), "one empty line at the end");
    head.remove_suffix(2);
    bool first = true;
    Counts counts;
    while (!head.empty()) {
        const std::size_t end = head.find("\r\n");
        require(end != std::string_view::npos, "lines end");
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + 2);
        first ? check_target(line, parameter) : count_line(line, counts);
        first = false;
    }
    require(counts.host == 1, "one Host");
    require(counts.framing <= 1, "one framing field");
    require(counts.mapped <= 1, "one mapped field");
    require(counts.who == 1, "one context field");
    require(counts.prefixed == 1, "nothing of the client under the prefix");
    require(counts.forwarded_for == 1, "one X-Forwarded-For");
    require(counts.context == (request_context ? 1 : 0), "one request context");
}

}  // namespace

// Input: a byte of switches, then lines: the target, the authorizer's value, and fields.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const forward::ForwardPlan kPlans[] = {make_plan(false, false),
                                                  make_plan(true, false),
                                                  make_plan(false, true),
                                                  make_plan(true, true)};
    if (size == 0) return 0;
    const std::unique_ptr<char[]> exact(new char[size]);  // so that reading beyond the end is seen
    std::copy(data, data + size, exact.get());
    const auto switches = static_cast<unsigned char>(exact[0]);
    std::string_view rest(exact.get() + 1, size - 1);

    http::RequestHead head;
    head.method = "GET";
    head.target = take_line(rest);
    std::string scratch;
    const auto target = http::parse_target(head.target, scratch);
    if (!target || target->asterisk) return 0;
    authz::Grant grant;
    grant.principal_id = "p";
    grant.context = {{"who", std::string(take_line(rest))}};
    grant.header_block = "X-Authorizer-Principal-Id: p\r\n";
    grant.authorizer_json = "{}";
    std::vector<http::Field> fields;
    while (!rest.empty()) {
        if (!add_field(take_line(rest), fields)) return 0;
    }
    head.fields = fields;
    if (http::check_request(head) != Errc::none) return 0;

    static const authz::StageFacts kStage{
        "api", "prod", "us-east-1", "123456789012", "", "", false, {}, {}};
    static const std::string kNames[] = {"id"};
    authz::RequestFacts facts;
    facts.stage = &kStage;
    facts.head = &head;
    facts.target = *target;
    facts.parameter_names = kNames;
    std::string_view parameter = target->path.substr(1);
    if (parameter.ends_with('/')) parameter.remove_suffix(1);
    if (parameter.empty()) return 0;  // no route gives an empty parameter
    facts.parameters = {parameter};
    facts.source_ip = "192.0.2.7";
    facts.request_id = "id";
    facts.trace_id = "Root=1";
    facts.grant = &grant;
    std::string out;
    if (kPlans[switches & 3].write_request_head(facts, head.framing, out) != Errc::none) {
        require(out.empty(), "nothing written on an error");
        return 0;
    }
    check_head(out, parameter, (switches & 2) != 0);
    return 0;
}
