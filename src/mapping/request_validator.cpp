#include "gatehouse/mapping/request_validator.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"
#include "media_types.hpp"

#include <algorithm>

namespace gatehouse::mapping {
namespace {

// UNCONFIRMED: what an empty body is validated as. LocalStack says `{}`; another emulator refuses.
// Where the model requires anything the outcome is the same.
constexpr std::string_view kEmptyBody = "{}";

bool is_blank(std::string_view text) noexcept {
    return trim(text).empty();
}

// "[a, b]" as the service prints lists.
std::string bracketed(const std::vector<std::string>& items) {
    std::string text = "[";
    for (const std::string& item : items)
        (text += text.size() > 1 ? ", " : "") += item;
    return text + ']';
}

// "method.request.header.X" -> "X"
std::string_view name_of(std::string_view parameter) noexcept {
    constexpr std::string_view kRoot = "method.request.";
    parameter.remove_prefix(std::min(kRoot.size(), parameter.size()));
    const std::size_t dot = parameter.find('.');
    return dot == std::string_view::npos ? parameter : parameter.substr(dot + 1);
}

}  // namespace

const std::map<std::string, Json>& built_in_models() {
    static const std::map<std::string, Json> kModels = {
        {"Empty", {{"title", "Empty Schema"}, {"type", "object"}}},
        {"Error",
         {{"title", "Error Schema"},
          {"type", "object"},
          {"properties", {{"message", {{"type", "string"}}}}}}}};
    return kModels;
}

Result<RequestValidator> RequestValidator::make(const ValidatorSpec& spec,
                                                const std::map<std::string, Json>& models) {
    RequestValidator made;
    for (const auto& [name, required] : spec.request_parameters) {
        if (spec.parameters && required) made.required_.push_back(name);
    }
    if (!spec.body) return made;
    for (const auto& [type, model] : spec.request_models) {
        auto compiled = schema::compile(models, model);
        if (!compiled) {
            return fail(
                Errc::config_invalid,
                "/requestModels: model " + printable(model) + ": " + compiled.error().detail);
        }
        made.models_.emplace_back(type, std::move(compiled).value());
    }
    return made;
}

// The guide wants parameters to be there and not blank. Sorted by the whole name, so: headers,
// path, query.
std::string RequestValidator::missing_parameters(const authz::RequestFacts& facts) const {
    std::vector<std::string> missing;
    std::string value;
    for (const std::string& parameter : required_) {
        value.clear();
        if (!authz::append_variable(facts, parameter, value) || is_blank(value))
            missing.emplace_back(name_of(parameter));
    }
    return missing.empty() ? std::string() : bracketed(missing);
}

std::optional<BodyFault> RequestValidator::check_body(const authz::RequestFacts& facts,
                                                      std::string_view content) const {
    if (has_several_types(facts)) {
        constexpr const char* kSeveral = "Content-Type says several types";
        return BodyFault{std::string("[") + kSeveral + ']', kSeveral};
    }
    const auto* model = find_type(models_, media_type(facts, http::FieldId::content_type));
    if (model == nullptr) model = find_type(models_, kDefaultType);
    if (model == nullptr) return std::nullopt;
    const auto body = parse_json(
        content.empty() ? kEmptyBody : content,
        {.max_bytes = limits::kTemplateOutputBytes, .max_depth = limits::kBodyJsonDepth});
    if (!body) {
        const std::string reason(reason_text(body.error().errc()));
        return BodyFault{'[' + reason + ']', reason};
    }
    const std::vector<schema::Failure> failures = model->second.validate(*body);
    if (failures.empty()) return std::nullopt;
    BodyFault fault;
    std::vector<std::string> messages;
    for (const schema::Failure& failure : failures) {
        messages.push_back(failure.message);
        if (!fault.place.empty()) fault.place += ", ";
        fault.place += failure.pointer.empty() ? "/" : failure.pointer;
        fault.place.append(": ").append(failure.keyword.empty() ? "limit" : failure.keyword);
    }
    fault.message = bracketed(messages);
    return fault;
}

}  // namespace gatehouse::mapping
