#include "gatehouse/core/ascii.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"
#include "uri.hpp"

#include <algorithm>
#include <utility>

namespace gatehouse::config {
namespace {

constexpr std::string_view kInvokePath = "/2015-03-31/functions/";
constexpr std::string_view kInvocations = "/invocations";

// Lambda developer guide, "Lambda quotas": a function's name has at most 64 characters.
std::string fault_in_function_name(std::string_view text) {
    const auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_'; };
    if (!text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits)) return {};
    return in_quotes(text) + " is no function name: 1 to 64 letters, digits, \"-\" and \"_\"";
}

// A base URL, or the whole one of a function, as the Runtime Interface Emulator needs it.
std::string fault_in_function_endpoint(std::string_view text) {
    std::string fault = fault_in_issuer_url(text);
    if (fault.empty() && text.find(kInvokePath) != std::string_view::npos &&
        !text.ends_with(kInvocations)) {
        fault = in_quotes(text) + " names a function and does not end in \"/invocations\"";
    }
    return fault;
}

void read_command(ObjectReader& reader, Function& function) {
    const Json* command = reader.find("command");
    reader.read_list("command", function.command, [](std::string_view text) {
        return text.find('\0') == std::string_view::npos ? "" : "has a NUL character";
    });
    if (command != nullptr && command->is_array() &&
        (command->empty() || (*command)[0] == Json(""))) {
        reader.problem("command", "names no program");
    }
    reader.read_checked("directory", function.directory, [](std::string_view text) {
        return text.empty() ? "is empty; allowed: a folder, beside this file or absolute" : "";
    });
    reader.each_member(
        "environment", [&](const std::string& name, const Json& value, const std::string& at) {
            const bool bad = name.empty() || name.find('=') != std::string::npos ||
                             name.find('\0') != std::string::npos;
            if (bad) reader.source().problem(at, in_quotes(name) + " is no name of a variable");
            const auto text = read_text(value, at, reader.source());
            if (text && !bad) function.environment.emplace_back(name, *text);
        });
    reader.read_number("concurrency", function.concurrency, 1, limits::kFunctionProcesses);
    reader.read_duration("timeoutInMillis",
                         function.timeout,
                         limits::kFunctionTimeLeast.count(),
                         limits::kFunctionTimeMost.count());
}

Function read_function(const std::string& name,
                       const Json& value,
                       const std::string& pointer,
                       Source& source) {
    ObjectReader reader(value, pointer, keys::kFunction, source);
    Function function;
    function.name = function.called = name;
    function.pointer = pointer;
    function.listed = true;
    if (!value.is_object()) return function;
    if (reader.has("endpoint")) {
        reader.read_checked("endpoint", function.endpoint, fault_in_function_endpoint);
        if (is_plain_remote(function.endpoint)) {
            reader.source().warning(reader.at("endpoint"),
                                    "the function is called over plain http on another machine: "
                                    "whoever sits between can answer for it");
        }
        for (const std::string_view key :
             {"command", "directory", "environment", "concurrency", "timeoutInMillis"}) {
            reader.refuse(key, "the function runs behind its \"endpoint\"; take one of the two");
        }
    } else if (reader.has("command")) {
        read_command(reader, function);
    } else {
        source.problem(pointer,
                       "says neither \"endpoint\", where the function can be called, nor "
                       "\"command\", what runs it");
    }
    return function;
}

/// What a text says of a function.
struct Named {
    std::string name;
    std::string called;    ///< name or ARN
    std::string endpoint;  ///< of a URL
    std::string fault;
};

// arn:{partition}:lambda:{region}:{account}:function:{name}[:{version or alias}]
Named parse_function_arn(std::string_view arn) {
    std::vector<std::string_view> parts;
    for (std::string_view rest = arn;;) {
        const std::size_t colon = rest.find(':');
        parts.push_back(rest.substr(0, colon));
        if (colon == std::string_view::npos) break;
        rest.remove_prefix(colon + 1);
    }
    Named named;
    const bool shaped = (parts.size() == 7 || parts.size() == 8) && parts[0] == "arn" &&
                        parts[2] == "lambda" && parts[5] == "function" &&
                        (parts.size() == 7 || !parts[7].empty());
    if (!shaped) {
        named.fault = in_quotes(arn) +
                      " is no ARN of a function: arn:aws:lambda:REGION:ACCOUNT:function:NAME";
        return named;
    }
    named.name = parts[6];
    named.called = arn;
    named.fault = fault_in_function_name(named.name);
    return named;
}

Named parse_named(std::string_view text) {
    if (text.starts_with("http://") || text.starts_with("https://")) {
        Named named;
        named.fault = fault_in_integration_uri(text);
        const std::size_t at = text.find(kInvokePath);
        const bool shaped = at != std::string_view::npos && text.ends_with(kInvocations) &&
                            at + kInvokePath.size() + kInvocations.size() < text.size();
        if (named.fault.empty() && !shaped) {
            named.fault = in_quotes(text) +
                          " calls no function: http://HOST/2015-03-31/functions/NAME/invocations";
        }
        if (!named.fault.empty()) return named;
        const std::size_t begin = at + kInvokePath.size();
        named.name = text.substr(begin, text.size() - kInvocations.size() - begin);
        // A name, or an ARN, its colons encoded or not.
        const auto fits = [](char c) {
            return is_alpha(c) || is_digit(c) ||
                   std::string_view("-_:%$.").find(c) != std::string_view::npos;
        };
        if (!std::ranges::all_of(named.name, fits)) {
            named.fault = in_quotes(named.name) + " is no function name";
            return named;
        }
        named.called = named.name;
        named.endpoint = text;
        return named;
    }
    // The service's own form has the function's ARN inside.
    const std::size_t path = text.find(":lambda:path/2015-03-31/functions/");
    if (path != std::string_view::npos && text.find(":apigateway:") < path) {
        const std::size_t begin = text.find(kInvokePath) + kInvokePath.size();
        if (!text.ends_with(kInvocations)) {
            Named named;
            named.fault = in_quotes(text) + " does not end in \"/invocations\"";
            return named;
        }
        text = text.substr(begin, text.size() - std::min(text.size(), begin + kInvocations.size()));
    }
    return parse_function_arn(text);
}

}  // namespace

