#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

// Java counts in UTF-16 units, templates therefore too; text here is UTF-8. A byte that is no UTF-8
// counts as one unit.
namespace gatehouse::templates {

std::size_t utf16_length(std::string_view text) noexcept;

/// The byte where the unit begins; the text's size for the unit behind the last. Nothing beyond
/// that, and nothing inside a surrogate pair, which UTF-8 cannot split.
std::optional<std::size_t> utf16_offset(std::string_view text, std::size_t unit) noexcept;

/// Code points of well-formed UTF-8; a stray byte stands for itself.
struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 0;
};

/// The first code point of a text that is not empty.
CodePoint first_code_point(std::string_view text) noexcept;

}  // namespace gatehouse::templates
