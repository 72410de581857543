#include "fuzz/require.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/policy/document.hpp"
#include "gatehouse/policy/evaluate.hpp"
#include "support/naive_policy.hpp"

#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Input: five lines about the request ("GET /path", source address, Referer, User-Agent, and "s" or
// "p" for TLS or plain followed by milliseconds since 1970), then the policy. Properties:
// evaluate() and the naive evaluator agree; asking for a trail changes nothing; a policy's own text
// parses to the same text and the same decisions; any pattern matches as the naive glob does.
namespace {

using namespace gatehouse;

constexpr std::string_view kPrefix = "arn:aws:execute-api:us-east-1:123456789012:abc123/prod/";

std::string_view take_line(std::string_view& input) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    const std::string_view line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    return line;
}

struct Request {
    std::string buffer;
    policy::MethodArn arn;
    policy::ConditionContext context;
};

bool read_request(std::string_view& input, Request& request) {
    const std::string_view line = take_line(input);
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return false;
    auto arn = policy::make_method_arn(
        kPrefix, line.substr(0, space), line.substr(space + 1), request.buffer);
    if (!arn) return false;
    request.arn = *arn;
    request.context.source_arn = request.arn.text;
    request.context.source_ip = take_line(input);
    request.context.referer = take_line(input);
    request.context.user_agent = take_line(input);
    std::string_view time = take_line(input);
    request.context.secure_transport = time.starts_with('s');
    time.remove_prefix(time.empty() ? 0 : 1);
    std::int64_t millis = 0;
    std::from_chars(time.data(), time.data() + time.size(), millis);
    // From the year 0 to 9999: what a clock can say and a date can name.
    millis %= 60'000'000'000'000;
    request.context.now = WallTime(std::chrono::milliseconds(millis));
    return true;
}

void check_glob(std::string_view pattern, std::string_view text) {
    const auto compiled = policy::Wildcard::make(pattern);
    if (!compiled) return;
    require(compiled->matches(text) == naive::glob(pattern, text), "glob");
    const auto literal = policy::Wildcard::make(policy::escape_wildcard(pattern));
    require(literal && literal->matches(text) == (pattern == text), "escaped pattern is literal");
}

void check_policy(std::string_view text, const Request& request) {
    const auto json = parse_json(text);
    if (!json) return;
    const auto document = policy::parse_document(*json);
    if (!document) {
        require(!document.error().detail.empty(), "a refusal names its place");
        return;
    }
    const auto decision = policy::evaluate(*document, request.arn, request.context);
    const auto wanted = naive::evaluate(*json, request.arn, request.context);
    if (wanted != policy::Outcome::allow)
        require(decision.outcome != policy::Outcome::allow, "never allows what naive denies");
    require(decision.outcome == wanted, "same outcome as naive");

    std::vector<policy::StatementTrail> trail;
    const auto traced = policy::evaluate(*document, request.arn, request.context, &trail);
    require(trail.size() == document->statements.size(), "one trail entry per statement");
    require(traced.outcome == decision.outcome && traced.statement == decision.statement &&
                traced.resource == decision.resource,
            "a trail changes nothing");

    const auto json_again = parse_json(document->text);
    require(json_again.has_value(), "text is JSON");
    const auto again = policy::parse_document(*json_again);
    require(again.has_value() && again->text == document->text, "text is stable");
    const auto decided_again = policy::evaluate(*again, request.arn, request.context);
    require(
        decided_again.outcome == decision.outcome && decided_again.statement == decision.statement,
        "same decision from the text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // An exact copy, so that a read past the end is seen.
    const auto copy = std::make_unique<char[]>(size);
    std::copy_n(data, size, copy.get());
    std::string_view input(copy.get(), size);
    Request request;
    if (!read_request(input, request)) return 0;
    check_glob(request.context.referer, request.context.user_agent);
    check_policy(input, request);
    return 0;
}
