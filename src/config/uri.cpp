#include "uri.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/conceal_url.hpp"
#include "text_rules.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace gatehouse::config {
namespace {

struct Parts {
    std::string_view scheme;
    std::string_view host;  ///< IPv6 with its brackets
    std::string_view rest;  ///< path and query
};

struct Split {
    Parts parts;
    std::string fault;
};

std::string fault_in_port(std::string_view text) {
    int port = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool whole =
        error == std::errc() && stop == text.data() + text.size() && is_digit(text.front());
    return whole && port >= 1 && port <= 65535
               ? ""
               : "the port " + in_quotes(text) + " is not 1 to 65535";
}

std::string fault_in_authority(std::string_view authority, Parts& parts) {
    if (authority.find('@') != std::string_view::npos)
        return "has a user name or password in it, which is not supported";
    if (authority.find_first_of("{}$") != std::string_view::npos) {
        return "has a placeholder in its host; the host is fixed at load, by a stage variable or "
               "${NAME}";
    }
    std::size_t end = authority.find(':');
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos) return "the host's bracket is not closed";
        end = close + 1;
        const std::string_view inner = authority.substr(1, close - 1);
        if (inner.find(':') == std::string_view::npos || !fault_in_address(inner).empty()) {
            return in_quotes(inner) + " is no IPv6 address";
        }
    }
    parts.host = authority.substr(0, end);
    if (parts.host.empty()) return "has no host";
    if (!parts.host.starts_with('[')) {
        std::string fault = fault_in_host(parts.host);
        if (!fault.empty()) return "the host " + fault;
    }
    if (end >= authority.size()) return {};
    if (authority[end] != ':' || end + 1 == authority.size())
        return "the port is missing behind the host";
    return fault_in_port(authority.substr(end + 1));
}

Split split_url(std::string_view uri) {
    Split split;
    const std::size_t mark = uri.find("://");
    split.parts.scheme = mark == std::string_view::npos ? std::string_view() : uri.substr(0, mark);
    if (split.parts.scheme != "http" && split.parts.scheme != "https") {
        split.fault = in_quotes(http::conceal_url(uri)) +
                      " is no URL of the form http://host[:port]/path or https://…";
        return split;
    }
    const std::string_view rest = uri.substr(mark + 3);
    const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
    split.parts.rest = rest.substr(end);
    split.fault = fault_in_authority(rest.substr(0, end), split.parts);
    return split;
}

std::string fault_in_characters(std::string_view text) {
    if (text.find('#') != std::string_view::npos)
        return "has a fragment (\"#\"), which is never sent";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) {
                return "has a \"%\" that is not followed by two hexadecimal digits";
            }
        } else if (!is_unreserved(c) &&
                   std::string_view("!$&'()*+,;=:@/?{}").find(c) == std::string_view::npos) {
            return "has a character that a URL cannot have (" + printable(std::string_view(&c, 1)) +
                   "); percent-encode it";
        }
    }
    return {};
}

std::string fault_in_segments(std::string_view path) {
    path = path.substr(0, path.find('?'));
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        if (path.substr(0, end) == "." || path.substr(0, end) == "..") return "has a dot segment";
        if (end == 0 && !path.empty()) return "has an empty segment (\"//\")";
        path.remove_prefix(end);
    }
    return {};
}

bool is_placeholder_char(char c) {
    return is_alpha(c) || is_digit(c) || c == '.' || c == '-' || c == '_' || c == ':';
}

std::string fault_in_placeholders(std::string_view text) {
    for (std::size_t at = text.find_first_of("{}"); at != std::string_view::npos;
         at = text.find_first_of("{}")) {
        if (text[at] == '}') return "has a \"}\" without its \"{\"";
        const std::size_t close = text.find('}', at);
        if (close == std::string_view::npos) return "has a \"{\" without its \"}\"";
        const std::string_view name = text.substr(at + 1, close - at - 1);
        if (at > 0 && text[at - 1] == '$') {
            return "has the reference " + in_quotes(text.substr(at - 1, close - at + 2)) +
                   "; allowed: ${stageVariables.NAME}, or ${NAME} with capital letters for the "
                   "environment";
        }
        if (name.ends_with('+')) {
            return "write {" + printable(name.substr(0, name.size() - 1)) +
                   "} without \"+\": the plus belongs into the route";
        }
        if (name.empty() || !std::ranges::all_of(name, is_placeholder_char)) {
            return "{" + printable(name) + "} is no placeholder; allowed: {name}";
        }
        text.remove_prefix(close + 1);
    }
    return {};
}

