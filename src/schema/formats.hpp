#pragma once

#include <string_view>

namespace gatehouse::schema {

/// A value of `format` that is checked.
struct Format {
    std::string_view name;
    bool (*holds)(std::string_view text);
};

/// Draft 4, section 7.3, and `date`, `uuid`. Null: not known.
const Format* find_format(std::string_view name) noexcept;

/// OpenAPI's formats of numbers and texts, which say how a value is kept and not what it is: the
/// service does not check them.
bool is_annotation_format(std::string_view name) noexcept;

/// The names of all formats, for messages.
std::string_view format_names() noexcept;

}  // namespace gatehouse::schema
