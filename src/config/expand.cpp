#include "expand.hpp"

#include "gatehouse/config/locate.hpp"
#include "gatehouse/core/ascii.hpp"

#include <optional>
#include <string_view>

namespace gatehouse::config {
namespace {

struct Reference {
    std::string_view name;
    std::optional<std::string_view> fallback;
    std::size_t length = 0;  ///< of the whole reference
};

bool is_name_char(char c, bool first) {
    return (c >= 'A' && c <= 'Z') || c == '_' || (!first && is_digit(c));
}

// `text` begins with "${".
std::optional<Reference> parse_reference(std::string_view text) {
    std::size_t end = 2;
    while (end < text.size() && is_name_char(text[end], end == 2))
        ++end;
    if (end == 2) return std::nullopt;
    Reference reference{text.substr(2, end - 2), std::nullopt, 0};
    if (text.substr(end).starts_with(":-")) {
        const std::size_t close = text.find('}', end);
        if (close == std::string_view::npos) return std::nullopt;
        reference.fallback = text.substr(end + 2, close - end - 2);
        end = close;
    }
    if (end >= text.size() || text[end] != '}') return std::nullopt;
    reference.length = end + 1;
    return reference;
}

class Expander {
  public:
    Expander(const Environment& environment, Source& source)
        : environment_(environment), source_(source) {}

    // Recursion is bounded by the depth limit of parse_json.
    void expand(Json& value, const std::string& pointer) {
        if (value.is_string()) {
            expand_string(value, pointer);
        } else if (value.is_object()) {
            for (auto& [key, member] : value.items())
                expand(member, append_pointer(pointer, key));
        } else if (value.is_array()) {
            std::size_t index = 0;
            for (Json& element : value)
                expand(element, append_pointer(pointer, std::to_string(index++)));
        }
    }

  private:
    void expand_string(Json& value, const std::string& pointer) {
        const std::string& text = value.get_ref<const std::string&>();
        if (text.find("${") == std::string::npos) return;
        std::string expanded;
        for (std::size_t at = 0; at < text.size();) {
            const std::string_view rest = std::string_view(text).substr(at);
            const auto reference = rest.starts_with("${") ? parse_reference(rest) : std::nullopt;
            if (reference) {
                if (reference->length == text.size()) source_.references.insert(&value);
                if (!resolve(*reference, pointer, expanded)) source_.unresolved.insert(&value);
                at += reference->length;
            } else if (rest.starts_with("$${")) {
                expanded += "${";
                at += 3;
            } else {
                expanded += text[at++];
            }
        }
        value = std::move(expanded);
    }

    bool resolve(const Reference& reference, const std::string& pointer, std::string& expanded) {
        const std::optional<std::string> found =
            environment_ ? environment_(reference.name) : std::nullopt;
        const std::string name(reference.name);
        if (found && !is_utf8(*found)) {
            source_.problem(pointer, "environment variable " + name + " is not UTF-8");
            return false;
        }
        if (found) source_.expanded.push_back({name, *found});
        if (reference.fallback && (!found || found->empty())) {
            expanded += *reference.fallback;
            return true;
        }
        if (!found) {
            source_.problem(pointer,
                            "environment variable " + name + " is not set; set it, or write ${" +
                                name + ":-…} to give it a default");
            return false;
        }
        expanded += *found;
        return true;
    }

    const Environment& environment_;
    Source& source_;
};

}  // namespace

void expand(Json& root, const Environment& environment, Source& source) {
    Expander(environment, source).expand(root, "");
}

void add_admin_token(Json& root, const Environment& environment, Source& source) {
    constexpr std::string_view kVariable = "GATEHOUSE_ADMIN_TOKEN";
    const Json* admin = root.is_object() ? find_member(root, "admin") : nullptr;
    const bool said = admin != nullptr && (!admin->is_object() || admin->contains("token"));
    if (!root.is_object() || said || !environment) return;
    std::optional<std::string> token = environment(kVariable);
    if (!token || token->empty()) return;
    source.expanded.push_back({std::string(kVariable), *token});
    root["admin"]["token"] = std::move(*token);
}

}  // namespace gatehouse::config
