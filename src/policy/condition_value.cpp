#include "condition_value.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace gatehouse::policy {
namespace {

constexpr std::size_t kArnParts = 6;

bool all_digits(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// A whole number of exactly `text.size()` digits, -1 when it is none. For up to nine digits.
int to_int(std::string_view text) noexcept {
    if (!all_digits(text)) return -1;
    int value = 0;
    for (const char c : text)
        value = value * 10 + (c - '0');
    return value;
}

// Reads dates from left to right; every take_ returns false, or -1, when the text is not what it
// should be.
class DateReader {
  public:
    explicit DateReader(std::string_view text) : rest_(text) {}

    bool at_end() const noexcept { return rest_.empty(); }

    bool take(char c) noexcept {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    int take_int(std::size_t digits) noexcept {
        const std::string_view field = rest_.substr(0, digits);
        if (field.size() != digits) return -1;
        rest_.remove_prefix(digits);
        return to_int(field);
    }

    // Fraction of a second in milliseconds; digits beyond the third are cut.
    int take_fraction() noexcept {
        std::size_t digits = 0;
        while (digits < rest_.size() && is_digit(rest_[digits]))
            ++digits;
        if (digits == 0 || digits > 9) return -1;
        int millis = 0;
        for (std::size_t i = 0; i < 3; ++i)
            millis = millis * 10 + (i < digits ? rest_[i] - '0' : 0);
        rest_.remove_prefix(digits);
        return millis;
    }

  private:
    std::string_view rest_;
};

std::optional<std::chrono::milliseconds> take_time(DateReader& reader) noexcept {
    using namespace std::chrono;
    const int hour = reader.take_int(2);
    if (hour < 0 || hour > 23 || !reader.take(':')) return std::nullopt;
    const int minute = reader.take_int(2);
    if (minute < 0 || minute > 59) return std::nullopt;
    milliseconds time = hours(hour) + minutes(minute);
    if (!reader.take(':')) return time;
    const int second = reader.take_int(2);
    if (second < 0 || second > 59) return std::nullopt;
    time += seconds(second);
    if (!reader.take('.')) return time;
    const int fraction = reader.take_fraction();
    if (fraction < 0) return std::nullopt;
    return time + milliseconds(fraction);
}

// "Z" or what local time is ahead of UTC.
std::optional<std::chrono::minutes> take_zone(DateReader& reader) noexcept {
    using namespace std::chrono;
    if (reader.take('Z')) return minutes(0);
    const bool ahead = reader.take('+');
    if (!ahead && !reader.take('-')) return std::nullopt;
    const int hour = reader.take_int(2);
    if (hour < 0 || hour > 23 || !reader.take(':')) return std::nullopt;
    const int minute = reader.take_int(2);
    if (minute < 0 || minute > 59) return std::nullopt;
    const minutes offset = hours(hour) + minutes(minute);
    return ahead ? offset : -offset;
}

std::optional<WallTime> parse_epoch(std::string_view digits) noexcept {
    // Twelve digits reach the year 33658 and stay far from an overflow in milliseconds.
    if (digits.size() == 4 || digits.size() > 12) return std::nullopt;
    std::int64_t seconds = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
    return WallTime(std::chrono::seconds(seconds));
}

}  // namespace

bool IpRange::contains(const IpAddress& address) const noexcept {
    if (address.v4 != network.v4) return false;
    const auto whole = static_cast<std::size_t>(bits / 8);
    if (std::memcmp(address.bytes.data(), network.bytes.data(), whole) != 0) return false;
    const int left = bits % 8;
    if (left == 0) return true;
    return ((address.bytes[whole] ^ network.bytes[whole]) >> (8 - left)) == 0;
}

Result<ArnPattern> ArnPattern::make(std::string_view pattern) {
    ArnPattern made;
    made.parts_.reserve(kArnParts);
    for (std::size_t i = 0; i < kArnParts; ++i) {
        const bool last = i + 1 == kArnParts;
        const std::size_t colon = last ? pattern.size() : pattern.find(':');
        if (colon == std::string_view::npos) {
            return fail(Errc::policy_invalid, "an ARN pattern has six parts divided by ':'");
        }
        auto part = Wildcard::make(pattern.substr(0, colon));
        if (!part) return std::move(part).error();
        made.parts_.push_back(std::move(*part));
        pattern.remove_prefix(last ? colon : colon + 1);
    }
    return made;
}

bool ArnPattern::matches(std::string_view arn) const noexcept {
    for (std::size_t i = 0; i + 1 < kArnParts; ++i) {
        const std::size_t colon = arn.find(':');
        if (colon == std::string_view::npos || !parts_[i].matches(arn.substr(0, colon)))
            return false;
        arn.remove_prefix(colon + 1);
    }
    return parts_.back().matches(arn);
}

std::size_t ArnPattern::heap_bytes() const noexcept {
    std::size_t bytes = parts_.capacity() * sizeof(Wildcard);
    for (const Wildcard& part : parts_)
        bytes += part.heap_bytes();
    return bytes;
}

std::optional<double> parse_number(std::string_view text) noexcept {
    const std::string_view unsigned_text = text.substr(text.starts_with('-') ? 1 : 0);
    if (unsigned_text.empty() || !is_digit(unsigned_text.front())) return std::nullopt;
    double value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::optional<bool> parse_bool(std::string_view text) noexcept {
    if (equals_ignoring_case(text, "true")) return true;
    if (equals_ignoring_case(text, "false")) return false;
    return std::nullopt;
}

std::optional<WallTime> parse_date(std::string_view text) noexcept {
    using namespace std::chrono;
    if (all_digits(text)) return parse_epoch(text);
    DateReader reader(text);
    const int y = reader.take_int(4);
    if (y < 0 || !reader.take('-')) return std::nullopt;
    const int m = reader.take_int(2);
    if (m < 0 || !reader.take('-')) return std::nullopt;
    const int d = reader.take_int(2);
    if (d < 0) return std::nullopt;
    const year_month_day date{
        year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
    if (!date.ok()) return std::nullopt;
    const WallTime midnight = sys_days(date);
    if (reader.at_end()) return midnight;
    if (!reader.take('T')) return std::nullopt;
    const auto time = take_time(reader);
    if (!time) return std::nullopt;
    const auto zone = take_zone(reader);
    if (!zone || !reader.at_end()) return std::nullopt;
    return midnight + *time - *zone;
}

std::optional<IpRange> parse_range(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const std::string_view host = text.substr(0, slash);
    const auto network = parse_ip_address(host);
    if (!network) return std::nullopt;
    const bool written_v4 = host.find(':') == std::string_view::npos;
    const int most = written_v4 ? 32 : 128;
    int bits = most;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        if (digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
        bits = to_int(digits);
        if (bits < 0 || bits > most) return std::nullopt;
    }
    if (network->v4 && !written_v4) {
        // ::ffff:0:0/96 and narrower is IPv4 in other words; a wider one would mean both families.
        if (bits < 96) return std::nullopt;
        bits -= 96;
    }
    return IpRange{*network, bits};
}

}  // namespace gatehouse::policy
