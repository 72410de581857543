#include "gatehouse/cli/args.hpp"
#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace gatehouse::cli {
namespace {

template <class T>
std::optional<T> parse_whole(std::string_view text) {
    T number{};
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool is_ipv4(std::string_view text) {
    int parts = 0;
    while (true) {
        const std::size_t dot = text.find('.');
        const std::string_view part = text.substr(0, dot);
        if (part.size() > 3 || !parse_whole<std::uint8_t>(part)) return false;
        ++parts;
        if (dot == std::string_view::npos) return parts == 4;
        text.remove_prefix(dot + 1);
    }
}

// A first look; the system has the last word when it binds.
bool looks_like_ipv6(std::string_view text) {
    return text.find(':') != std::string_view::npos &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return hex_value(c) >= 0 || c == ':' || c == '.';
           });
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change =
                diagonal + (ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]) ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_whole<std::uint16_t>(text.substr(colon + 1));
    std::string_view address = text.substr(0, colon);
    if (!port) return std::nullopt;
    if (equals_ignoring_case(address, "localhost")) return Endpoint{"127.0.0.1", *port};
    if (is_ipv4(address)) return Endpoint{std::string(address), *port};
    if (address.size() < 4 || address.front() != '[' || address.back() != ']') return std::nullopt;
    address = address.substr(1, address.size() - 2);
    if (!looks_like_ipv6(address)) return std::nullopt;
    return Endpoint{std::string(address), *port};
}

namespace {

// Behind the last colon of the authority, if any but an IPv6 address's.
bool has_good_port(std::string_view url) {
    std::string_view authority = url.substr(url.find("//") + 2);
    authority = authority.substr(0, authority.find('/'));
    const std::size_t colon = authority.rfind(':');
    if (colon == std::string_view::npos || authority.ends_with(']')) return !authority.empty();
    return parse_whole<std::uint16_t>(authority.substr(colon + 1)).has_value();
}

}  // namespace

std::optional<std::string> parse_admin_url(std::string_view text) {
    while (text.ends_with('/'))
        text.remove_suffix(1);
    if (text.starts_with("http://") || text.starts_with("https://"))
        return has_good_port(text) ? std::optional(std::string(text)) : std::nullopt;
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) return std::nullopt;
    std::string host = endpoint->address;
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    return "http://" + host + ":" + std::to_string(endpoint->port);
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
    constexpr std::string_view kUnits = "smhd";
    constexpr std::int64_t kSeconds[] = {1, 60, 3600, 86400};
    std::int64_t factor = 1;
    if (const std::size_t unit = text.empty() ? std::string_view::npos : kUnits.find(text.back());
        unit != std::string_view::npos) {
        factor = kSeconds[unit];
        text.remove_suffix(1);
    }
    const auto number = parse_whole<std::int32_t>(text);
    if (!number) return std::nullopt;
    return std::chrono::seconds(*number * factor);
}

Json parse_claim_value(std::string_view text) {
    auto parsed = parse_json(text);
    return parsed ? std::move(parsed).value() : Json(std::string(text));
}

std::string_view find_nearest(std::string_view word,
                              const std::vector<std::string_view>& candidates) {
    std::string_view nearest;
    std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < least) {
            least = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

}  // namespace gatehouse::cli
