#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"

#include <algorithm>

// Reading what validates requests. That the parts fit each other is validate_requests.cpp.
namespace gatehouse::config {
namespace {

std::string fault_in_request_parameter(std::string_view name) {
    constexpr std::string_view kHeader = "method.request.header.";
    if (name.starts_with(kHeader)) return fault_in_header_name(name.substr(kHeader.size()));
    for (const std::string_view prefix : {"method.request.querystring.", "method.request.path."}) {
        if (name.starts_with(prefix) && name.size() > prefix.size()) return {};
    }
    return in_quotes(name) +
           " is no parameter; allowed: method.request.header.NAME, "
           "method.request.querystring.NAME, method.request.path.NAME";
}

RequestValidator read_validator(const Json& value,
                                const std::string& name,
                                const std::string& pointer,
                                Source& source) {
    ObjectReader reader(value, pointer, keys::kRequestValidator, source);
    RequestValidator validator;
    validator.name = name;
    reader.read("validateRequestBody", validator.validate_body);
    reader.read("validateRequestParameters", validator.validate_parameters);
    if (value.is_object() && !validator.validate_body && !validator.validate_parameters &&
        !reader.has("validateRequestBody") && !reader.has("validateRequestParameters"))
        source.problem(pointer, "validates nothing: say what, or leave the validator out");
    return validator;
}

}  // namespace

void read_validators(ObjectReader& reader, Api& api) {
    Source& source = reader.source();
    reader.each_member(
        "requestValidators",
        [&](const std::string& name, const Json& value, const std::string& pointer) {
            std::string fault = fault_in_name(name);
            if (!fault.empty()) source.problem(pointer, std::move(fault));
            api.request_validators.push_back(read_validator(value, name, pointer, source));
        });
    reader.each_member("models",
                       [&](const std::string& name, const Json& value, const std::string& pointer) {
                           std::string fault = fault_in_name(name);
                           if (fault.empty() && !value.is_object())
                               fault = "a model is a JSON Schema (draft 4): an object";
                           if (!fault.empty()) return source.problem(pointer, std::move(fault));
                           api.models[name] = value;
                       });
}

void read_route_validation(ObjectReader& reader, Route& route) {
    Source& source = reader.source();
    reader.read_checked("requestValidator", route.request_validator, fault_in_name);
    reader.each_member("requestParameters",
                       [&](const std::string& name, const Json& value, const std::string& pointer) {
                           std::string fault = fault_in_request_parameter(name);
                           if (!fault.empty()) return source.problem(pointer, std::move(fault));
                           if (!value.is_boolean()) {
                               return source.problem(
                                   pointer,
                                   "must be true (required) or false; what is sent to the "
                                   "backend stands in integration.requestParameters");
                           }
                           route.request_parameters[name] = value.get<bool>();
                       });
    reader.each_member(
        "requestModels",
        [&](const std::string& type, const Json& value, const std::string& pointer) {
            std::string fault = type == "$default" ? std::string() : fault_in_media_type(type);
            if (!fault.empty()) source.problem(pointer, std::move(fault));
            const std::optional<std::string> model = read_text(value, pointer, source);
            if (model) route.request_models[type] = *model;
        });
}

}  // namespace gatehouse::config