bool names_function(std::string_view text) noexcept {
    return text.starts_with("arn:") ||
           ((text.starts_with("http://") || text.starts_with("https://")) &&
            text.find(kInvokePath) != std::string_view::npos);
}

void read_functions(ObjectReader& reader) {
    reader.each_member(
        "functions", [&](const std::string& name, const Json& value, const std::string& at) {
            std::string fault = fault_in_function_name(name);
            if (!fault.empty()) reader.source().problem(at, std::move(fault));
            reader.source().functions.push_back(read_function(name, value, at, reader.source()));
        });
}

std::optional<int> find_function(std::string_view text,
                                 ObjectReader& reader,
                                 std::string_view name) {
    std::vector<Function>& functions = reader.source().functions;
    Named named = parse_named(text);
    if (!named.fault.empty()) {
        reader.problem(name, std::move(named.fault));
        return std::nullopt;
    }
    std::vector<std::string_view> known;
    for (std::size_t i = 0; i < functions.size(); ++i) {
        const Function& function = functions[i];
        // A URL is a place of its own. An ARN means the listed function of its name, and where
        // there is none itself: another account's function of that name is another function.
        bool same = function.endpoint == named.endpoint && !function.listed;
        if (named.endpoint.empty())
            same = function.listed ? function.name == named.name : function.called == named.called;
        if (same) return static_cast<int>(i);
        if (function.listed) known.push_back(function.name);
    }
    const std::string& fallback = reader.source().lambda_endpoint;
    if (const std::string fault = fault_in_function_endpoint(fallback);
        named.endpoint.empty() && !fallback.empty() && !fault.empty()) {
        reader.problem(name, "is called at AWS_ENDPOINT_URL_LAMBDA, which " + fault);
        return std::nullopt;
    }
    if (named.endpoint.empty() && fallback.empty()) {
        reader.problem(name,
                       "nothing can call the function " + in_quotes(named.name) +
                           ": it is not in \"functions\", and AWS_ENDPOINT_URL_LAMBDA is not set" +
                           suggest(named.name, known));
        return std::nullopt;
    }
    Function function;
    function.name = std::move(named.name);
    function.called = std::move(named.called);
    function.pointer = reader.at(name);
    function.endpoint = named.endpoint.empty() ? fallback : named.endpoint;
    functions.push_back(std::move(function));
    return static_cast<int>(functions.size()) - 1;
}

}  // namespace gatehouse::config
