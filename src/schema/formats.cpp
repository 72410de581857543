#include "formats.hpp"

#include "gatehouse/core/ascii.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <iterator>

namespace gatehouse::schema {
namespace {

// Longer texts are none of these, and are not looked at.
constexpr std::size_t kMostBytes = 2048;

bool fits(std::string_view text, const re2::RE2& pattern) {
    return text.size() <= kMostBytes &&
           re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

int two_digits(std::string_view text) noexcept {
    return (text[0] - '0') * 10 + (text[1] - '0');
}

// RFC 3339, full-date.
bool is_date(std::string_view text) {
    static const re2::RE2 kPattern("[0-9]{4}-[0-9]{2}-[0-9]{2}");
    if (!fits(text, kPattern)) return false;
    const int year = two_digits(text) * 100 + two_digits(text.substr(2));
    const int month = two_digits(text.substr(5));
    const int day = two_digits(text.substr(8));
    constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1) return false;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool is_date_time(std::string_view text) {
    static const re2::RE2 kPattern(
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)"
        "([.][0-9]+)?([Zz]|[-+]([01][0-9]|2[0-3]):[0-5][0-9])");
    return fits(text, kPattern) && is_date(text.substr(0, 10));
}

bool is_hostname(std::string_view text) {
    static const re2::RE2 kPattern(
        "[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
        "([.][A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*");
    return text.size() <= 253 && fits(text, kPattern);
}

// RFC 5322's addr-spec without comments, white space and quotes.
bool is_email(std::string_view text) {
    static const re2::RE2 kLocal(
        "[-A-Za-z0-9!#$%&'*+/=?^_`{|}~]+([.][-A-Za-z0-9!#$%&'*+/=?^_`{|}~]+)*");
    const std::size_t at = text.rfind('@');
    return at != std::string_view::npos && fits(text.substr(0, at), kLocal) &&
           is_hostname(text.substr(at + 1));
}

bool is_ipv4(std::string_view text) {
    static const re2::RE2 kPattern(
        "((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])[.]){3}"
        "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])");
    return fits(text, kPattern);
}

// RFC 4291 2.2: eight groups, one run of them as "::", the last two as an IPv4 address.
bool is_ipv6(std::string_view text) {
    static const re2::RE2 kGroups("[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4})*");
    if (text.size() > 45) return false;
    const std::size_t last = text.rfind(':');
    std::ptrdiff_t most = 8;
    if (last != std::string_view::npos && text.find('.', last) != std::string_view::npos) {
        if (!is_ipv4(text.substr(last + 1))) return false;
        most = 6;
        text = text.substr(0, text.substr(0, last + 1).ends_with("::") ? last + 1 : last);
    }
    const auto groups = [](std::string_view part) -> std::ptrdiff_t {
        if (part.empty()) return 0;
        return fits(part, kGroups) ? std::count(part.begin(), part.end(), ':') + 1 : 99;
    };
    const std::size_t gap = text.find("::");
    if (gap == std::string_view::npos) return groups(text) == most;
    return groups(text.substr(0, gap)) + groups(text.substr(gap + 2)) < most;
}

// RFC 3986, an absolute one.
bool is_uri(std::string_view text) {
    static const re2::RE2 kPattern(
        "[A-Za-z][-+.A-Za-z0-9]*:"
        "([-A-Za-z0-9._~:/?#\\[\\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*");
    return fits(text, kPattern);
}

bool is_uuid(std::string_view text) {
    static const re2::RE2 kPattern("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}");
    return fits(text, kPattern);
}

constexpr Format kFormats[] = {
    {"date", is_date},
    {"date-time", is_date_time},
    {"email", is_email},
    {"hostname", is_hostname},
    {"ipv4", is_ipv4},
    {"ipv6", is_ipv6},
    {"uri", is_uri},
    {"uuid", is_uuid},
};

constexpr std::string_view kAnnotatingFormats[] = {
    "binary", "byte", "double", "float", "int32", "int64", "password"};

}  // namespace

const Format* find_format(std::string_view name) noexcept {
    const auto* found = std::ranges::find(kFormats, name, &Format::name);
    return found == std::end(kFormats) ? nullptr : found;
}

bool is_annotation_format(std::string_view name) noexcept {
    return std::ranges::find(kAnnotatingFormats, name) != std::end(kAnnotatingFormats);
}

std::string_view format_names() noexcept {
    return "date, date-time, email, hostname, ipv4, ipv6, uri, uuid";
}

}  // namespace gatehouse::schema
