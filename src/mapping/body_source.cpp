#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/mapping/integration.hpp"

namespace gatehouse::mapping {

// The template engine's JSONPath does the work: one reading of paths for both kinds of mapping.
Result<BodySource> BodySource::make(std::string_view path) {
    BodySource source;
    if (path.empty()) return source;
    if (!path.starts_with('.') || path.find_first_of("'\"$#\\") != std::string_view::npos) {
        return fail(Errc::config_invalid,
                    "expected body or body.JSONPATH without quotes, found body" + printable(path));
    }
    auto compiled = templates::compile("$input.json('$" + std::string(path) + "')");
    if (!compiled) return std::move(compiled).error();
    source.path_ = std::move(compiled).value();
    return source;
}

Result<std::optional<std::string>> BodySource::read(std::string_view body) const {
    if (!path_) return body.empty() ? std::nullopt : std::optional<std::string>(body);
    templates::Inputs inputs;
    inputs.body = body;
    auto rendered = templates::render(*path_, inputs);
    if (!rendered) return std::move(rendered).error();
    if (!rendered->text.starts_with('"')) return std::optional(std::move(rendered->text));
    const auto text =
        parse_json(rendered->text, {.max_bytes = limits::kTemplateOutputBytes, .max_depth = 1});
    const auto* value = text ? text->get_ptr<const Json::string_t*>() : nullptr;
    // What is not there reads as "", and so does what is empty: neither is mapped.
    if (value == nullptr || value->empty()) return std::optional<std::string>();
    return std::optional(*value);
}

}  // namespace gatehouse::mapping
