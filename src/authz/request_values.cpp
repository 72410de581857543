#include "request_values.hpp"

#include "gatehouse/authz/dev_override.hpp"
#include "gatehouse/core/ascii.hpp"
#include "percent_decoding.hpp"

#include <optional>

namespace gatehouse::authz {
namespace {

enum class Source { header, multi_header, query, multi_query, path };

struct SourceReference {
    Source source;
    std::string_view name;
};

std::optional<SourceReference> parse_reference(std::string_view text) noexcept {
    struct Form {
        std::string_view prefix;
        Source source;
    };

    constexpr Form kForms[] = {
        {"header.", Source::header},
        {"querystring.", Source::query},
        {"path.", Source::path},
        {"multivalueheader.", Source::multi_header},
        {"multivaluequerystring.", Source::multi_query},
    };
    for (const Form& form : kForms) {
        if (!text.starts_with(form.prefix)) continue;
        text.remove_prefix(form.prefix.size());
        if (text.empty()) return std::nullopt;
        // It may stand for an authorizer's result: no mapping may carry it on.
        const bool header = form.source == Source::header || form.source == Source::multi_header;
        if (header && equals_folded(text, kOverrideHeader)) return std::nullopt;
        return SourceReference{form.source, text};
    }
    return std::nullopt;
}

// Several fields of one name: the last one. The service takes names by their case, so a field that
// is spelled as the mapping goes before one that only reads the same.
bool append_header(std::span<const http::Field> fields, std::string_view name, std::string& out) {
    const http::Field* alike = nullptr;
    for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
        if (field->name == name) {
            out += field->value;
            return true;
        }
        if (alike == nullptr && equals_ignoring_case(field->name, name)) alike = &*field;
    }
    if (alike == nullptr) return false;
    out += alike->value;
    return true;
}

bool append_headers(std::span<const http::Field> fields, std::string_view name, std::string& out) {
    bool found = false;
    for (const http::Field& field : fields) {
        if (!equals_ignoring_case(field.name, name)) continue;
        if (found) out += ',';
        out += field.value;
        found = true;
    }
    return found;
}

bool decodes_to(std::string_view raw, std::string_view name) noexcept {
    while (!raw.empty()) {
        if (name.empty() || take_query_decoded(raw) != name.front()) return false;
        name.remove_prefix(1);
    }
    return name.empty();
}

void append_decoded(std::string_view raw, std::string& out) {
    while (!raw.empty())
        out += take_query_decoded(raw);
}

// Calls `take` with the raw value of each parameter of that name. `;` separates too, as the service
// was seen to do.
template <class Take>
void for_each_value(std::string_view query, std::string_view name, Take take) {
    while (!query.empty()) {
        const std::size_t end = query.find_first_of("&;");
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        const std::size_t equals = pair.find('=');
        if (pair.empty() || !decodes_to(pair.substr(0, equals), name)) continue;
        take(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
    }
}

bool append_query(std::string_view query, std::string_view name, std::string& out) {
    std::optional<std::string_view> last;
    for_each_value(query, name, [&](std::string_view value) { last = value; });
    if (!last) return false;
    append_decoded(*last, out);
    return true;
}

bool append_queries(std::string_view query, std::string_view name, std::string& out) {
    bool found = false;
    for_each_value(query, name, [&](std::string_view value) {
        if (found) out += ',';
        append_decoded(value, out);
        found = true;
    });
    return found;
}

bool append_path(const RequestFacts& facts, std::string_view name, std::string& out) {
    for (std::size_t i = 0; i < facts.parameter_names.size() && i < facts.parameters.size(); ++i) {
        if (facts.parameter_names[i] != name) continue;
        out += facts.parameters[i];
        return true;
    }
    return false;
}

}  // namespace

bool append_request_value(const RequestFacts& facts, std::string_view name, std::string& out) {
    const auto reference = parse_reference(name);
    if (!reference) return false;
    switch (reference->source) {
        case Source::header:
            return facts.head != nullptr && append_header(facts.head->fields, reference->name, out);
        case Source::multi_header:
            return facts.head != nullptr &&
                   append_headers(facts.head->fields, reference->name, out);
        case Source::query:
            return append_query(facts.target.query, reference->name, out);
        case Source::multi_query:
            return append_queries(facts.target.query, reference->name, out);
        case Source::path:
            return append_path(facts, reference->name, out);
    }
    return false;
}

bool is_request_value(std::string_view name) noexcept {
    return parse_reference(name).has_value();
}

}  // namespace gatehouse::authz
