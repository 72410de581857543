// Compiling an integration that maps, and its request side. The response side is map_response.cpp.
#include "gatehouse/mapping/integration.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json_pointer.hpp"
#include "gatehouse/core/limits.hpp"
#include "media_types.hpp"
#include "mock_status.hpp"
#include "template_inputs.hpp"

#include <algorithm>

namespace gatehouse::mapping {
namespace {

Error bad_mapping(const std::string& pointer, const std::string& why) {
    return fail(Errc::config_invalid, pointer + ": " + why);
}

bool is_json_fault(Errc error) noexcept {
    switch (error) {
        case Errc::json_syntax:
        case Errc::json_too_deep:
        case Errc::json_duplicate_key:
        case Errc::json_type:
        case Errc::json_missing:
        case Errc::json_too_large:
            return true;
        default:
            return false;
    }
}

// A body that is no JSON is the client's fault; everything else is the template's.
Error request_fault(const Error& error) {
    const bool client = is_json_fault(error.errc());
    std::string detail = client ? std::string(reason_text(error.errc())) : error.detail;
    return fail(client ? Errc::request_body_not_json : Errc::template_failed, std::move(detail));
}

authz::ValueMap to_map(const std::vector<templates::Override>& overrides) {
    authz::ValueMap map;
    for (const templates::Override& one : overrides)
        map.push_back({one.name, one.values});
    return map;
}

}  // namespace

Result<Integration::Templates> Integration::compile_templates(
    const std::map<std::string, std::string>& texts, const std::string& pointer) {
    Templates compiled;
    for (const auto& [type, text] : texts) {
        auto made = templates::compile(text);
        if (!made) return bad_mapping(pointer + pointer_step(type), made.error().detail);
        compiled.emplace_back(type, std::move(made).value());
    }
    return compiled;
}

Result<Integration> Integration::make(IntegrationSpec spec) {
    Integration made;
    made.spec_ = std::move(spec);
    auto compiled = compile_templates(made.spec_.request_templates, "/requestTemplates");
    if (!compiled) return std::move(compiled).error();
    made.request_templates_ = std::move(compiled).value();
    if (auto set = made.compile_body_parameters(); !set) return std::move(set).error();
    for (const ResponseSpec& response : made.spec_.responses) {
        auto one = compile_response(response);
        if (!one) return std::move(one).error();
        made.responses_.push_back(std::move(one).value());
    }
    made.spec_.request_templates.clear();
    made.spec_.responses.clear();
    return made;
}

Result<void> Integration::compile_body_parameters() {
    constexpr std::string_view kBody = "method.request.body";

    struct Form {
        std::string_view prefix;
        BodyParameter::Place place;
    };

    constexpr Form kForms[] = {
        {"integration.request.header.", BodyParameter::Place::header},
        {"integration.request.querystring.", BodyParameter::Place::querystring},
        {"integration.request.path.", BodyParameter::Place::path},
    };
    for (const auto& [destination, text] : spec_.body_parameters) {
        const std::string pointer = "/requestParameters" + pointer_step(destination);
        const auto* form = std::ranges::find_if(
            kForms, [&](const Form& one) { return destination.starts_with(one.prefix); });
        if (form == std::end(kForms) || !text.starts_with(kBody))
            return bad_mapping(pointer, "not a mapping of the body");
        auto source = BodySource::make(std::string_view(text).substr(kBody.size()));
        if (!source) return bad_mapping(pointer, source.error().detail);
        body_parameters_.push_back(
            {form->place, destination.substr(form->prefix.size()), std::move(source).value()});
    }
    return {};
}

const Integration::Templates::value_type* Integration::choose_request(
    std::string_view type) const noexcept {
    const auto* found = find_type(request_templates_, type);
    return found != nullptr ? found : find_type(request_templates_, kDefaultType);
}

Result<MappedRequest> Integration::map_request(const authz::RequestFacts& facts,
                                               std::string_view content) const {
    MappedRequest mapped;
    if (has_several_types(facts)) return fail(Errc::media_type_unsupported);
    const auto* chosen = choose_request(media_type(facts, http::FieldId::content_type));
    if (chosen == nullptr) {
        const bool refused =
            spec_.passthrough == Passthrough::never ||
            (spec_.passthrough == Passthrough::when_no_templates && !request_templates_.empty());
        if (refused) return fail(Errc::media_type_unsupported);
        mapped.body = content;
    } else {
        const TemplateInputs inputs(facts, spec_.reserved_headers, spec_.reserved_prefixes);
        auto rendered = templates::render(chosen->second, inputs.view(content, nullptr));
        if (!rendered) return request_fault(rendered.error());
        mapped.body = std::move(rendered->text);
        mapped.overrides = std::move(rendered->overrides);
        mapped.chosen = chosen->first;
    }
    if (spec_.mock) {
        if (chosen == nullptr) return mapped;
        const auto status = read_mock_status(mapped.body);
        if (!status) return fail(Errc::mock_status_invalid);
        mapped.status = *status;
        return mapped;
    }
    mapped.additions = {to_map(mapped.overrides.request_headers),
                        to_map(mapped.overrides.request_querystring),
                        to_map(mapped.overrides.request_path)};
    if (auto added = add_body_parameters(content, mapped); !added) return std::move(added).error();
    return mapped;
}

// Of the client's body, not of what the template made of it; an override goes before (developer
// guide, "Override your API's request and response parameters").
Result<void> Integration::add_body_parameters(std::string_view content,
                                              MappedRequest& mapped) const {
    for (const BodyParameter& parameter : body_parameters_) {
        authz::ValueMap& map =
            parameter.place == BodyParameter::Place::header        ? mapped.additions.headers
            : parameter.place == BodyParameter::Place::querystring ? mapped.additions.querystring
                                                                   : mapped.additions.path;
        const bool header = parameter.place == BodyParameter::Place::header;
        const bool overridden = std::ranges::any_of(map, [&](const authz::NamedValues& one) {
            return header ? equals_folded(one.name, parameter.name) : one.name == parameter.name;
        });
        if (overridden) continue;
        auto read = parameter.source.read(content);
        if (!read) return request_fault(read.error());
        std::optional<std::string> value = std::move(read).value();
        if (value) map.push_back({parameter.name, {std::move(*value)}});
    }
    return {};
}

}  // namespace gatehouse::mapping
