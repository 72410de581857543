#include "gatehouse/authz/http_mapping.hpp"

#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace gatehouse::authz {
namespace {

using Action = HttpDestination::Action;
using Place = HttpDestination::Place;

Error refuse(std::string detail) {
    return fail(Errc::config_invalid, std::move(detail));
}

bool take(std::string_view& text, std::string_view prefix) noexcept {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::optional<Action> take_action(std::string_view& text) noexcept {
    if (take(text, "append:")) return Action::append;
    if (take(text, "overwrite:")) return Action::overwrite;
    if (take(text, "remove:")) return Action::remove;
    return std::nullopt;
}

// The guide's list. The last ones are not on it: they frame the message, or are Gatehouse's word.
bool is_reserved(std::string_view name) noexcept {
    for (const std::string_view prefix : {"access-control-", "apigw-", "x-amz-", "x-amzn-"}) {
        if (equals_folded(name.substr(0, prefix.size()), prefix)) return true;
    }
    constexpr std::string_view kNames[] = {"authorization",
                                           "connection",
                                           "content-encoding",
                                           "content-length",
                                           "content-location",
                                           "forwarded",
                                           "keep-alive",
                                           "origin",
                                           "proxy-authenticate",
                                           "te",
                                           "proxy-authorization",
                                           "trailers",
                                           "transfer-encoding",
                                           "upgrade",
                                           "x-forwarded-for",
                                           "x-forwarded-host",
                                           "x-forwarded-proto",
                                           "via",
                                           "trailer",
                                           "expect",
                                           "proxy-connection",
                                           "http2-settings",
                                           "x-forwarded-port"};
    return std::ranges::any_of(kNames,
                               [&](std::string_view known) { return equals_folded(known, name); });
}

bool is_query_name(std::string_view name) noexcept {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return c > 0x20 && c < 0x7f && std::string_view("&=#%+;").find(c) == std::string_view::npos;
    });
}

}  // namespace

Result<HttpDestination> parse_http_destination(std::string_view text) {
    const std::string shown = "\"" + printable(text) + "\"";
    HttpDestination destination;
    std::string_view rest = text;
    const auto action = take_action(rest);
    if (action && *action == Action::overwrite && rest == "path") {
        destination.action = *action;
        destination.place = Place::path;
        return destination;
    }
    const bool header = action && take(rest, "header.");
    const bool query = action && !header && take(rest, "querystring.");
    if ((!header && !query) || rest.empty()) {
        return refuse(
            shown +
            " is no destination; allowed: append:, overwrite: or remove: with header.NAME "
            "or querystring.NAME, and overwrite:path");
    }
    if (header && !is_token(rest)) return refuse(shown + ": that is no header name");
    if (header && is_reserved(rest)) {
        return refuse("operations on header " + printable(rest) +
                      " are restricted: the service does not let it be mapped");
    }
    if (query && !is_query_name(rest)) return refuse(shown + ": that is no name of a parameter");
    destination.action = *action;
    destination.place = header ? Place::header : Place::query;
    destination.name = rest;
    return destination;
}

int parse_answer_status(std::string_view text) noexcept {
    if (text.size() != 3 || !std::ranges::all_of(text, is_digit)) return 0;
    const int status = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    return status >= 200 && status <= 599 ? status : 0;
}

Result<int> parse_new_status(std::string_view text) {
    const int status = parse_answer_status(text);
    if (status == 0) return refuse("\"" + printable(text) + "\" is no status from 200 to 599");
    if (status == 204 || status == 205 || status == 304)
        return refuse(std::to_string(status) + " has no content, and a backend's answer may");
    return status;
}

Result<HttpDestination> parse_http_answer_destination(std::string_view text) {
    auto destination = parse_http_destination(text);
    if (destination && destination->place != Place::header)
        return refuse("\"" + printable(text) +
                      "\" is no destination; allowed: append:, overwrite: or remove: with "
                      "header.NAME, and overwrite:statuscode");
    const auto own = [&](std::string_view name) {
        return equals_ignoring_case(destination->name, name);
    };
    if (destination && (own("date") || own(kTraceHeader)))
        return refuse("header " + printable(destination->name) + " is written by the gateway");
    return destination;
}

}  // namespace gatehouse::authz
