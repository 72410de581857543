#pragma once

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/policy/arn.hpp"
#include "gatehouse/policy/conditions.hpp"
#include "gatehouse/policy/evaluate.hpp"

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The rules of policy evaluation, said a second time for clarity and not for speed: straight from
// the JSON, with nothing compiled and no code of src/policy. Tests and the fuzz target hold
// evaluate() against it. It may be given only documents that parse_document() accepts.
namespace gatehouse::naive {

/// The UTF-8 characters of a text; a byte that belongs to none is a character by itself.
inline std::vector<std::string> characters(std::string_view text) {
    std::vector<std::string> found;
    while (!text.empty()) {
        std::size_t bytes = 1;
        while (bytes <= 4 && bytes <= text.size() && !is_utf8(text.substr(0, bytes)))
            ++bytes;
        if (bytes > 4 || bytes > text.size()) bytes = 1;
        found.emplace_back(text.substr(0, bytes));
        text.remove_prefix(bytes);
    }
    return found;
}

struct Element {
    enum Kind { literal, one, run } kind;

    std::string character;
};

inline std::vector<Element> elements(std::string_view pattern) {
    std::vector<Element> found;
    for (std::string_view rest = pattern; !rest.empty();) {
        if (rest.starts_with("${*}") || rest.starts_with("${?}") || rest.starts_with("${$}")) {
            found.push_back({Element::literal, std::string(1, rest[2])});
            rest.remove_prefix(4);
            continue;
        }
        const std::string character = characters(rest.substr(0, 4)).front();
        const auto kind = character == "*"   ? Element::run
                          : character == "?" ? Element::one
                                             : Element::literal;
        found.push_back({kind, character});
        rest.remove_prefix(character.size());
    }
    return found;
}

/// reach[j]: the pattern's elements so far can have matched the first j characters.
inline bool glob(std::string_view pattern, std::string_view text) {
    const std::vector<std::string> all = characters(text);
    std::vector<bool> reach(all.size() + 1, false);
    reach[0] = true;
    for (const Element& element : elements(pattern)) {
        std::vector<bool> next(all.size() + 1, false);
        for (std::size_t j = 0; j <= all.size(); ++j) {
            const bool fits =
                element.kind == Element::one ||
                (element.kind == Element::literal && j > 0 && all[j - 1] == element.character);
            if (element.kind == Element::run) {
                next[j] = reach[j] || (j > 0 && next[j - 1]);
            } else {
                next[j] = j > 0 && fits && reach[j - 1];
            }
        }
        reach = next;
    }
    return reach.back();
}

inline std::string without_specials(std::string_view text) {
    std::string plain;
    for (const Element& element : elements(text))
        plain += element.character;
    return plain;
}

inline std::vector<Json> as_list(const Json& value) {
    return value.is_array() ? value.get<std::vector<Json>>() : std::vector<Json>{value};
}

inline std::vector<std::string> split_arn(std::string_view arn) {
    std::vector<std::string> parts;
    for (std::size_t colon = 0; parts.size() < 5; arn.remove_prefix(colon + 1)) {
        colon = arn.find(':');
        if (colon == std::string_view::npos) return {};
        parts.emplace_back(arn.substr(0, colon));
    }
    parts.emplace_back(arn);
    return parts;
}

inline bool arn_like(std::string_view pattern, std::string_view arn) {
    const auto wanted = split_arn(pattern);
    const auto found = split_arn(arn);
    if (wanted.empty() || found.empty()) return false;
    for (std::size_t i = 0; i < 6; ++i) {
        if (!glob(wanted[i], found[i])) return false;
    }
    return true;
}

/// "4" or "6", then one character per bit; nothing for a text that is no address.
inline std::string address_bits(const std::string& text) {
    unsigned char bytes[16] = {};
    if (text.find('\0') != std::string::npos) return {};  // inet_pton would stop there
    const bool v6 = text.find(':') != std::string::npos;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), bytes) != 1) return {};
    std::string bits;
    for (int i = 0; i < (v6 ? 128 : 32); ++i)
        bits += (bytes[i / 8] >> (7 - i % 8)) & 1 ? '1' : '0';
    const std::string mapped = std::string(80, '0') + std::string(16, '1');
    if (v6 && bits.starts_with(mapped)) return "4" + bits.substr(mapped.size());
    return (v6 ? "6" : "4") + bits;
}

