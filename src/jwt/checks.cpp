#include "checks.hpp"

#include "gatehouse/core/ascii.hpp"

#include <cstddef>

namespace gatehouse::jwt {

std::string show(const Json* value) {
    if (value == nullptr) return "nothing";
    if (value->is_string()) return '"' + printable(value->get_ref<const std::string&>()) + '"';
    if (value->is_structured() && value->size() > 20)
        return value->is_array() ? "a long list" : "a large object";
    return printable(dump_json(*value));
}

std::string show(WallTime time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss<milliseconds> clock(time - day);
    std::string shown;
    shown.reserve(32);
    const auto add = [&shown](char before, auto number, std::size_t digits) {
        const std::string text = std::to_string(number);
        if (before != 0) shown += before;
        if (text.size() < digits) shown.append(digits - text.size(), '0');
        shown += text;
    };
    add('\0', static_cast<int>(date.year()), 4);
    add('-', static_cast<unsigned>(date.month()), 2);
    add('-', static_cast<unsigned>(date.day()), 2);
    add('T', clock.hours().count(), 2);
    add(':', clock.minutes().count(), 2);
    add(':', clock.seconds().count(), 2);
    if (clock.subseconds().count() != 0) add('.', clock.subseconds().count(), 3);
    return shown + 'Z';
}

}  // namespace gatehouse::jwt
