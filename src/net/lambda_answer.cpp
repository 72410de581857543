#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/net/http_client.hpp"
#include "gatehouse/net/lambda_client.hpp"

#include <utility>

namespace gatehouse::net {
namespace {

using End = authz::Invocation::End;

constexpr std::string_view kFunctions = "/2015-03-31/functions/";

// What Lambda's runtimes put beside errorType and errorMessage: Node trace, Python requestId and
// stackTrace, Java cause.
bool is_error_member(std::string_view name) {
    return name == "errorType" || name == "errorMessage" || name == "trace" ||
           name == "stackTrace" || name == "requestId" || name == "cause";
}

bool is_error_object(std::string_view body) {
    if (body.find("\"errorMessage\"") == std::string_view::npos) return false;
    const Result<Json> json = parse_json(body);
    if (!json || !get_string(*json, "errorType") || !get_string(*json, "errorMessage"))
        return false;
    for (const auto& item : json->items()) {
        if (!is_error_member(item.key())) return false;
    }
    return true;
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_unreserved(c)) {
            out.push_back(c);
        } else {
            out.append(1, '%').append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
        }
    }
    return out;
}

}  // namespace

Result<std::string> invoke_url(std::string_view endpoint, std::string_view function) {
    std::string url(endpoint);
    if (url.find(kFunctions) == std::string::npos) {
        while (url.ends_with('/'))
            url.pop_back();
        url += kFunctions;
        url += percent_encode(function) + "/invocations";
    }
    const Result<Url> parsed = parse_url(url);
    if (!parsed) return parsed.error();
    if (!parsed->target.ends_with("/invocations"))
        return fail(Errc::config_invalid,
                    "\"" + printable(endpoint) + "\" is no base of the Lambda Invoke API");
    return url;
}

app::LambdaOutcome read_invoke_answer(int status,
                                      std::string_view function_error,
                                      std::string body) {
    if (status == 200 && !function_error.empty())
        return {End::failed, std::move(body), "the function reported an error"};
    if ((status == 200 || status == 502) && is_error_object(body))
        return {End::failed, std::move(body), "the function reported an error"};
    if (status == 200) return {End::returned, std::move(body), {}};
    return {End::not_invokable, {}, "the endpoint answered " + std::to_string(status)};
}

}  // namespace gatehouse::net
