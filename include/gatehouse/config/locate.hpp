#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// From JSON pointers to lines of the text they came from. The scanner is our own because a parsed
// value no longer knows where it stood; it reads JSON with // and /* */ comments, keeps its own
// stack, and never fails on any input.
namespace gatehouse::config {

/// `pointer` with one more reference token, escaped (RFC 6901, section 3).
std::string append_pointer(std::string_view pointer, std::string_view token);

/// The 1-based line of each pointer: of its key in an object, of the value in a list. What is not
/// in the text has the line of its nearest ancestor that is.
/// @param text  a text that parse_json accepts; for any other the answers may be wrong, never out
/// of bounds
std::vector<int> locate(std::string_view text, std::span<const std::string> pointers);

int locate(std::string_view text, const std::string& pointer);

/// A member that an object has twice.
struct Duplicate {
    std::string pointer;
    int line = 0;
    int first_line = 0;
};

/// The first duplicate member in reading order.
std::optional<Duplicate> find_duplicate(std::string_view text);

/// Where a text stops being JSON, in words.
struct SyntaxFault {
    int line = 0;
    std::string message;  ///< quotes nothing from the text but single punctuation characters: there
                          ///< may be secrets in it
};

/// @param offset  how many bytes a parser had read when it gave up
SyntaxFault describe_syntax_fault(std::string_view text, std::size_t offset);

/// The line where lists and objects are nested deeper than `most`, or 0.
int find_too_deep(std::string_view text, int most);

}  // namespace gatehouse::config
