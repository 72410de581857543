#include "gatehouse/cli/trace_text.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>
#include <string_view>

namespace gatehouse::cli {
namespace {

using Names = std::initializer_list<std::string_view>;

constexpr std::string_view kIndent = "                        ";

// Controls as \xNN: a trace may hold what a client sent, and a terminal obeys what it is sent.
std::string clean(std::string_view text) {
    constexpr char kHex[] = "0123456789abcdef";
    std::string safe;
    for (const char c : text) {
        if (is_control(c)) {
            safe.append("\\x").append({kHex[static_cast<unsigned char>(c) >> 4],
                                       kHex[static_cast<unsigned char>(c) & 15]});
        } else {
            safe += c;
        }
    }
    return safe;
}

std::string value_text(const Json& value) {
    if (value.is_string()) return clean(value.get_ref<const std::string&>());
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    const bool names =
        value.is_array() && !value.empty() &&
        std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); });
    if (names) {
        std::string text;
        for (const Json& item : value)
            text += (text.empty() ? "" : ", ") + clean(item.get_ref<const std::string&>());
        return text;
    }
    return clean(dump_json(value));
}

std::string member(const Json& object, std::string_view name) {
    const Json* value = find_member(object, name);
    return value == nullptr ? std::string() : value_text(*value);
}

bool member_is(const Json& object, std::string_view name, std::string_view wanted) {
    return member(object, name) == wanted;
}

std::string millis(std::uint64_t number, std::uint64_t per_milli) {
    std::array<char, 32> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%.2f ms",
                  static_cast<double>(number) / static_cast<double>(per_milli));
    return text.data();
}

std::string duration(const Json& object, std::string_view name, std::uint64_t per_milli) {
    const Json* value = find_member(object, name);
    return value != nullptr && value->is_number_unsigned()
               ? millis(value->get<std::uint64_t>(), per_milli)
               : std::string("?");
}

std::string seconds(const Json& object, std::string_view name) {
    const Json* value = find_member(object, name);
    if (value == nullptr || !value->is_number_integer()) return "?";
    std::array<char, 32> text{};
    std::snprintf(
        text.data(), text.size(), "%.1f s", static_cast<double>(value->get<std::int64_t>()) / 1000);
    return text.data();
}

// Appends " name value" for each member that is there.
void append_members(std::string& line, const Json& object, Names names) {
    for (const std::string_view name : names) {
        const std::string text = member(object, name);
        if (!text.empty())
            line.append(line.empty() ? "" : ", ").append(name).append(" ").append(text);
    }
}

// What a step has besides what was printed.
void append_rest(std::string& out, const Json& object, Names printed) {
    for (const auto& [name, value] : object.items()) {
        if (name == "step" || std::find(printed.begin(), printed.end(), name) != printed.end())
            continue;
        out.append(kIndent).append(clean(name)).append(": ").append(value_text(value)).append("\n");
    }
}

// Pretty JSON, indented to the column of the steps' text.
void append_json(std::string& out, const Json& value) {
    const std::string text = dump_json(value, 2) + "\n";
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        out.append(kIndent)
            .append(clean(std::string_view(text).substr(begin, end - begin)))
            .append("\n");
        begin = end + 1;
    }
}

struct Step {
    std::string_view mark = "--";
    std::string line;  ///< beside the step's name
    std::string more;  ///< whole lines below
};

Step route_step(const Json& step) {
    Step text;
    const bool matched = member_is(step, "result", "matched");
    const bool preflight = member_is(step, "result", "none: a preflight");
    text.mark = matched ? "ok" : preflight ? "--" : "NO";
    text.line = matched ? member(step, "route") : member(step, "result");
    append_members(text.line, step, {"api", "stage", "authorizer"});
    append_rest(text.more, step, {"result", "route", "api", "stage", "authorizer"});
    return text;
}

Step identity_step(const Json& step) {
    Step text;
    text.mark = member_is(step, "result", "found")            ? "ok"
                : member_is(step, "result", "not looked for") ? "--"
                                                              : "NO";
    text.line = member(step, "source") + ": " + member(step, "result");
    const std::string digest = member(step, "identity");
    if (!digest.empty()) text.line += ", SHA-256 begins with " + digest;
    append_rest(text.more, step, {"result", "source", "identity"});
    return text;
}

