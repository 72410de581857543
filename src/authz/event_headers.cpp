// Which headers of a request its event shows, and under which names.
#include "gatehouse/authz/dev_override.hpp"
#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/hop_by_hop.hpp"

#include <algorithm>

namespace gatehouse::authz {
namespace {

using http::FieldId;

// Written here, so that the client's own never arrive under these names, however they are spelled.
constexpr std::string_view kOwned[] = {"x-amzn-apigateway-api-id",
                                       "x-amzn-request-context",
                                       "x-amzn-trace-id",
                                       "x-forwarded-for",
                                       "x-forwarded-port",
                                       "x-forwarded-proto",
                                       kOverrideHeader};

// RFC 9110 7.6.1 and what is answered or framed here, for every kind of API.
bool is_connection_field(FieldId id) noexcept {
    switch (id) {
        case FieldId::connection:
        case FieldId::expect:
        case FieldId::http2_settings:
        case FieldId::keep_alive:
        case FieldId::proxy_authorization:
        case FieldId::proxy_connection:
        case FieldId::te:
        case FieldId::trailer:
        case FieldId::transfer_encoding:
        case FieldId::upgrade:
            return true;
        default:
            return false;
    }
}

// Important notes for REST APIs: what the service drops besides before a Lambda event. HTTP APIs
// show these: content-length was seen there.
bool is_dropped_by_rest(FieldId id) noexcept {
    switch (id) {
        case FieldId::content_length:
        case FieldId::content_md5:
        case FieldId::max_forwards:
        case FieldId::proxy_authenticate:
        case FieldId::server:
        case FieldId::www_authenticate:
            return true;
        default:
            return false;
    }
}

bool is_owned(std::string_view name) noexcept {
    return std::ranges::any_of(kOwned,
                               [&](std::string_view owned) { return equals_folded(owned, name); });
}

bool is_hidden(const http::Field& field, const HiddenHeaders& hidden) noexcept {
    if (hidden.signatures && field.id == FieldId::authorization && field.value.starts_with("AWS4-"))
        return true;
    for (const std::string& prefix : hidden.prefixes) {
        if (equals_folded(field.name.substr(0, prefix.size()), prefix)) return true;
    }
    return std::ranges::any_of(
        hidden.names, [&](const std::string& name) { return equals_folded(name, field.name); });
}

// What the service writes anew comes out with its own spelling.
std::string spell(std::string_view name, FieldId id, EventFormat format) {
    if (format != EventFormat::rest) return to_lower(name);
    if (id == FieldId::host) return "Host";
    if (id == FieldId::user_agent) return "User-Agent";
    return std::string(name);
}

/// A header map: names are equal without regard to case, and the first spelling stays.
class HeaderMap {
  public:
    explicit HeaderMap(EventFormat format) : format_(format) {}

    void add(std::string_view name, FieldId id, std::string_view value) {
        const auto same = std::ranges::find_if(
            map_, [&](const NamedValues& entry) { return equals_ignoring_case(entry.name, name); });
        if (same != map_.end()) {
            same->values.emplace_back(value);
        } else {
            map_.push_back({spell(name, id, format_), {std::string(value)}});
        }
    }

    void add_own(std::string_view name, std::string_view value) {
        add(name, FieldId::other, value);
    }

    ValueMap take() { return std::move(map_); }

  private:
    EventFormat format_;
    ValueMap map_;  // at most as many as a head may have: a search along it is good enough
};

// The client's list, if it sent one, and the address that we saw.
std::string forwarded_for(const RequestFacts& facts) {
    std::string list;
    const http::NamedByConnection named(facts.head->fields);
    for (const http::Field& field : facts.head->fields) {
        if (field.id != FieldId::x_forwarded_for || field.value.empty() || named.has(field.name))
            continue;
        list += field.value;
        list += ", ";
    }
    return list.append(facts.source_ip);
}

}  // namespace

ValueMap header_values(const RequestFacts& facts, EventFormat format, const HiddenHeaders& hidden) {
    HeaderMap map(format);
    const http::NamedByConnection named(facts.head->fields);
    for (const http::Field& field : facts.head->fields) {
        if (is_connection_field(field.id) || is_owned(field.name) || is_hidden(field, hidden))
            continue;
        // Host cannot be named away.
        if (field.id != FieldId::host && named.has(field.name)) continue;
        if (format == EventFormat::rest && is_dropped_by_rest(field.id)) continue;
        if (format == EventFormat::http_2_0 && field.id == FieldId::cookie) continue;
        map.add(field.name, field.id, field.value);
    }
    if (!facts.trace_id.empty()) map.add_own("X-Amzn-Trace-Id", facts.trace_id);
    map.add_own("X-Forwarded-For", forwarded_for(facts));
    map.add_own("X-Forwarded-Port", std::to_string(facts.listener_port));
    map.add_own("X-Forwarded-Proto", facts.secure ? "https" : "http");
    return map.take();
}

}  // namespace gatehouse::authz
