#pragma once

#include "gatehouse/core/limits.hpp"

#include <re2/re2.h>

#include <memory>
#include <string_view>

namespace gatehouse::authz {

/// A regular expression of the configuration, with bounded memory and without captures; ask ok()
/// before use. RE2 takes time linear in the text whatever the pattern, which is why it is RE2.
inline std::unique_ptr<re2::RE2> make_expression(std::string_view text) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_never_capture(true);
    options.set_max_mem(limits::kExpressionBytes);
    return std::make_unique<re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
}

/// From end to end, as Java's matches() does it: an expression is not a search.
inline bool matches_whole(const re2::RE2& expression, std::string_view text) {
    return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), expression);
}

}  // namespace gatehouse::authz
