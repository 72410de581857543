// Whatever a function returns: no crash, an Allow only from a reply that a second, plainer reading
// takes too and allows, and an answer that is one head of harmless lines. Whatever a client sends:
// an event that is JSON, without the client's word under the gateway's names.
#include "fuzz/require.hpp"
#include "gatehouse/authz/lambda_event.hpp"
#include "gatehouse/authz/lambda_reply.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/forward/proxy_answer.hpp"
#include "gatehouse/forward/proxy_event.hpp"
#include "gatehouse/policy/evaluate.hpp"
#include "support/naive_policy.hpp"
#include "support/request_fixture.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

// Input: one byte of choices ('0' to '?': format, simple responses, how the invocation ended), then
// the payload.
namespace {

using namespace gatehouse;
using authz::EventFormat;
using authz::Invocation;

constexpr std::string_view kPrefix = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/";
const std::vector<std::string> kBinary = {"image/*"};

bool only(const Json& object, const std::set<std::string>& known) {
    for (const auto& [name, value] : object.items()) {
        if (!known.contains(name)) return false;
    }
    return true;
}

// A reply as the documents describe it, read by bare nlohmann.
policy::Outcome naive_outcome(std::string_view payload,
                              const authz::ReplyRules& rules,
                              const policy::MethodArn& arn) {
    const Json reply = Json::parse(payload, nullptr, false);
    require(reply.is_object(), "a reply is an object");
    if (reply.contains("context")) {
        const Json& context = reply["context"];
        require(context.is_object() || context.is_null(), "context is an object");
        for (const Json& value : context)
            require(value.is_primitive() || rules.format == EventFormat::http_2_0,
                    "context is flat");
    }
    if (rules.simple_responses && rules.format == EventFormat::http_2_0) {
        require(only(reply, {"isAuthorized", "context"}), "members of a simple response");
        require(reply.contains("isAuthorized") && reply["isAuthorized"].is_boolean(),
                "isAuthorized is a boolean");
        return reply["isAuthorized"].get<bool>() ? policy::Outcome::allow
                                                 : policy::Outcome::explicit_deny;
    }
    require(only(reply, {"principalId", "policyDocument", "context", "usageIdentifierKey"}),
            "members of a reply");
    require(reply.contains("policyDocument"), "a reply has a policy");
    return naive::evaluate(reply["policyDocument"], arn, {});
}

void check_reply(const Invocation& invocation, const authz::ReplyRules& rules) {
    std::string buffer;
    const auto arn = policy::make_method_arn(kPrefix, "GET", "/a", buffer);
    const auto grant = authz::read_reply(invocation, rules, arn->text);
    if (!grant) return;
    require(invocation.end == Invocation::End::returned, "a grant comes from a reply");
    const auto outcome = evaluate(*grant->policy, *arn, {}).outcome;
    require(outcome == naive_outcome(invocation.payload, rules, *arn), "same outcome as naive");
    for (const auto& item : grant->context) {
        const bool json = item.kind == authz::ContextItem::Kind::number ||
                          item.kind == authz::ContextItem::Kind::json;
        require(!json || parse_json(item.value).has_value(), "a value that is JSON is JSON");
    }
}

void check_lines(std::string_view head) {
    while (!head.empty()) {
        const std::size_t end = head.find("\r\n");
        require(end != std::string_view::npos, "a line ends");
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + 2);
        const std::size_t colon = std::min(line.find(": "), line.size());
        const std::string_view name = line.substr(0, colon);
        require(is_token(name), "a name is a token");
        require(std::ranges::none_of(line, is_control), "a line has no control character");
        for (const std::string_view framing :
             {"content-length", "transfer-encoding", "connection", "date", "upgrade"})
            require(!equals_ignoring_case(name, framing), "framing is the server's");
    }
}

void check_answer(const Invocation& invocation, EventFormat format) {
    test::RequestFixture fixture;
    fixture.field("Accept", "image/png");
    const auto answer =
        forward::read_proxy_answer(invocation, {format, false, kBinary}, fixture.facts());
    if (!answer) {
        require(authz::make_error(answer.error().errc()).status >= 500, "a failure is a 5xx");
        return;
    }
    require(invocation.end == Invocation::End::returned, "an answer comes from a return");
    require(answer->status >= 200 && answer->status <= 599, "the status is a final one");
    check_lines(answer->headers);
    const Json payload = Json::parse(invocation.payload, nullptr, false);
    require(!payload.is_discarded(), "an answer is JSON");
    if (format == EventFormat::rest) {
        require(payload.is_object() &&
                    only(payload,
                         {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}),
                "members of an answer");
    }
}

void check_event(std::string_view bytes, EventFormat format) {
    std::string value(bytes.substr(0, 2000));
    std::erase_if(value, is_control);
    test::RequestFixture fixture;
    fixture.field("Cookie", value).field("X-Probe", value).field("X-Forwarded-For", value);
    fixture.field("x_amzn_request_context", "forged").field("Content-Type", value);
    fixture.request.target.query = value;
    fixture.request.parameters = {value};
    fixture.request.api_path = value;
    fixture.request.target.path = value;
    std::string out;
    append_request_event({fixture.facts(), "arn", value, std::nullopt}, format, out);
    require(parse_json(out).has_value(), "an authorizer's event is JSON");
    out.clear();
    authz::append_token_event("arn", bytes, out);
    require(parse_json(out).has_value(), "a TOKEN event is JSON");
    out.clear();
    fixture.granted(value, {{value, value}});
    const Errc error = forward::append_proxy_event(
        {fixture.facts(), value, bytes, forward::AuthorizerKind::lambda, false, {}},
        {format, kBinary, {}, {}},
        out);
    require(error == Errc::none, "a small event is made");
    const auto event = parse_json(out, {.max_bytes = out.size()});
    require(event.has_value(), "a proxy event is JSON");
    require(!(*event)["headers"].contains("x_amzn_request_context"), "no forged names");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // An exact copy, so that a read past the end is seen.
    const auto copy = std::make_unique<char[]>(size);
    std::copy_n(data, size, copy.get());
    const auto choice = static_cast<unsigned char>(copy[0]);
    const Invocation invocation{
        (choice & 8) != 0 ? Invocation::End::failed : Invocation::End::returned,
        std::string_view(copy.get() + 1, size - 1)};
    const auto format = static_cast<EventFormat>((choice & 3) % 3);
    check_reply(invocation, {format, (choice & 4) != 0});
    check_answer(invocation, format);
    check_event(invocation.payload, format);
    return 0;
}
