#include "gatehouse/sigv4/authorization.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/jwt/digest.hpp"
#include "query.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

namespace gatehouse::sigv4 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

bool all_digits(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string hash_of(std::string_view text) {
    const jwt::Sha256 digest = jwt::sha256(text);
    return encode_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Fault incomplete(std::string message) {
    return {Errc::signature_incomplete, std::move(message)};
}

/// Elements of a signature by their names in the Authorization field.
using Elements = std::map<std::string, std::string, std::less<>>;

constexpr std::string_view kDate = "X-Amz-Date";

// The sentences that the service puts together for what is not there, with the hash that stands
// for the value.
std::string name_missing(const Elements& elements, std::string_view authorization) {
    std::string text;
    for (const char* name : {"Credential", "Signature", "SignedHeaders"}) {
        if (!elements.contains(name))
            text += "Authorization header requires '" + std::string(name) + "' parameter. ";
    }
    if (!elements.contains(kDate)) {
        text +=
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
    }
    if (text.empty()) return text;
    return text +
           "(Hashed with SHA-256 and encoded with Base64) Authorization=" + hash_of(authorization);
}

// The only field of that name, or nothing; `several` when there are more.
std::optional<std::string_view> only_field(const http::RequestHead& head,
                                           std::string_view name,
                                           bool& several) {
    std::optional<std::string_view> found;
    for (const http::Field& field : head.fields) {
        if (!equals_ignoring_case(field.name, name)) continue;
        if (found) several = true;
        found = field.value;
    }
    return found;
}

// "Credential=…, SignedHeaders=…, Signature=…" in any order, each once.
Fault read_elements(std::string_view list, std::string_view authorization, Elements& into) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const std::string_view part = trim(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
        const std::size_t equal = part.find('=');
        if (equal == std::string_view::npos || equal == 0) {
            return incomplete(
                "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with "
                "SHA-256 and encoded with Base64): '" +
                hash_of(authorization) + "'.");
        }
        const bool fresh =
            into.emplace(part.substr(0, equal), std::string(part.substr(equal + 1))).second;
        if (!fresh) return incomplete("Authorization header has a parameter twice.");
    }
    return {};
}

Fault read_field(const http::RequestHead& head, std::string_view authorization, Elements& into) {
    const std::size_t space = authorization.find(' ');
    const bool ours = authorization.substr(0, space) == kAlgorithm;
    // A bearer token and the like: what the service says of them is not about this algorithm's
    // elements, see authz/gateway_error.
    if (!ours || space == std::string_view::npos) return {Errc::signature_incomplete, {}};
    if (Fault fault = read_elements(authorization.substr(space + 1), authorization, into))
        return fault;
    bool several = false;
    auto date = only_field(head, kDate, several);
    if (!date) date = only_field(head, "Date", several);
    if (several) return incomplete("The request has its date twice.");
    if (date) into.emplace(kDate, *date);
    const auto token = only_field(head, "X-Amz-Security-Token", several);
    if (token) into.emplace("SecurityToken", "");
    std::string missing = name_missing(into, authorization);
    return missing.empty() ? Fault() : incomplete(std::move(missing));
}

Fault read_query(const std::vector<Parameter>& parameters, Elements& into) {
    constexpr std::pair<std::string_view, std::string_view> kNames[] = {
        {"X-Amz-Algorithm", "Algorithm"},
        {"X-Amz-Credential", "Credential"},
        {"X-Amz-SignedHeaders", "SignedHeaders"},
        {"X-Amz-Signature", "Signature"},
        {"X-Amz-Date", kDate},
        {"X-Amz-Expires", "Expires"},
        {"X-Amz-Security-Token", "SecurityToken"}};
    for (const Parameter& parameter : parameters) {
        for (const auto& [name, element] : kNames) {
            if (parameter.name != name) continue;
            if (!into.emplace(element, parameter.value).second)
                return incomplete("AWS query-string parameters must be there once: '" +
                                  std::string(name) + "'.");
        }
    }
    std::string missing;
    for (const auto& [name, element] : kNames) {
        if (element == "SecurityToken" || into.contains(element)) continue;
        missing += (missing.empty() ? "" : " ") + std::string("AWS query-string parameters must ") +
                   "include '" + std::string(name) + "'.";
    }
    if (!missing.empty()) return incomplete(std::move(missing));
    if (into["Algorithm"] != kAlgorithm)
        return incomplete("Unsupported AWS 'algorithm': '" + printable(into["Algorithm"], 64) +
                          "'.");
    return {};
}

bool is_header_list(const std::vector<std::string>& names) noexcept {
    // Strictly rising: sorted, and nothing twice.
    for (std::size_t i = 1; i < names.size(); ++i) {
        if (names[i - 1] >= names[i]) return false;
    }
    return !names.empty() && std::ranges::all_of(names, [](const std::string& name) {
        return is_token(name) &&
               std::ranges::none_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
    });
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t at = text.find(separator);
        parts.emplace_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

Fault take_elements(const Elements& elements, Authorization& into) {
    const std::string& credential = elements.at("Credential");
    std::vector<std::string> parts = split(credential, '/');
    const bool filled =
        std::ranges::none_of(parts, [](const std::string& part) { return part.empty(); });
    if (parts.size() != 5 || !filled) {
        return incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, got '" +
            printable(credential, 200) + "'");
    }
    into.access_key = std::move(parts[0]);
    into.date = std::move(parts[1]);
    into.region = std::move(parts[2]);
    into.service = std::move(parts[3]);
    into.terminator = std::move(parts[4]);
    into.signed_headers = split(elements.at("SignedHeaders"), ';');
    if (!is_header_list(into.signed_headers))
        return incomplete("SignedHeaders must be lower-case header names in order, each once.");
    into.signature = elements.at("Signature");
    into.timestamp = elements.at(std::string(kDate));
    if (!parse_timestamp(into.timestamp, into.time)) {
        return incomplete("Date must be in ISO-8601 'basic format'. Got '" +
                          printable(into.timestamp, 64) +
                          "'. See http://en.wikipedia.org/wiki/ISO_8601");
    }
    into.has_session_token = elements.contains("SecurityToken");
    return {};
}

Fault take_expires(const std::string& text, Authorization& into) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool number = error == std::errc() && end == text.data() + text.size() && !text.empty() &&
                        all_digits(text);
    if (!number || seconds < 1 || seconds > limits::kSignedUrlMost.count()) {
        return incomplete("X-Amz-Expires must be a number of seconds from 1 to " +
                          std::to_string(limits::kSignedUrlMost.count()) + ".");
    }
    into.expires = std::chrono::seconds(seconds);
    return {};
}

