#include "template_inputs.hpp"

#include "gatehouse/authz/context_object.hpp"

namespace gatehouse::mapping {
namespace {

// `$input.params` shows the last value of a repeated name.
std::vector<templates::Parameter> last_values(const authz::ValueMap& map) {
    std::vector<templates::Parameter> parameters;
    for (const authz::NamedValues& entry : map)
        parameters.push_back({entry.name, entry.values.back()});
    return parameters;
}

}  // namespace

// The headers are those that a function's event would show: what stands under a name of Gatehouse's
// own is never the client's word, whoever passes it on.
TemplateInputs::TemplateInputs(const authz::RequestFacts& facts,
                               std::span<const std::string> reserved_headers,
                               std::span<const std::string> reserved_prefixes)
    : path_values_(authz::path_values(facts, authz::EventFormat::http_1_0)),
      query_values_(authz::query_values(facts.target.query)),
      header_values_(authz::header_values(
          facts, authz::EventFormat::rest, {reserved_headers, reserved_prefixes, true})),
      path_(last_values(path_values_)),
      query_(last_values(query_values_)),
      header_(last_values(header_values_)),
      context_(authz::make_context_object(facts)),
      stage_variables_(Json::object()) {
    if (facts.stage == nullptr) return;
    for (const auto& [name, value] : facts.stage->stage_variables)
        stage_variables_[name] = value;
}

templates::Inputs TemplateInputs::view(std::string_view body,
                                       const templates::Overrides* earlier) const {
    templates::Inputs inputs;
    inputs.body = body;
    inputs.path = path_;
    inputs.querystring = query_;
    inputs.header = header_;
    inputs.context = &context_;
    inputs.stage_variables = &stage_variables_;
    inputs.overrides = earlier;
    return inputs;
}

}  // namespace gatehouse::mapping
