#include "checks.hpp"

#include "gatehouse/core/ascii.hpp"

#include <array>
#include <cstdio>

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
    std::array<char, 48> buffer{};
    std::snprintf(buffer.data(),
                  buffer.size(),
                  "%04d-%02u-%02uT%02d:%02d:%02d",
                  static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    std::string shown(buffer.data());
    if (clock.subseconds().count() != 0) {
        std::snprintf(
            buffer.data(), buffer.size(), ".%03d", static_cast<int>(clock.subseconds().count()));
        shown += buffer.data();
    }
    return shown + 'Z';
}

}  // namespace gatehouse::jwt