bool is_signed(const Authorization& authorization, std::string_view name) noexcept {
    return std::ranges::any_of(authorization.signed_headers, [&](const std::string& each) {
        return equals_ignoring_case(each, name);
    });
}

// Whatever is not signed, somebody on the way may have added: of what AWS itself gives a meaning
// nothing may be (IAM User Guide: "host … and any x-amz-* headers"). `_` is `-` to many readers.
Fault check_signed_headers(const Authorization& authorization, const http::RequestHead& head) {
    const auto must = [](std::string_view name) {
        return Fault{
            Errc::signature_mismatch,
            "'" + std::string(name) + "' must be a 'SignedHeader' in the AWS Authorization."};
    };
    if (!is_signed(authorization, "host")) return must("Host");
    constexpr std::string_view kPrefix = "x-amz-";
    for (const http::Field& field : head.fields) {
        const bool aws = field.name.size() > kPrefix.size() &&
                         equals_folded(field.name.substr(0, kPrefix.size()), kPrefix);
        if (aws && !is_signed(authorization, field.name)) return must(printable(field.name, 64));
    }
    // The Date that stood in for X-Amz-Date.
    const bool has_amz_date = std::ranges::any_of(head.fields, [](const http::Field& field) {
        return equals_ignoring_case(field.name, kDate);
    });
    if (!authorization.in_query && !has_amz_date && !is_signed(authorization, "date"))
        return must("Date");
    for (const std::string& name : authorization.signed_headers) {
        const bool there = std::ranges::any_of(head.fields, [&](const http::Field& field) {
            return equals_ignoring_case(field.name, name);
        });
        if (!there)
            return {Errc::signature_mismatch,
                    "'" + printable(name, 64) + "' is a 'SignedHeader', and the request has none."};
    }
    return {};
}

