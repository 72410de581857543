#include "checks.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace gatehouse::jwt {

void append_shown(std::string& into, const Json* value) {
    if (value == nullptr) {
        into += "nothing";
    } else if (value->is_string()) {
        into += '"';
        append_printable(into, value->get_ref<const std::string&>());
        into += '"';
    } else if (value->is_structured() && value->size() > 20) {
        into += value->is_array() ? "a long list" : "a large object";
    } else {
        append_printable(into, dump_json(*value));
    }
}

void append_shown(std::string& into, WallTime time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss<milliseconds> clock(time - day);
    std::array<char, 32> text{};
    std::size_t size = 0;
    const auto add = [&](std::int64_t number, std::size_t digits, char after) {
        for (std::size_t i = digits; i-- > 0; number /= 10)
            text[size + i] = static_cast<char>('0' + number % 10);
        size += digits;
        text[size++] = after;
    };
    // WallTime of a claim is of the years 1 to 9999 (claims.cpp).
    add(std::abs(static_cast<int>(date.year())) % 10000, 4, '-');
    add(static_cast<unsigned>(date.month()), 2, '-');
    add(static_cast<unsigned>(date.day()), 2, 'T');
    add(clock.hours().count(), 2, ':');
    add(clock.minutes().count(), 2, ':');
    const bool whole = clock.subseconds().count() == 0;
    add(clock.seconds().count(), 2, whole ? 'Z' : '.');
    if (!whole) add(clock.subseconds().count(), 3, 'Z');
    into.append(text.data(), size);
}

}  // namespace gatehouse::jwt
