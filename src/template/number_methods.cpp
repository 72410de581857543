#include "gatehouse/core/ascii.hpp"
#include "methods.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace gatehouse::templates {
namespace {

// `#set($Integer = 0) … $Integer.parseInt("5")`: Java's static methods through any value of the
// type, which is how templates make numbers of text.
template <class Number>
Value parse(const Call& call) {
    const auto text = call.text(0);
    if (!text) return Null{};
    std::string_view digits = *text;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    Number number{};
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() ||
        digits.starts_with('+'))
        return call.fail(printable(*text) + " is not a number");
    return number;
}

Value parse_int(const Call& call) {
    const Value parsed = parse<std::int64_t>(call);
    const auto* number = std::get_if<std::int64_t>(&parsed);
    if (number != nullptr && (*number < INT32_MIN || *number > INT32_MAX))
        return call.fail("parseInt: more than 32 bits");
    return parsed;
}

// Java narrows towards zero, and to the nearest end when out of range.
template <class Integer>
Value narrow(const Call& call) {
    const double value = to_double(call.self);
    if (std::isnan(value)) return std::int64_t{0};
    if (value <= static_cast<double>(std::numeric_limits<Integer>::min()))
        return std::int64_t{std::numeric_limits<Integer>::min()};
    if (value >= static_cast<double>(std::numeric_limits<Integer>::max()))
        return std::int64_t{std::numeric_limits<Integer>::max()};
    return static_cast<std::int64_t>(value);
}

constexpr Method kInteger[] = {
    {"doubleValue", 0, 0, [](const Call& c) { return Value(to_double(c.self)); }},
    {"intValue",
     0,
     0,
     [](const Call& c) {
         return Value(std::int64_t{static_cast<std::int32_t>(std::get<std::int64_t>(c.self))});
     }},
    {"longValue", 0, 0, [](const Call& c) { return c.self; }},
    {"parseInt", 1, 1, parse_int},
    {"parseLong", 1, 1, parse<std::int64_t>},
};

constexpr Method kReal[] = {
    {"doubleValue", 0, 0, [](const Call& c) { return c.self; }},
    {"intValue", 0, 0, narrow<std::int32_t>},
    {"longValue", 0, 0, narrow<std::int64_t>},
    {"parseDouble", 1, 1, parse<double>},
};

constexpr Method kBoolean[] = {
    {"parseBoolean",
     1,
     1,
     [](const Call& c) {
         const auto text = c.text(0);
         return text ? Value(equals_ignoring_case(*text, "true")) : Value(Null{});
     }},
};

}  // namespace

std::span<const Method> integer_methods() noexcept {
    return kInteger;
}

std::span<const Method> real_methods() noexcept {
    return kReal;
}

std::span<const Method> boolean_methods() noexcept {
    return kBoolean;
}

}  // namespace gatehouse::templates
