#include "media_type.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::forward {
namespace {

bool starts_with_ignoring_case(std::string_view text, std::string_view start) noexcept {
    return equals_ignoring_case(text.substr(0, start.size()), start);
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) noexcept {
    return text.size() >= end.size() &&
           equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

}  // namespace

std::string_view first_media_type(std::string_view value) noexcept {
    return trim(value.substr(0, value.find_first_of(";,")));
}

bool is_binary(std::span<const std::string> types, std::string_view type) noexcept {
    return std::ranges::any_of(types, [&](std::string_view wanted) {
        if (wanted == "*/*") return true;
        if (wanted.ends_with("/*")) {
            return starts_with_ignoring_case(type, wanted.substr(0, wanted.size() - 1));
        }
        return !type.empty() && equals_ignoring_case(wanted, type);
    });
}

bool is_text(std::string_view type) noexcept {
    constexpr std::string_view kText[] = {"application/json",
                                          "application/javascript",
                                          "application/xml",
                                          "application/x-www-form-urlencoded"};
    return starts_with_ignoring_case(type, "text/") || ends_with_ignoring_case(type, "+json") ||
           ends_with_ignoring_case(type, "+xml") ||
           std::ranges::any_of(
               kText, [&](std::string_view text) { return equals_ignoring_case(text, type); });
}

}  // namespace gatehouse::forward
