#include "gatehouse/authz/response_type.hpp"
#include "gatehouse/core/ascii.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"
#include "variables.hpp"

#include <algorithm>
#include <charconv>

namespace gatehouse::config {
namespace {

// Every type that can be customised.
std::vector<std::string_view> list_types() {
    std::vector<std::string_view> names;
    for (int i = 0; i < authz::kResponseTypeCount; ++i) {
        const auto type = static_cast<authz::ResponseType>(i);
        if (type != authz::ResponseType::request_too_large) names.push_back(authz::to_string(type));
    }
    return names;
}

constexpr int kLeastStatus = 200;
constexpr int kMostStatus = 599;

std::string fault_in_parameter(std::string_view name) {
    constexpr std::string_view kHeader = "gatewayresponse.header.";
    if (name.starts_with("gatewayresponse.path.") ||
        name.starts_with("gatewayresponse.querystring.")) {
        return in_quotes(name) + " would be ignored: a response has neither path nor query string";
    }
    if (!name.starts_with(kHeader))
        return in_quotes(name) + " is no destination; allowed: gatewayresponse.header.NAME";
    const std::string_view header = name.substr(kHeader.size());
    for (const std::string_view own : {"Connection",
                                       "Content-Length",
                                       "Date",
                                       "Keep-Alive",
                                       "TE",
                                       "Trailer",
                                       "Transfer-Encoding",
                                       "Upgrade"}) {
        if (equals_ignoring_case(header, own))
            return "the header " + std::string(own) + " is the connection's own and cannot be set";
    }
    return fault_in_header_name(header);
}

}  // namespace

// The service writes "401", people write 401: both are right.
std::optional<int> read_status(ObjectReader& reader) {
    const Json* value = reader.find("statusCode");
    if (value == nullptr || reader.source().unresolved.contains(value)) return std::nullopt;
    int status = 0;
    if (!value->is_string()) {
        const bool read = reader.read_number("statusCode", status, kLeastStatus, kMostStatus);
        return read ? std::optional(status) : std::nullopt;
    }
    const std::string& text = value->get_ref<const std::string&>();
    const bool digits = text.size() == 3 && std::ranges::all_of(text, is_digit);
    if (digits) std::from_chars(text.data(), text.data() + text.size(), status);
    if (status >= kLeastStatus && status <= kMostStatus) return status;
    reader.problem("statusCode",
                   "is " + in_quotes(text) + "; allowed: 200 to 599, as a number or a string");
    return std::nullopt;
}

std::string fault_in_response_type(std::string_view name) {
    const std::optional<authz::ResponseType> type = authz::find_response_type(name);
    if (type == authz::ResponseType::request_too_large)
        return "\"REQUEST_TOO_LARGE\" cannot be customised, as in the service";
    if (type) return {};
    const std::vector<std::string_view> types = list_types();
    return in_quotes(name) + " is no gateway response; allowed: " + list_quoted(types) +
           suggest(name, types);
}

GatewayResponse read_gateway_response(const Json& value,
                                      const std::string& pointer,
                                      const std::map<std::string, std::string>& stage_variables,
                                      Source& source) {
    ObjectReader reader(value, pointer, keys::kGatewayResponse, source);
    GatewayResponse response;
    response.status_code = read_status(reader);
    reader.each_member("responseParameters",
                       [&](const std::string& name, const Json& member, const std::string& at) {
                           std::string fault = fault_in_parameter(name);
                           for (const auto& [other, expression] : response.response_parameters) {
                               if (fault.empty() && equals_ignoring_case(name, other))
                                   fault = "sets the header that " + in_quotes(other) + " sets";
                           }
                           if (!fault.empty()) source.problem(at, std::move(fault));
                           const std::optional<std::string> expression =
                               read_text(member, at, source);
                           if (!expression) return;
                           std::string wrong = fault_in_expression(
                               *expression, Expressions::response, stage_variables);
                           if (!wrong.empty()) source.problem(at, std::move(wrong));
                           response.response_parameters.emplace_back(name, *expression);
                       });
    response.response_templates =
        read_templates(reader, "responseTemplates", fault_in_response_template);
    return response;
}

}  // namespace gatehouse::config
