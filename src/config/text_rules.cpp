#include "text_rules.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/ip_address.hpp"
#include "gatehouse/core/limits.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace gatehouse::config {
namespace {

constexpr std::size_t kHostBytes = 253;  // RFC 1035, 2.3.4, as text
constexpr std::size_t kLabelBytes = 63;

bool is_name_char(char c) {
    return is_alpha(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
}

// pchar of RFC 3986 without percent-encoding.
bool is_path_char(char c) {
    return is_unreserved(c) || std::string_view("!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

std::string fault_in_label(std::string_view label, std::string_view host) {
    if (label.empty()) return in_quotes(host) + " has an empty label";
    if (label.size() > kLabelBytes)
        return in_quotes(host) + " has a label of more than 63 characters";
    const auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; };
    if (!std::ranges::all_of(label, fits) || label.front() == '-' || label.back() == '-') {
        return in_quotes(host) + " is no host name; allowed: letters, digits, \"-\" and \".\"";
    }
    return {};
}

}  // namespace

std::string in_quotes(std::string_view text) {
    return "\"" + printable(text, 200) + "\"";
}

std::string fault_in_name(std::string_view text) {
    if (!text.empty() && std::ranges::all_of(text, is_name_char)) return {};
    return in_quotes(text) + " is no name; allowed: letters, digits, \".\", \"_\" and \"-\"";
}

std::string fault_in_address(std::string_view text) {
    if (parse_ip_address(text)) return {};
    const std::string hint =
        text == "localhost" || text == "*" ? (text == "*" ? "0.0.0.0" : "127.0.0.1") : "";
    return in_quotes(text) + " is no IP address; allowed: IPv4 or IPv6, without port and brackets" +
           (hint.empty() ? "" : "; did you mean \"" + hint + "\"?");
}

bool is_loopback(std::string_view address) {
    const auto ip = parse_ip_address(address);
    // An IPv4 address in IPv6's spelling is none that a person would write for loopback.
    if (!ip || (ip->v4 && address.find(':') != std::string_view::npos)) return false;
    return ip->v4 ? ip->bytes[0] == 127 : *ip == parse_ip_address("::1");
}

std::string fault_in_host(std::string_view text) {
    if (text.empty()) return "is empty; allowed: a host name";
    if (text.size() > kHostBytes) return "is longer than 253 characters";
    if (text.find('*') != std::string_view::npos)
        return in_quotes(text) + ": wildcards are not supported";
    if (text.find("//") != std::string_view::npos)
        return in_quotes(text) + " is a URL; allowed: the host name alone";
    if (text.find(':') != std::string_view::npos)
        return in_quotes(text) + ": write the host name without port";
    if (text.back() == '.') return in_quotes(text) + ": write the host name without the last dot";
    std::string_view rest = text;
    while (true) {
        const std::size_t dot = rest.find('.');
        std::string fault = fault_in_label(rest.substr(0, dot), text);
        if (!fault.empty() || dot == std::string_view::npos) return fault;
        rest.remove_prefix(dot + 1);
    }
}

std::string fault_in_base_path(std::string_view text) {
    if (text == "/") return {};
    if (text.empty() || text.front() != '/') return in_quotes(text) + " does not begin with \"/\"";
    if (text.back() == '/') return in_quotes(text) + " ends with \"/\"; leave it out";
    if (text.find('%') != std::string_view::npos)
        return in_quotes(text) + ": percent-encoding is not allowed here";
    std::string_view rest = text;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::size_t end = std::min(rest.find('/'), rest.size());
        const std::string_view segment = rest.substr(0, end);
        if (segment.empty() || segment == "." || segment == "..") {
            return in_quotes(text) + " has an empty or a dot segment";
        }
        if (!std::ranges::all_of(segment, is_path_char)) {
            return in_quotes(text) + " has a character that a path cannot have";
        }
        rest.remove_prefix(end);
    }
    return {};
}

std::string fault_in_header_name(std::string_view text) {
    return is_token(text) ? std::string() : in_quotes(text) + " is no header name";
}

std::string fault_in_filled(std::string_view text) {
    return text.empty() ? "is empty" : "";
}

std::string fault_in_constant(std::string_view text) {
    return std::ranges::any_of(text, is_control)
               ? "has a control character, which no header can carry"
               : "";
}

std::string fault_in_regex(std::string_view text) {
    // The same options as where it is used, or a large one could load here and fail there.
    RE2::Options options(RE2::Quiet);
    options.set_never_capture(true);
    options.set_max_mem(limits::kExpressionBytes);
    const RE2 regex(re2::StringPiece(text.data(), text.size()), options);
    if (regex.ok()) return {};
    return "is no regular expression that RE2 accepts: " + regex.error() +
           " (no look-around and no back-references: github.com/google/re2/wiki/Syntax)";
}

std::string fault_in_media_type(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos && is_token(text.substr(0, slash)) &&
        is_token(text.substr(slash + 1)))
        return {};
    return in_quotes(text) + " is no MIME type such as \"application/json\"";
}

std::string fault_in_claim(std::string_view text) {
    if (text.empty())
        return "is empty; allowed: a claim's name, or a JSON Pointer that begins with \"/\"";
    if (text.front() != '/') return {};
    for (std::size_t at = text.find('~'); at != std::string_view::npos;
         at = text.find('~', at + 1)) {
        if (at + 1 < text.size() && (text[at + 1] == '0' || text[at + 1] == '1')) continue;
        return in_quotes(text) + " is no JSON Pointer: \"~\" is written ~0 and \"/\" in a name ~1";
    }
    return {};
}

}  // namespace gatehouse::config