inline bool in_range(const std::string& range, const std::string& address) {
    const std::size_t slash = range.find('/');
    const std::string network = address_bits(range.substr(0, slash));
    const std::string found = address_bits(address.substr(0, address.find('%')));
    std::size_t bits = network.size() - 1;
    if (slash != std::string::npos) {
        bits = std::strtoul(range.c_str() + slash + 1, nullptr, 10);
        const bool mapped = network[0] == '4' && range.find(':') != std::string::npos;
        if (mapped) bits -= 96;
    }
    return !found.empty() && found.substr(0, bits + 1) == network.substr(0, bits + 1);
}

/// Milliseconds since 1970 of a date that is known to be well formed.
inline long long date_millis(const std::string& text) {
    if (text.find('-') == std::string::npos) return std::strtoll(text.c_str(), nullptr, 10) * 1000;
    std::tm tm{};
    std::sscanf(text.c_str(), "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    long long millis = timegm(&tm) * 1000LL;
    if (text.size() == 10) return millis;
    int hour = 0;
    int minute = 0;
    double second = 0;
    const std::string time = text.substr(11);
    std::sscanf(time.c_str(), "%2d:%2d", &hour, &minute);
    if (time.size() > 5 && time[5] == ':') {
        const std::string digits = time.substr(6, time.find_first_of("Z+-") - 6);
        second =
            std::strtod((digits + "000").substr(0, digits.size() > 2 ? 6 : 2).c_str(), nullptr);
    }
    millis += (hour * 60LL + minute) * 60'000LL + static_cast<long long>(second * 1000 + 0.5);
    const std::size_t zone = time.find_first_of("+-");
    if (zone == std::string::npos) return millis;
    std::sscanf(time.c_str() + zone + 1, "%2d:%2d", &hour, &minute);
    const long long offset = (hour * 60LL + minute) * 60'000LL;
    return time[zone] == '+' ? millis - offset : millis + offset;
}

inline long long floor_seconds(const policy::ConditionContext& context) {
    const long long millis = context.now.time_since_epoch().count();
    return millis >= 0 ? millis / 1000 : -((-millis + 999) / 1000);
}

/// The key's value as text, nothing when the request does not have it.
inline std::optional<std::string> key_text(std::string_view name,
                                           const policy::ConditionContext& context) {
    const std::string key = to_lower(name);
    std::string_view text;
    if (key == "aws:securetransport") return context.secure_transport ? "true" : "false";
    if (key == "aws:epochtime") return std::to_string(floor_seconds(context));
    if (key == "aws:currenttime") {
        const std::time_t now = floor_seconds(context);
        std::tm tm{};
        gmtime_r(&now, &tm);
        char iso[64];
        std::snprintf(iso,
                      sizeof iso,
                      "%04d-%02d-%02dT%02d:%02d:%02dZ",
                      tm.tm_year + 1900,
                      tm.tm_mon + 1,
                      tm.tm_mday,
                      tm.tm_hour,
                      tm.tm_min,
                      tm.tm_sec);
        return iso;
    }
    if (key == "aws:sourceip") text = context.source_ip;
    if (key == "aws:sourcearn") text = context.source_arn;
    if (key == "aws:referer") text = context.referer;
    if (key == "aws:useragent") text = context.user_agent;
    if (key == "gatehouse:clientcertsubjectdn") text = context.client_cert_subject;
    if (key == "gatehouse:clientcertissuerdn") text = context.client_cert_issuer;
    if (key == "gatehouse:clientcertserialnumber") text = context.client_cert_serial;
    if (text.empty()) return std::nullopt;
    return std::string(text);
}

template <class T>
bool related(std::string_view relation, T found, T wanted) {
    if (relation == "LessThan") return found < wanted;
    if (relation == "LessThanEquals") return found <= wanted;
    if (relation == "GreaterThan") return found > wanted;
    if (relation == "GreaterThanEquals") return found >= wanted;
    return found == wanted;
}

/// One positive operator ("StringNotLike" comes here as "StringLike") and one value.
inline bool value_matches(const std::string& op,
                          const std::string& key,
                          const std::string& found,
                          const std::string& value,
                          const policy::ConditionContext& context) {
    if (op == "StringEquals") return found == without_specials(value);
    if (op == "StringEqualsIgnoreCase") return to_lower(found) == to_lower(without_specials(value));
    if (op == "StringLike") return glob(value, found);
    if (op.starts_with("Arn")) return arn_like(value, found);
    if (op == "Bool") return found == to_lower(value);
    if (op == "IpAddress") return in_range(value, found);
    if (op.starts_with("Numeric"))
        return related(
            op.substr(7), std::strtod(found.c_str(), nullptr), std::strtod(value.c_str(), nullptr));
    const bool seconds = to_lower(key) == "aws:epochtime";
    const long long now =
        seconds ? floor_seconds(context) * 1000 : context.now.time_since_epoch().count();
    return related(op.substr(4), now, date_millis(value));
}

inline bool condition_holds(std::string op,
                            const std::string& key,
                            const Json& values,
                            const policy::ConditionContext& context) {
    const auto found = key_text(key, context);
    const bool for_any = op.starts_with("ForAnyValue:");
    const bool for_all = op.starts_with("ForAllValues:");
    if (for_any || for_all) op.erase(0, op.find(':') + 1);
    const bool if_exists = op.ends_with("IfExists");
    if (if_exists) op.resize(op.size() - 8);
    const std::size_t negation = op.find("Not");
    const bool negated = negation != std::string::npos;
    if (negated) op.erase(negation, 3);
    bool any = false;
    for (const Json& json : as_list(values)) {
        const std::string value = json.is_string() ? json.get<std::string>() : json.dump();
        if (op == "Null") {
            any = any || (to_lower(value) == "true") == !found.has_value();
        } else if (found) {
            any = any || value_matches(op, key, *found, value, context);
        }
    }
    if (op == "Null") return any;
    if (!found && if_exists) return true;
    if (!found && (for_any || for_all)) return for_all;
    return any != negated;
}

inline bool conditions_hold(const Json& block, const policy::ConditionContext& context) {
    for (const auto& [op, keys] : block.items()) {
        for (const auto& [key, values] : keys.items()) {
            if (!condition_holds(op, key, values, context)) return false;
        }
    }
    return true;
}

inline bool any_matches(const Json& patterns, std::string_view text, bool ignore_case) {
    for (const Json& pattern : as_list(patterns)) {
        const std::string written = pattern.get<std::string>();
        if (glob(ignore_case ? to_lower(written) : written, text)) return true;
    }
    return false;
}

inline bool applies(const Json& statement,
                    std::string_view arn,
                    const policy::ConditionContext& context) {
    const bool action = statement.contains("Action")
                            ? any_matches(statement["Action"], "execute-api:invoke", true)
                            : !any_matches(statement["NotAction"], "execute-api:invoke", true);
    const bool resource = statement.contains("Resource")
                              ? any_matches(statement["Resource"], arn, false)
                              : !any_matches(statement["NotResource"], arn, false);
    return action && resource &&
           (!statement.contains("Condition") || conditions_hold(statement["Condition"], context));
}

/// A Deny of the path's other form: see the reasoning at match_alternate in policy/evaluate.cpp.
inline bool applies_to_other_form(const Json& statement,
                                  const policy::MethodArn& arn,
                                  policy::ConditionContext context) {
    if (arn.alternate.empty()) return false;
    const bool request_has_slash = arn.text.size() > arn.alternate.size();
    if (!request_has_slash && statement.contains("NotResource")) return false;
    if (request_has_slash && context.source_arn == arn.text) context.source_arn = arn.alternate;
    return applies(statement, arn.alternate, context);
}

inline policy::Outcome evaluate(const Json& document,
                                const policy::MethodArn& arn,
                                const policy::ConditionContext& context) {
    bool allowed = false;
    for (const Json& statement : as_list(document["Statement"])) {
        const bool applied = applies(statement, arn.text, context);
        if (statement["Effect"] == "Allow") {
            allowed = allowed || applied;
        } else if (applied || applies_to_other_form(statement, arn, context)) {
            return policy::Outcome::explicit_deny;
        }
    }
    return allowed ? policy::Outcome::allow : policy::Outcome::implicit_deny;
}

}  // namespace gatehouse::naive
