#include "uri_template.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/target.hpp"

#include <algorithm>
#include <charconv>

namespace gatehouse::forward {
namespace {

constexpr std::size_t kHostBytes = 255;

Error bad_uri(std::string_view why, std::string_view found) {
    return fail(Errc::config_invalid, std::string(why) + ": " + printable(found));
}

bool is_host_name(std::string_view host) noexcept {
    return !host.empty() && host.size() <= kHostBytes && std::ranges::all_of(host, [](char c) {
        return is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
    });
}

bool is_ipv6(std::string_view host) noexcept {
    return std::ranges::count(host, ':') >= 2 && host.size() <= 45 &&
           std::ranges::all_of(host,
                               [](char c) { return hex_value(c) >= 0 || c == ':' || c == '.'; });
}

bool parse_port(std::string_view text, std::uint16_t& port) noexcept {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
    return code == std::errc{} && end == text.data() + text.size() && port != 0;
}

Result<Endpoint> parse_authority(std::string_view authority, bool tls) {
    if (authority.find_first_of("{}$") != std::string_view::npos) {
        return bad_uri("placeholders may stand in the path and the query only", authority);
    }
    if (authority.find('@') != std::string_view::npos)
        return bad_uri("user information is not allowed", "uri");
    Endpoint endpoint;
    endpoint.tls = tls;
    endpoint.port = tls ? 443 : 80;
    const bool literal = authority.starts_with('[');
    const std::size_t bracket = authority.find(']');
    if (literal && bracket == std::string_view::npos)
        return bad_uri("an IPv6 address ends with ']'", authority);
    const std::size_t host_end =
        literal ? bracket + 1 : std::min(authority.find(':'), authority.size());
    const std::string_view host = authority.substr(0, host_end);
    const std::string_view rest = authority.substr(host_end);
    endpoint.host = to_lower(literal ? host.substr(1, host.size() - 2) : host);
    if (literal ? !is_ipv6(endpoint.host) : !is_host_name(endpoint.host)) {
        return bad_uri("not a host name or address", authority);
    }
    endpoint.host_header = host;
    const std::uint16_t usual = endpoint.port;
    if (!rest.empty() && (rest.front() != ':' || !parse_port(rest.substr(1), endpoint.port))) {
        return bad_uri("a port is 1 to 65535", authority);
    }
    if (endpoint.port != usual) endpoint.host_header += ":" + std::to_string(endpoint.port);
    endpoint.host_line = "Host: " + endpoint.host_header + "\r\n";
    return endpoint;
}

// RFC 3986 3.3 and 3.4: pchar, and '/'; in a query '?' too.
bool is_uri_char(char c) noexcept {
    return is_unreserved(c) ||
           std::string_view("!$&'()*+,;=:@/?").find(c) != std::string_view::npos;
}

bool is_placeholder_name(std::string_view name) noexcept {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == ':';
    });
}

Result<std::string_view> check_text(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
                return bad_uri("invalid percent-encoding", text);
            }
        } else if (!is_uri_char(text[i])) {
            return bad_uri("not a character of a URI", text.substr(i, 1));
        }
    }
    return text;
}

Result<std::vector<UriPiece>> parse_pieces(std::string_view text) {
    std::vector<UriPiece> pieces;
    while (!text.empty()) {
        const std::size_t open = std::min(text.find('{'), text.size());
        if (open < text.size() && open > 0 && text[open - 1] == '$') {
            return bad_uri("a reference was not filled in", text.substr(open - 1));
        }
        const auto literal = check_text(text.substr(0, open));
        if (!literal) return literal.error();
        if (open > 0) pieces.push_back({std::string(text.substr(0, open)), false});
        text.remove_prefix(open);
        if (text.empty()) break;
        const std::size_t close = text.find('}');
        if (close == std::string_view::npos) return bad_uri("a placeholder ends with '}'", text);
        const std::string_view name = text.substr(1, close - 1);
        if (!is_placeholder_name(name)) {
            return bad_uri("a placeholder is {name}, for {proxy+} too: {proxy}",
                           text.substr(0, close + 1));
        }
        pieces.push_back({std::string(name), true});
        text.remove_prefix(close + 1);
    }
    return pieces;
}

bool is_path(const std::vector<UriPiece>& pieces) {
    std::string filled;
    for (const UriPiece& piece : pieces)
        filled += piece.placeholder ? "x" : piece.text;
    return is_clean_path(filled);
}

}  // namespace

bool is_clean_path(std::string_view path) {
    std::string scratch;
    return path.starts_with('/') && http::parse_target(path, scratch).has_value();
}

Result<UriTemplate> parse_uri_template(std::string_view uri) {
    UriTemplate made;
    bool tls = false;
    if (equals_ignoring_case(uri.substr(0, 7), "http://")) {
        uri.remove_prefix(7);
    } else if (equals_ignoring_case(uri.substr(0, 8), "https://")) {
        uri.remove_prefix(8);
        tls = true;
    } else {
        return bad_uri("an integration uri begins with http:// or https://", uri);
    }
    if (uri.find('#') != std::string_view::npos) return bad_uri("a fragment is not allowed", uri);
    const std::size_t authority_end = std::min(uri.find_first_of("/?"), uri.size());
    auto endpoint = parse_authority(uri.substr(0, authority_end), tls);
    if (!endpoint) return std::move(endpoint).error();
    made.endpoint = std::move(endpoint).value();
    uri.remove_prefix(authority_end);

    const std::size_t question = std::min(uri.find('?'), uri.size());
    const std::string_view path = question == 0 ? std::string_view("/") : uri.substr(0, question);
    auto path_pieces = parse_pieces(path);
    if (!path_pieces) return std::move(path_pieces).error();
    if (!is_path(path_pieces.value())) {
        return bad_uri("dot segments, empty segments, backslashes and controls are not allowed",
                       path);
    }
    made.path = std::move(path_pieces).value();
    made.has_query = question < uri.size();
    auto query = parse_pieces(made.has_query ? uri.substr(question + 1) : std::string_view{});
    if (!query) return std::move(query).error();
    made.query = std::move(query).value();
    return made;
}

Result<Endpoint> parse_endpoint(std::string_view url) {
    auto parsed = parse_uri_template(url);
    if (!parsed) return std::move(parsed).error();
    const std::size_t host = url.find("://") + 3;
    if (url.find_first_of("/?", host) != std::string_view::npos)
        return bad_uri("nothing may stand behind host and port", url);
    return std::move(parsed->endpoint);
}

}  // namespace gatehouse::forward
