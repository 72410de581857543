#include "gatehouse/authz/event_values.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json_text.hpp"
#include "gatehouse/http/fields.hpp"
#include "percent_decoding.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>

namespace gatehouse::authz {
namespace {

/// Gathers values by name, in the order of first sight. A query may have thousands of names, so
/// finding one is a look-up.
class Gatherer {
  public:
    void add(const std::string& name, std::string value) {
        const auto [at, first] = index_.try_emplace(name, map_.size());
        if (first) map_.push_back({name, {}});
        map_[at->second].values.push_back(std::move(value));
    }

    ValueMap take() { return std::move(map_); }

  private:
    ValueMap map_;
    boost::unordered_flat_map<std::string, std::size_t> index_;
};

template <class WriteValue>
void append_map(const ValueMap& map, std::string& out, WriteValue write) {
    JsonMembers members(out);
    for (const NamedValues& entry : map) {
        members.quoted_name(entry.name);
        write(entry.values);
    }
    members.end();
}

// Takes the text before the next of `separators` off `text`.
std::string_view take_part(std::string_view& text, std::string_view separators) noexcept {
    const std::size_t end = text.find_first_of(separators);
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

std::string decode_query(std::string_view raw) {
    std::string decoded;
    while (!raw.empty())
        decoded += take_query_decoded(raw);
    return decoded;
}

}  // namespace

ValueMap query_values(std::string_view query) {
    Gatherer gatherer;
    while (!query.empty()) {
        std::string_view pair = take_part(query, "&;");
        if (pair.empty()) continue;
        // Two names that only differ in bytes that are no UTF-8 are one name in the event.
        const std::string name = make_utf8(decode_query(take_part(pair, "=")));
        gatherer.add(name, decode_query(pair));
    }
    return gatherer.take();
}

std::vector<std::string> cookie_values(const RequestFacts& facts) {
    std::vector<std::string> cookies;
    for (const http::Field& field : facts.head->fields) {
        if (field.id != http::FieldId::cookie) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::string_view cookie = trim(take_part(rest, ";"));
            if (!cookie.empty()) cookies.emplace_back(cookie);
        }
    }
    return cookies;
}

ValueMap path_values(const RequestFacts& facts, EventFormat format) {
    ValueMap map;
    const std::size_t count = std::min(facts.parameter_names.size(), facts.parameters.size());
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view raw = facts.parameters[i];
        map.push_back({facts.parameter_names[i],
                       {format == EventFormat::rest ? std::string(raw) : decode_path(raw)}});
    }
    return map;
}

std::string decode_path(std::string_view text) {
    std::string decoded;
    decoded.reserve(text.size());
    while (!text.empty())
        decoded += take_decoded(text);
    return decoded;
}

// DIVERGES: the service was seen to cut the path of an HTTP API at a decoded '?'. Here the function
// sees the path that was authorized, whole.
std::string event_path(const RequestFacts& facts, EventFormat format) {
    if (format != EventFormat::rest) return decode_path(facts.target.path);
    const std::string_view base = facts.stage->base_path;
    const bool is_stage = base.starts_with('/') && base.substr(1) == facts.stage->stage;
    return std::string(is_stage ? facts.api_path : facts.target.path);
}

void append_last_values(const ValueMap& map, std::string& out) {
    append_map(map, out, [&](const auto& values) { append_json_string(values.back(), out); });
}

void append_all_values(const ValueMap& map, std::string& out) {
    append_map(map, out, [&](const auto& values) { append_strings(values, out); });
}

void append_joined_values(const ValueMap& map, std::string& out) {
    append_map(map, out, [&](const auto& values) {
        std::string joined = values.front();
        for (std::size_t i = 1; i < values.size(); ++i)
            (joined += ',') += values[i];
        append_json_string(joined, out);
    });
}

void append_strings(std::span<const std::string> texts, std::string& out) {
    out += '[';
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i > 0) out += ',';
        append_json_string(texts[i], out);
    }
    out += ']';
}

void append_stage_variables(const RequestFacts& facts, std::string& out) {
    JsonMembers members(out);
    for (const auto& [name, value] : facts.stage->stage_variables)
        append_json_string(value, members.quoted_name(name));
    members.end();
}

bool has_stage_variables(const RequestFacts& facts) noexcept {
    return !facts.stage->stage_variables.empty();
}

}  // namespace gatehouse::authz
