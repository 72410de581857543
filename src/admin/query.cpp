#include "query.hpp"

#include "gatehouse/core/ascii.hpp"

#include <charconv>

namespace gatehouse::admin {
namespace {

constexpr std::size_t kMostTraces = 10000;

Error bad(std::string message) {
    return fail(Errc::request_malformed, std::move(message));
}

}  // namespace

std::string decode_percent(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                            hex_value(text[i + 2]) >= 0;
        if (!escape) {
            decoded += text[i];
            continue;
        }
        decoded += static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
        i += 2;
    }
    return decoded;
}

Query parse_query(std::string_view text) {
    Query query;
    while (!text.empty()) {
        const std::size_t end = text.find('&');
        const std::string_view pair = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (pair.empty()) continue;
        const std::size_t equals = pair.find('=');
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
        query.emplace_back(decode_percent(pair.substr(0, equals)), decode_percent(value));
    }
    return query;
}

std::optional<std::size_t> parse_number(std::string_view text,
                                        std::size_t least,
                                        std::size_t most) noexcept {
    std::size_t number = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc() || end != text.data() + text.size() || number < least || number > most)
        return std::nullopt;
    return number;
}

Result<app::TraceFilter> parse_trace_filter(const Query& query) {
    app::TraceFilter filter;
    for (const auto& [name, value] : query) {
        if (name == "status") {
            const auto status = parse_number(value, 100, 599);
            if (!status) return bad("status is a number from 100 to 599");
            filter.status = static_cast<int>(*status);
        } else if (name == "limit") {
            const auto limit = parse_number(value, 1, kMostTraces);
            if (!limit) return bad("limit is a number from 1 to " + std::to_string(kMostTraces));
            filter.limit = *limit;
        } else if (name == "reason") {
            filter.reason = value;
        } else if (name == "route") {
            filter.route = value;
        } else {
            return bad("there is no filter \"" + printable(name) +
                       "\"; there are status, reason, route and limit");
        }
    }
    return filter;
}

std::optional<jwt::Sha256> parse_digest(std::string_view text) noexcept {
    jwt::Sha256 digest{};
    if (text.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        digest[i] = static_cast<unsigned char>(high << 4 | low);
    }
    return digest;
}

}  // namespace gatehouse::admin
