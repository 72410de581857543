#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"
#include "methods.hpp"
#include "pattern.hpp"
#include "utf16.hpp"

#include <algorithm>

namespace gatehouse::templates {
namespace {

std::string_view self(const Call& call) noexcept {
    return std::get<std::string_view>(call.self);
}

Value make_boolean(bool value) {
    return value;
}

// A search compares what is looked for at every place, at worst.
bool spend_search(const Call& call, std::string_view part) {
    return call.work.spend(self(call).size() * (1 + part.size() / 8) + part.size());
}

// Null when the argument is not text: such a method does not exist.
template <class Function>
Value with_text(const Call& call, Function function) {
    const auto text = call.text(0);
    if (!text || !spend_search(call, *text)) return Null{};
    return function(self(call), *text);
}

Value index_of(std::string_view text, std::size_t byte) {
    if (byte == std::string_view::npos) return std::int64_t{-1};
    return static_cast<std::int64_t>(utf16_length(text.substr(0, byte)));
}

Value length(const Call& call) {
    call.work.spend(self(call).size());
    return static_cast<std::int64_t>(utf16_length(self(call)));
}

Value substring(const Call& call) {
    const std::string_view text = self(call);
    const auto from = call.integer(0);
    if (!from || !call.work.spend(text.size())) return Null{};
    std::optional<std::size_t> end = text.size();
    if (call.arguments.size() == 2) {
        const auto to = call.integer(1);
        if (!to) return Null{};
        end = *to < 0 ? std::nullopt : utf16_offset(text, static_cast<std::size_t>(*to));
    }
    const auto begin =
        *from < 0 ? std::nullopt : utf16_offset(text, static_cast<std::size_t>(*from));
    if (!begin || !end || *begin > *end) return call.fail("substring: an index is out of range");
    return text.substr(*begin, *end - *begin);
}

Value char_at(const Call& call) {
    const std::string_view text = self(call);
    const auto at = call.integer(0);
    if (!at || !call.work.spend(text.size())) return Null{};
    const auto begin = *at < 0 ? std::nullopt : utf16_offset(text, static_cast<std::size_t>(*at));
    if (!begin || *begin == text.size()) return call.fail("charAt: the index is out of range");
    return text.substr(*begin, first_code_point(text.substr(*begin)).bytes);
}

// ASCII letters: Java's tables for the rest of Unicode are not at hand.
template <class Function>
Value map_letters(const Call& call, Function function) {
    std::string text(self(call));
    std::ranges::transform(text, text.begin(), function);
    return call.work.keep(std::move(text));
}

char to_upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}

// String.trim: everything up to the space, controls included.
Value trim_text(const Call& call) {
    std::string_view text = self(call);
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ')
        text.remove_prefix(1);
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ')
        text.remove_suffix(1);
    return text;
}

Value replace(const Call& call) {
    const auto from = call.text(0);
    const auto to = call.text(1);
    const std::string_view text = self(call);
    if (!from || !to || !spend_search(call, *from)) return Null{};
    std::string out;
    std::size_t at = 0;
    for (std::size_t found = text.find(*from); found != std::string_view::npos && call.work.ok();
         found = text.find(*from, at)) {
        out += text.substr(at, found - at);
        out += *to;
        at = found + from->size();
        if (from->empty()) {  // between all characters, as Java does
            if (at == text.size()) break;
            const std::size_t step = first_code_point(text.substr(at)).bytes;
            out += text.substr(at, step);
            at += step;
        }
        if (out.size() > limits::kTemplateOutputBytes)
            return call.work.fail(Errc::limit_exceeded, "the text of a value is too long"), Null{};
    }
    out += text.substr(std::min(at, text.size()));
    return call.work.keep(std::move(out));
}

template <bool all>
Value replace_pattern(const Call& call) {
    const auto pattern = call.text(0);
    const auto replacement = call.text(1);
    if (!pattern || !replacement) return Null{};
    return call.work.keep(replace_matches(call.work, self(call), *pattern, *replacement, all));
}

constexpr Method kMethods[] = {
    {"charAt", 1, 1, char_at},
    {"concat",
     1,
     1,
     [](const Call& c) {
         return with_text(c, [&](auto text, auto other) -> Value {
             return c.work.keep(std::string(text) + std::string(other));
         });
     }},
    {"contains",
     1,
     1,
     [](const Call& c) {
         return with_text(c, [](auto text, auto part) {
             return make_boolean(text.find(part) != std::string_view::npos);
         });
     }},
    {"endsWith",
     1,
     1,
     [](const Call& c) {
         return with_text(c, [](auto text, auto end) { return make_boolean(text.ends_with(end)); });
     }},
    {"equalsIgnoreCase",
     1,
     1,
     [](const Call& c) {
         return with_text(c, [](auto text, auto other) {
             return make_boolean(equals_ignoring_case(text, other));
         });
     }},
    {"indexOf",
     1,
     1,
     [](const Call& c) {
         return with_text(c, [](auto text, auto part) { return index_of(text, text.find(part)); });
     }},
    {"isEmpty", 0, 0, [](const Call& c) { return make_boolean(self(c).empty()); }},
    {"lastIndexOf",
     1,
     1,
     [](const Call& c) {
         return with_text(c, [](auto text, auto part) { return index_of(text, text.rfind(part)); });
     }},
    {"length", 0, 0, length},
    {"matches",
     1,
     1,
     [](const Call& c) {
         return with_text(c, [&](auto text, auto pattern) {
             return make_boolean(matches(c.work, text, pattern));
         });
     }},
    {"replace", 2, 2, replace},
    {"replaceAll", 2, 2, replace_pattern<true>},
    {"replaceFirst", 2, 2, replace_pattern<false>},
    {"split",
     1,
     1,
     [](const Call& c) {
         return with_text(
             c, [&](auto text, auto pattern) -> Value { return split(c.work, text, pattern); });
     }},
    {"startsWith",
     1,
     1,
     [](const Call& c) {
         return with_text(
             c, [](auto text, auto begin) { return make_boolean(text.starts_with(begin)); });
     }},
    {"substring", 1, 2, substring},
    {"toLowerCase", 0, 0, [](const Call& c) { return map_letters(c, ascii_lower); }},
    {"toUpperCase", 0, 0, [](const Call& c) { return map_letters(c, to_upper); }},
    {"trim", 0, 0, trim_text},
};

}  // namespace

std::span<const Method> text_methods() noexcept {
    return kMethods;
}

}  // namespace gatehouse::templates
