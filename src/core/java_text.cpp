#include "gatehouse/core/java_text.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace gatehouse {
namespace {

template <class Number>
void append_number(Number value, std::string& out) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value);
    out.append(text, end.ptr);
}

}  // namespace

void append_java_double(double value, std::string& out) {
    // The shortest digits that read back as the same double: "-1.25e-07". Java from 19 on has them
    // too.
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
    std::string_view shortest(text, static_cast<std::size_t>(end.ptr - text));
    if (shortest.starts_with('-')) {
        out += '-';
        shortest.remove_prefix(1);
    }
    const std::size_t e = shortest.find('e');
    int exponent = 0;
    const bool negative = shortest[e + 1] == '-';
    std::from_chars(shortest.data() + e + 2, shortest.data() + shortest.size(), exponent);
    if (negative) exponent = -exponent;
    std::string digits(1, shortest[0]);
    if (e > 2) digits += shortest.substr(2, e - 2);

    const double size = std::abs(value);
    const bool plain = size == 0 || (size >= 1e-3 && size < 1e7);
    if (plain && exponent < 0) digits.insert(0, static_cast<std::size_t>(-exponent), '0');
    const auto whole = plain && exponent > 0 ? static_cast<std::size_t>(exponent) + 1 : 1;
    // At least one digit on either side of the point.
    if (digits.size() <= whole) digits.append(whole + 1 - digits.size(), '0');
    out += digits.substr(0, whole);
    out += '.';
    out += digits.substr(whole);
    if (!plain) {
        out += 'E';
        append_number(exponent, out);
    }
}

void append_java_text(const Json& value, std::string& out) {
    switch (value.type()) {
        case Json::value_t::null:
            return;
        case Json::value_t::string:
            out += value.get_ref<const std::string&>();
            return;
        case Json::value_t::boolean:
            out += value.get<bool>() ? "true" : "false";
            return;
        case Json::value_t::number_integer:
            append_number(value.get<std::int64_t>(), out);
            return;
        case Json::value_t::number_unsigned:
            append_number(value.get<std::uint64_t>(), out);
            return;
        case Json::value_t::number_float:
            append_java_double(value.get<double>(), out);
            return;
        default:
            out += dump_json(value);
    }
}

}  // namespace gatehouse