Step cache_step(const Json& step) {
    Step text;
    text.line = member(step, "result");
    if (step.contains("ageMillis")) {
        text.line += ", " + seconds(step, "ageMillis") + " old, " +
                     seconds(step, "remainingMillis") + " left";
    }
    const std::string shared = member(step, "sharedCache");
    if (!shared.empty()) text.line += ", shared cache: " + shared;
    const std::string issued_for = member(step, "issuedFor");
    if (!issued_for.empty())
        text.more.append(kIndent).append("issued for ").append(issued_for).append("\n");
    append_rest(
        text.more, step, {"result", "ageMillis", "remainingMillis", "issuedFor", "sharedCache"});
    return text;
}

void append_check(std::string& out, const Json& check) {
    std::string name = member(check, "name");
    std::string values;
    append_members(values, check, {"expected", "found"});
    if (!values.empty()) name.resize(std::max<std::size_t>(name.size(), 10) + 1, ' ');
    out.append(kIndent)
        .append(member_is(check, "passed", "yes") ? "ok " : "NO ")
        .append(name)
        .append(values)
        .append("\n");
    append_rest(out, check, {"name", "passed", "expected", "found"});
}

Step token_step(const Json& step) {
    Step text;
    text.mark = "ok";
    if (const Json* checks = find_member(step, "checks"); checks != nullptr && checks->is_array()) {
        for (const Json& check : *checks) {
            if (!member_is(check, "passed", "yes")) text.mark = "NO";
            append_check(text.more, check);
        }
    }
    if (const Json* key = find_member(step, "key"); key != nullptr) {
        text.line = "key " + member(*key, "kid");
        if (key->contains("ageSeconds"))
            text.line += ", key set fetched " + member(*key, "ageSeconds") + " s ago";
    }
    // The error repeats the check that failed, and heads the trace as its detail.
    if (const std::string error = member(step, "error"); !error.empty()) {
        if (text.mark != "NO") text.more.append(kIndent).append(error).append("\n");
        text.mark = "NO";
    }
    append_rest(text.more, step, {"checks", "key", "error"});
    return text;
}

void append_statement(std::string& out, const Json& statement) {
    out.append(kIndent).append(member_is(statement, "matched", "yes") ? "matched      "
                                                                      : "no match     ");
    out.append(member(statement, "effect"))
        .append(" [")
        .append(member(statement, "index"))
        .append("]");
    const std::string sid = member(statement, "sid");
    if (!sid.empty()) out.append(" ").append(sid);
    const std::string why = member(statement, "why");
    if (!why.empty()) out.append(": ").append(why);
    out += '\n';
}

Step policy_step(const Json& step) {
    Step text;
    text.mark = member_is(step, "result", "allow") ? "ok" : "NO";
    text.line = member(step, "result");
    if (step.contains("statement")) text.line += " by statement " + member(step, "statement");
    append_members(text.line, step, {"principalId"});
    if (step.contains("methodArn"))
        text.more.append(kIndent)
            .append("method ARN   ")
            .append(member(step, "methodArn"))
            .append("\n");
    if (const Json* statements = find_member(step, "statements");
        statements != nullptr && statements->is_array()) {
        for (const Json& statement : *statements)
            append_statement(text.more, statement);
    }
    if (const Json* left_out = find_member(step, "leftOut");
        left_out != nullptr && left_out->is_array()) {
        for (const Json& statement : *left_out) {
            if (const auto* line = statement.get_ptr<const std::string*>())
                text.more.append(kIndent)
                    .append("left out     ")
                    .append(printable(*line, 400))
                    .append("\n");
        }
    }
    if (const Json* policy = find_member(step, "policy"); policy != nullptr) {
        text.more.append(kIndent).append("policy:\n");
        append_json(text.more, *policy);
    }
    append_rest(text.more,
                step,
                {"result",
                 "statement",
                 "resource",
                 "principalId",
                 "methodArn",
                 "statements",
                 "leftOut",
                 "policy"});
    return text;
}

Step scopes_step(const Json& step) {
    Step text;
    text.mark = member_is(step, "result", "held") ? "ok" : "NO";
    text.line = member(step, "result") + ", wanted one of " + member(step, "wanted");
    append_rest(text.more, step, {"result", "wanted"});
    return text;
}

Step verdict_step(const Json& step) {
    Step text;
    text.mark = member_is(step, "result", "allow") ? "ok" : "NO";
    text.line = member(step, "result") + ": " + member(step, "reason");
    append_rest(text.more, step, {"result", "reason"});
    return text;
}

