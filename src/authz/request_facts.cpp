#include "gatehouse/authz/request_facts.hpp"

#include "context_variables.hpp"
#include "request_values.hpp"

namespace gatehouse::authz {
namespace {

constexpr std::string_view kContext = "context.";
constexpr std::string_view kStageVariables = "stageVariables.";
constexpr std::string_view kRequest = "method.request.";
constexpr std::string_view kRequestPath = "request.path";  // HTTP APIs: without the stage

bool append_stage_variable(const RequestFacts& facts, std::string_view name, std::string& out) {
    if (facts.stage == nullptr) return false;
    // A handful at most. A look-up in the map would need a std::string.
    for (const auto& [key, value] : facts.stage->stage_variables) {
        if (key != name) continue;
        out += value;
        return true;
    }
    return false;
}

}  // namespace

bool append_variable(const RequestFacts& facts, std::string_view name, std::string& out) {
    if (name.starts_with(kContext))
        return append_context_variable(facts, name.substr(kContext.size()), out);
    if (name.starts_with(kRequest))
        return append_request_value(facts, name.substr(kRequest.size()), out);
    if (name == kRequestPath) {
        out += facts.api_path;
        return !facts.api_path.empty();
    }
    if (name.starts_with(kStageVariables)) {
        return append_stage_variable(facts, name.substr(kStageVariables.size()), out);
    }
    return false;
}

bool is_known_variable(std::string_view name) noexcept {
    if (name.starts_with(kContext)) return is_context_variable(name.substr(kContext.size()));
    if (name.starts_with(kRequest)) return is_request_value(name.substr(kRequest.size()));
    return name.starts_with(kStageVariables) && name.size() > kStageVariables.size();
}

}  // namespace gatehouse::authz
