#include "access.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"

#include <algorithm>
#include <string>

namespace gatehouse::admin {
namespace {

// All values of a field, in order.
std::vector<std::string_view> values_of(const Request& request, std::string_view name) {
    std::vector<std::string_view> values;
    for (const auto& [key, value] : request.headers) {
        if (equals_ignoring_case(key, name)) values.push_back(trim(value));
    }
    return values;
}

bool is_number(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), is_digit);
}

// The host of "host[:port]", brackets kept; empty when it is neither.
std::string_view host_of(std::string_view authority) noexcept {
    std::size_t end = authority.find(':');
    if (authority.starts_with('[')) {
        end = authority.find(']');
        if (end == std::string_view::npos) return {};
        ++end;
    }
    if (end == std::string_view::npos || end == authority.size()) return authority;
    if (authority[end] != ':' || !is_number(authority.substr(end + 1))) return {};
    return authority.substr(0, end);
}

bool is_ipv4(std::string_view text) noexcept {
    int parts = 0;
    while (true) {
        const std::size_t dot = text.find('.');
        const std::string_view part = text.substr(0, dot);
        if (!is_number(part) || part.size() > 3 || (part.size() == 3 && part > "255")) return false;
        ++parts;
        if (dot == std::string_view::npos) return parts == 4;
        text.remove_prefix(dot + 1);
    }
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) noexcept {
    return text.size() >= end.size() &&
           equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

bool is_loopback_name(std::string_view host) noexcept {
    if (host == "[::1]") return true;
    if (is_ipv4(host)) return host.starts_with("127.");
    if (host.ends_with('.')) host.remove_suffix(1);
    // RFC 6761 6.3: every name below localhost is loopback.
    return equals_ignoring_case(host, "localhost") || ends_with_ignoring_case(host, ".localhost");
}

// Sec-Fetch-Site and Origin come from browsers only, and pages cannot forge them.
bool is_cross_site(const Request& request) {
    for (const std::string_view site : values_of(request, "Sec-Fetch-Site")) {
        if (!equals_ignoring_case(site, "none") && !equals_ignoring_case(site, "same-origin"))
            return true;
    }
    const auto hosts = values_of(request, "Host");
    for (const std::string_view origin : values_of(request, "Origin")) {
        const bool own = !hosts.empty() &&
                         (equals_ignoring_case(origin, "http://" + std::string(hosts.front())) ||
                          equals_ignoring_case(origin, "https://" + std::string(hosts.front())));
        if (!own) return true;
    }
    return false;
}

bool holds_token(const Request& request, std::string_view token) {
    constexpr std::string_view kScheme = "Bearer ";
    const auto values = values_of(request, "Authorization");
    if (values.size() != 1 || values.front().size() < kScheme.size()) return false;
    if (!equals_ignoring_case(values.front().substr(0, kScheme.size()), kScheme)) return false;
    // The time it takes tells the length at most.
    return jwt::equals_in_constant_time(trim(values.front().substr(kScheme.size())), token);
}

}  // namespace

bool is_trusted_host(std::string_view host, std::string_view configured_address) noexcept {
    const std::string_view name = host_of(host);
    if (name.empty()) return false;
    if (is_loopback_name(name)) return true;
    const bool literal = name.starts_with('[');
    const std::string_view bare = literal ? name.substr(1, name.size() - 2) : name;
    if (equals_ignoring_case(bare, configured_address)) return true;
    if (configured_address != "0.0.0.0" && configured_address != "::") return false;
    return literal || is_ipv4(name) || name.find('.') == std::string_view::npos;
}

std::optional<Response> refuse_access(const Request& request, const Access& access, bool health) {
    if (is_cross_site(request)) return make_error(403, "cross-site requests are refused");
    if (health) return std::nullopt;
    const auto hosts = values_of(request, "Host");
    if (hosts.size() != 1 || !is_trusted_host(hosts.front(), access.address)) {
        return make_error(403, "this Host is refused: use " + access.address + " or localhost");
    }
    if (!access.token.empty() && !holds_token(request, access.token)) {
        Response refused = make_error(
            401, "the admin token is missing or wrong: Authorization: Bearer <admin.token>");
        refused.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"gatehouse admin\"");
        return refused;
    }
    return std::nullopt;
}

Response make_error(int status, std::string_view message) {
    Response response;
    response.status = status;
    response.body = dump_json({{"message", message}}) + "\n";
    return response;
}

}  // namespace gatehouse::admin
