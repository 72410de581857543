#pragma once

#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/fields.hpp"

#include <algorithm>
#include <string_view>

namespace gatehouse::mapping {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kDefaultType = "$default";

/// The first type of Content-Type or Accept without its parameters; without the field JSON
/// (developer guide, "Request and response data mapping reference").
inline std::string_view media_type(const authz::RequestFacts& facts, http::FieldId id) noexcept {
    const http::Field* field =
        facts.head == nullptr ? nullptr : http::find_field(facts.head->fields, id);
    if (field == nullptr) return kJsonType;
    return trim(std::string_view(field->value).substr(0, field->value.find_first_of(";,")));
}

/// The entry of a type, in any case of letters; nullptr when there is none.
template <class Entries>
const typename Entries::value_type* find_type(const Entries& entries,
                                              std::string_view type) noexcept {
    const auto found = std::ranges::find_if(
        entries, [&](const auto& entry) { return equals_ignoring_case(entry.first, type); });
    return found == entries.end() ? nullptr : &*found;
}

}  // namespace gatehouse::mapping