std::string fault_in_file_uri(std::string_view uri) {
    std::string_view path = uri.substr(5);
    if (path.find_first_of("?#%") != std::string_view::npos)
        return in_quotes(uri) + ": write the path as it is on disk, without \"?\", \"#\" and \"%\"";
    if (path.starts_with("//")) {
        path.remove_prefix(2);
        if (!path.starts_with('/')) {
            return in_quotes(uri) + " names a host; write file:" + printable(path) +
                   " (beside this file) or file:///absolute/path";
        }
    }
    if (path.empty() || path.back() == '/') return in_quotes(uri) + " names no file";
    return std::ranges::any_of(path, is_control) ? "has a control character" : "";
}

}  // namespace

std::string fault_in_integration_uri(std::string_view uri) {
    const Split split = split_url(uri);
    if (!split.fault.empty()) return split.fault;
    for (const auto rule : {fault_in_characters, fault_in_segments, fault_in_placeholders}) {
        std::string fault = rule(split.parts.rest);
        if (!fault.empty()) return fault;
    }
    return {};
}

std::string fault_in_target_url(std::string_view uri) {
    const Split split = split_url(uri);
    if (!split.fault.empty()) return split.fault;
    if (split.parts.rest.empty()) return {};
    return in_quotes(http::conceal_url(uri)) +
           " has something behind its host and port; the path stands in the integration's \"uri\"";
}

std::string fault_in_check_path(std::string_view text) {
    if (!text.starts_with('/')) return in_quotes(text) + " is no path; it begins with \"/\"";
    if (text.find_first_of("{}") != std::string_view::npos)
        return "has a \"{\" or \"}\", which stands for nothing here";
    std::string fault = fault_in_characters(text);
    return fault.empty() ? fault_in_segments(text) : fault;
}

HostAndPort host_of(std::string_view uri) {
    uri.remove_prefix(std::min(uri.find("://") + 3, uri.size()));
    uri = uri.substr(0, uri.find_first_of("/?#"));
    const std::size_t colon = uri.find(':', uri.starts_with('[') ? uri.find(']') : 0);
    if (colon == std::string_view::npos) return {uri, {}};
    return {uri.substr(0, colon), uri.substr(colon + 1)};
}

std::string fault_in_jwks_uri(std::string_view uri) {
    if (uri.starts_with("file:")) return fault_in_file_uri(uri);
    const Split split = split_url(uri);
    if (split.parts.scheme.empty() ||
        (split.parts.scheme != "http" && split.parts.scheme != "https")) {
        return in_quotes(http::conceal_url(uri)) +
               " is not supported; allowed: http://…, https://… or file:NAME beside this file";
    }
    if (!split.fault.empty()) return split.fault;
    if (split.parts.rest.find_first_of("{}") != std::string_view::npos)
        return "has a \"{\" or \"}\", which stands for nothing here";
    return fault_in_characters(split.parts.rest);
}

std::string fault_in_issuer_url(std::string_view uri) {
    const std::string_view scheme = uri.substr(0, uri.find("://"));
    if (scheme != "http" && scheme != "https")
        return in_quotes(http::conceal_url(uri)) + " is no http or https URL";
    std::string fault = fault_in_jwks_uri(uri);
    if (fault.empty() && uri.find('?') != std::string_view::npos) fault = "has a query";
    return fault;
}

bool is_plain_remote(std::string_view uri) {
    const Split split = split_url(uri);
    if (!split.fault.empty() || split.parts.scheme != "http") return false;
    std::string_view host = split.parts.host;
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    return host != "localhost" && !is_loopback(host);
}

}  // namespace gatehouse::config