Fault check_scope(const Authorization& authorization, const Scope& wanted) {
    const auto refuse = [](std::string message) {
        return Fault{Errc::signature_scope_refused, std::move(message)};
    };
    if (authorization.terminator != "aws4_request") {
        return refuse("Credential should be scoped with a valid terminator: 'aws4_request', not '" +
                      printable(authorization.terminator, 64) + "'.");
    }
    if (authorization.region != wanted.region) {
        return refuse("Credential should be scoped to a valid region, not '" +
                      printable(authorization.region, 64) + "'. ");
    }
    if (authorization.service != wanted.service) {
        return refuse("Credential should be scoped to correct service: '" +
                      std::string(wanted.service) + "'. ");
    }
    const std::string day = authorization.timestamp.substr(0, 8);
    if (authorization.date != day) {
        return refuse(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            "HTTP: '" +
            printable(authorization.date, 64) + "' != '" + day + "', from '" +
            authorization.timestamp + "'.");
    }
    return {};
}

Fault check_time(const Authorization& authorization, WallTime now) {
    const auto window = limits::kSignatureWindow;
    const std::string minutes = std::to_string(window.count() / 60) + " min.)";
    const std::string text = make_timestamp(now);
    if (authorization.time > now + window) {
        return {Errc::signature_not_yet_valid,
                "Signature not yet current: " + authorization.timestamp + " is still later than " +
                    make_timestamp(now + window) + " (" + text + " + " + minutes};
    }
    const auto life = authorization.in_query ? authorization.expires : window;
    if (authorization.time + life < now) {
        const std::string span =
            authorization.in_query ? std::to_string(life.count()) + " sec.)" : minutes;
        return {Errc::signature_expired,
                "Signature expired: " + authorization.timestamp + " is now earlier than " +
                    make_timestamp(now - life) + " (" + text + " - " + span};
    }
    return {};
}

}  // namespace

Fault read_authorization(const http::RequestHead& head, Authorization& into) {
    bool several = false;
    const auto authorization = only_field(head, "Authorization", several);
    if (several) return incomplete("The request has several Authorization headers.");
    const std::vector<Parameter> parameters = read_parameters(query_of(head.target));
    const bool in_query = std::ranges::any_of(parameters, [](const Parameter& parameter) {
        return parameter.name == "X-Amz-Signature" || parameter.name == "X-Amz-Credential" ||
               parameter.name == "X-Amz-Algorithm";
    });
    if (!authorization && !in_query) return {Errc::signature_missing, {}};
    if (authorization && in_query)
        return incomplete("The request is signed both in its headers and in its query.");
    // Others split a query there too, so that one value could be signed and two be read.
    if (query_of(head.target).find(';') != std::string_view::npos)
        return incomplete("A ';' in a signed query must be percent-encoded.");
    Elements elements;
    into.in_query = in_query;
    if (Fault fault = in_query ? read_query(parameters, elements)
                               : read_field(head, *authorization, elements))
        return fault;
    if (Fault fault = take_elements(elements, into)) return fault;
    return in_query ? take_expires(elements.at("Expires"), into) : Fault();
}

Fault check_authorization(const Authorization& authorization,
                          const http::RequestHead& head,
                          const Scope& wanted,
                          WallTime now) {
    if (Fault fault = check_signed_headers(authorization, head)) return fault;
    if (Fault fault = check_scope(authorization, wanted)) return fault;
    return check_time(authorization, now);
}

bool parse_timestamp(std::string_view text, WallTime& into) noexcept {
    if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return false;
    if (!all_digits(text.substr(0, 8)) || !all_digits(text.substr(9, 6))) return false;
    const auto number = [&](std::size_t at, std::size_t digits) {
        int value = 0;
        for (const char c : text.substr(at, digits))
            value = value * 10 + (c - '0');
        return value;
    };
    using namespace std::chrono;
    const year_month_day date(year(number(0, 4)),
                              month(static_cast<unsigned>(number(4, 2))),
                              day(static_cast<unsigned>(number(6, 2))));
    const int hour = number(9, 2);
    const int minute = number(11, 2);
    const int second = number(13, 2);
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return false;
    into = sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
    return true;
}

std::string make_timestamp(WallTime time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss<seconds> clock(floor<seconds>(time - day));
    std::array<char, 48> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%04d%02u%02uT%02d%02d%02dZ",
                  static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

}  // namespace gatehouse::sigv4
