#pragma once

#include "gatehouse/authz/request_facts.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the events of functions show of a request's headers, query and path: shared by Lambda
// authorizers and Lambda integrations.
namespace gatehouse::authz {

/// Whose event it is, and in which payload format.
enum class EventFormat : std::uint8_t { rest, http_1_0, http_2_0 };

/// One name with all its values, in order.
struct NamedValues {
    std::string name;
    std::vector<std::string> values;
};

/// The names of one event map, in the order of their first value.
using ValueMap = std::vector<NamedValues>;

/// Client headers that an event does not show, beside those that never are.
struct HiddenHeaders {
    std::span<const std::string> names = {};     ///< in any case, `_` like `-`
    std::span<const std::string> prefixes = {};  ///< the same, of beginnings of names
    bool signatures = false;                     ///< an Authorization that holds a SigV4 signature
};

/// The request's headers as its event has them, X-Forwarded-*, and X-Amzn-Trace-Id included (API
/// Gateway developer guide, "Important notes", header remapping, column Lambda). REST APIs keep the
/// client's spelling but for the names that the service writes itself; HTTP APIs have lower case.
/// Format 2.0 has no `cookie`. A name that Gatehouse writes never holds a client's value.
ValueMap header_values(const RequestFacts& facts, EventFormat format, const HiddenHeaders& hidden);

/// The cookies of a format 2.0 event: "a=1", "b=2".
std::vector<std::string> cookie_values(const RequestFacts& facts);

/// The query's parameters, decoded (`+` is a space). `&` and `;` part them; one without value has
/// an empty one. Bytes are as they come out: what is no UTF-8 becomes U+FFFD when it is written.
ValueMap query_values(std::string_view query);

/// The path parameters: percent-encoded as they came for REST APIs, decoded for HTTP APIs.
ValueMap path_values(const RequestFacts& facts, EventFormat format);

/// `text` percent-decoded, once.
std::string decode_path(std::string_view text);

/// `event.path`: without what stands for the stage, so as the client sent it under any base path
/// that is not the stage's name (as the service shows it behind a custom domain). HTTP APIs:
/// decoded, base path included.
std::string event_path(const RequestFacts& facts, EventFormat format);

/// {"name":"last value"}
void append_last_values(const ValueMap& map, std::string& out);

/// {"name":["first value","last value"]}
void append_all_values(const ValueMap& map, std::string& out);

/// {"name":"first value,last value"}
void append_joined_values(const ValueMap& map, std::string& out);

/// ["a","b"]
void append_strings(std::span<const std::string> texts, std::string& out);

/// The stage's variables as an object, {} when there are none.
void append_stage_variables(const RequestFacts& facts, std::string& out);

bool has_stage_variables(const RequestFacts& facts) noexcept;

}  // namespace gatehouse::authz
