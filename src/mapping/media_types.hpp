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
    const std::string_view type =
        trim(std::string_view(field->value).substr(0, field->value.find_first_of(";,")));
    return type.empty() ? kJsonType : type;
}

/// Content of several types at once: readers would choose differently, so that what one has checked
/// another takes for something else.
inline bool has_several_types(const authz::RequestFacts& facts) noexcept {
    if (facts.head == nullptr) return false;
    const auto is_type = [](const http::Field& field) {
        return field.id == http::FieldId::content_type;
    };
    const auto is_list = [&](const http::Field& field) {
        const std::size_t end = std::string_view(field.value).find_first_of(";,");
        return is_type(field) && end != std::string_view::npos && field.value[end] == ',';
    };
    return std::ranges::count_if(facts.head->fields, is_type) > 1 ||
           std::ranges::any_of(facts.head->fields, is_list);
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
