#include "runtime_api.hpp"

#include "gatehouse/core/json.hpp"

namespace gatehouse::functions {
namespace {

using Verb = RuntimeRequest::Verb;

constexpr std::string_view kRoot = "/2018-06-01/runtime/";
constexpr std::string_view kInvocation = "invocation/";

RuntimeRequest with_method(std::string_view method,
                           std::string_view wanted,
                           Verb verb,
                           std::string_view id = {}) {
    return {method == wanted ? verb : Verb::wrong_method, id};
}

}  // namespace

RuntimeRequest parse_runtime_request(std::string_view method, std::string_view target) {
    if (!target.starts_with(kRoot)) return {};
    target.remove_prefix(kRoot.size());
    if (target == "init/error") return with_method(method, "POST", Verb::init_error);
    if (!target.starts_with(kInvocation)) return {};
    target.remove_prefix(kInvocation.size());
    if (target == "next") return with_method(method, "GET", Verb::next);
    const std::size_t slash = target.find('/');
    if (slash == 0 || slash == std::string_view::npos) return {};
    const std::string_view id = target.substr(0, slash);
    const std::string_view what = target.substr(slash + 1);
    if (what == "response") return with_method(method, "POST", Verb::response, id);
    if (what == "error") return with_method(method, "POST", Verb::error, id);
    return {};
}

net::ServedResponse runtime_accepted() {
    net::ServedResponse response;
    response.status = 202;
    response.body = R"({"status":"OK"})";
    return response;
}

net::ServedResponse runtime_refused(int status, std::string_view type, std::string_view message) {
    net::ServedResponse response;
    response.status = status;
    response.body =
        R"({"errorMessage":)" + quote_json(message) + R"(,"errorType":)" + quote_json(type) + "}";
    return response;
}

std::string error_object(std::string_view type, std::string_view id, std::string_view message) {
    std::string text;
    if (!id.empty()) text.append("RequestId: ").append(id).append(" ");
    text.append("Error: ").append(message);
    return R"({"errorType":)" + quote_json(type) + R"(,"errorMessage":)" + quote_json(text) + "}";
}

}  // namespace gatehouse::functions