Step upstream_step(const Json& step) {
    Step text;
    text.line = member(step, "host");
    if (step.contains("upstream")) text.line += " of upstream " + member(step, "upstream");
    if (step.contains("result")) {
        text.mark = "NO";
        text.line += ": " + member(step, "result");
        return text;
    }
    text.line +=
        " answered " + member(step, "status") + " after " + duration(step, "firstByteMicros", 1000);
    text.line += member_is(step, "reusedConnection", "yes")
                     ? ", on a reused connection"
                     : ", connected in " + duration(step, "connectMicros", 1000);
    if (member_is(step, "retried", "yes")) text.line += ", retried";
    if (step.contains("attempts") && member(step, "attempts") != "1")
        text.line += " (attempt " + member(step, "attempts") + ")";
    append_rest(text.more,
                step,
                {"host",
                 "upstream",
                 "attempts",
                 "status",
                 "firstByteMicros",
                 "connectMicros",
                 "reusedConnection",
                 "retried"});
    return text;
}

// Steps whose result is a word for what went well, or the reason of the refusal.
std::string_view mark_of(const Json& step) {
    constexpr std::string_view kGood[] = {
        "valid", "passed", "within", "a policy", "in place of the authorizer"};
    const std::string result = member(step, "result");
    if (result.empty() || result == "not used") return "--";
    return std::ranges::find(kGood, result) != std::end(kGood) ? "ok" : "NO";
}

Step other_step(const Json& step) {
    Step text;
    text.mark = mark_of(step);
    for (const auto& [name, value] : step.items()) {
        if (name != "step")
            text.line.append(text.line.empty() ? "" : ", ")
                .append(clean(name))
                .append(" ")
                .append(value_text(value));
    }
    return text;
}

Step make_step(const Json& step) {
    const std::string name = member(step, "step");
    if (name == "route") return route_step(step);
    if (name == "identitySource") return identity_step(step);
    if (name == "cache") return cache_step(step);
    if (name == "token") return token_step(step);
    if (name == "policy") return policy_step(step);
    if (name == "scopes") return scopes_step(step);
    if (name == "verdict") return verdict_step(step);
    if (name == "upstream") return upstream_step(step);
    return other_step(step);
}

std::string header_text(const Json& trace) {
    std::string text = member(trace, "method") + " " + member(trace, "path");
    if (trace.contains("status") && !member_is(trace, "status", "0"))
        text += " -> " + member(trace, "status");
    const std::string verdict = member_is(trace, "verdict", "allow") ? "allowed" : "refused";
    text += "\n" + verdict;
    const std::string reason = member(trace, "reason");
    if (reason != verdict) text += ": " + reason;
    const std::string words = member(trace, "reasonText");
    if (!words.empty() && words != reason) text += " (" + words + ")";
    text += "\n";
    if (trace.contains("decision")) text += "decided for another proxy\n";
    for (const std::string_view name : {"detail", "hint"}) {
        const std::string line = member(trace, name);
        if (!line.empty()) text.append(name).append(": ").append(line).append("\n");
    }
    return text;
}

}  // namespace

std::string trace_to_text(const Json& trace) {
    if (!trace.is_object()) return clean(dump_json(trace)) + "\n";
    std::string text = header_text(trace) + "\n";
    int number = 0;
    if (const Json* steps = find_member(trace, "steps"); steps != nullptr && steps->is_array()) {
        for (const Json& json : *steps) {
            const Step step = make_step(json);
            std::array<char, 64> head{};
            std::snprintf(head.data(),
                          head.size(),
                          "%3d %.2s %-15.40s  ",
                          ++number,
                          step.mark.data(),
                          member(json, "step").c_str());
            text.append(head.data()).append(step.line);
            text.erase(text.find_last_not_of(' ') + 1);
            text.append("\n").append(step.more);
        }
    }
    text += "\n";
    if (const Json* timings = find_member(trace, "timings");
        timings != nullptr && timings->is_object()) {
        text += "took " + duration(*timings, "totalMicros", 1000) + ", of which the authorizer " +
                duration(*timings, "authorizerMicros", 1000) + "\n";
    }
    std::string facts;
    append_members(facts, trace, {"requestId", "time", "host"});
    if (const Json* bytes = find_member(trace, "bytes"); bytes != nullptr && bytes->is_object())
        facts += ", content in " + member(*bytes, "request") + ", out " +
                 member(*bytes, "response") + " bytes";
    if (!facts.empty()) text += facts + "\n";
    for (const auto& [name, value] : trace.items()) {
        constexpr std::string_view kPrinted =
            " method path status verdict reason reasonText detail hint steps timings requestId "
            "time host bytes ";
        if (kPrinted.find(" " + name + " ") == std::string_view::npos)
            text += clean(name) + ": " + value_text(value) + "\n";
    }
    return text;
}

}  // namespace gatehouse::cli
