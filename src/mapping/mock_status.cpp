#include "mock_status.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"

#include <charconv>

namespace gatehouse::mapping {
namespace {

std::string_view without_quotes(std::string_view name) noexcept {
    const bool quoted = name.size() >= 2 && name.front() == name.back() &&
                        (name.front() == '"' || name.front() == '\'');
    return quoted ? name.substr(1, name.size() - 2) : name;
}

std::optional<int> to_status(std::string_view text) noexcept {
    int status = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), status);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return status;
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && std::string_view(" \t\r\n").find(text.front()) != text.npos)
        text.remove_prefix(1);
    while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != text.npos)
        text.remove_suffix(1);
    return text;
}

// The end of a member: the next comma that is in no string and in no bracket.
std::size_t end_of_member(std::string_view text) noexcept {
    char quote = 0;
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            if (c == '\\') {
                ++i;
            } else if (c == quote) {
                quote = 0;
            }
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            --depth;
        } else if (c == ',' && depth == 0) {
            return i;
        }
    }
    return text.size();
}

std::optional<int> read_leniently(std::string_view text) noexcept {
    text = trimmed(text);
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
    text = text.substr(1, text.size() - 2);
    while (!text.empty()) {
        const std::size_t end = end_of_member(text);
        const std::string_view member = text.substr(0, end);
        text.remove_prefix(end == text.size() ? end : end + 1);
        const std::size_t colon = member.find(':');
        if (colon == std::string_view::npos) continue;
        if (without_quotes(trimmed(member.substr(0, colon))) == "statusCode")
            return to_status(trimmed(member.substr(colon + 1)));
    }
    return std::nullopt;
}

}  // namespace

std::optional<int> read_mock_status(std::string_view text) {
    const auto parsed = parse_json(trimmed(text), {.max_bytes = limits::kTemplateOutputBytes});
    if (!parsed) return read_leniently(text);
    const Json* status = find_member(*parsed, "statusCode");
    if (status == nullptr || !status->is_number_integer()) return std::nullopt;
    const auto value = status->get<std::int64_t>();
    return value < 0 || value > 999 ? std::nullopt : std::optional(static_cast<int>(value));
}

}  // namespace gatehouse::mapping
