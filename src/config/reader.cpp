#include "reader.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"
#include "suggest.hpp"

#include <algorithm>
#include <charconv>

namespace gatehouse::config {
namespace {

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    return number;
}

std::optional<std::int64_t> to_integer(const Json& value, bool is_reference) {
    if (value.is_string() && is_reference)
        return parse_integer(value.get_ref<const std::string&>());
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) return INT64_MAX;
    if (value.is_number_integer()) return value.get<std::int64_t>();
    return std::nullopt;
}

std::optional<bool> to_boolean(const Json& value, bool is_reference) {
    if (value.is_boolean()) return value.get<bool>();
    if (!value.is_string() || !is_reference) return std::nullopt;
    if (value == "true") return true;
    if (value == "false") return false;
    return std::nullopt;
}

std::string wrong_type(std::string_view wanted, const Json& value, bool is_reference) {
    std::string message = "must be " + std::string(wanted) + ", not ";
    if (is_reference) return message + "what its environment variable holds";
    message += value.is_number_float() ? "a number with a fraction" : name_type(value);
    if (!value.is_string()) return message;
    // The commonest slip: a number or a boolean in quotes.
    const std::string& text = value.get_ref<const std::string&>();
    const bool quoted =
        (wanted == "a whole number" && parse_integer(text)) || text == "true" || text == "false";
    return quoted ? message + "; write " + text + " without quotes" : message;
}

}  // namespace

std::string_view name_type(const Json& value) {
    switch (value.type()) {
        case Json::value_t::null:
            return "null";
        case Json::value_t::boolean:
            return "a boolean";
        case Json::value_t::string:
            return "a string";
        case Json::value_t::array:
            return "a list";
        case Json::value_t::object:
            return "an object";
        default:
            return "a number";
    }
}

std::optional<std::string> read_text(const Json& value,
                                     const std::string& pointer,
                                     Source& source) {
    if (source.unresolved.contains(&value)) return std::nullopt;
    if (value.is_string()) return value.get<std::string>();
    source.problem(pointer, wrong_type("a string", value, false));
    return std::nullopt;
}

ObjectReader::ObjectReader(const Json& value, std::string pointer, keys::Keys keys, Source& source)
    : object_(value.is_object() ? &value : nullptr), pointer_(std::move(pointer)), source_(source) {
    if (object_ == nullptr) {
        if (!source_.unresolved.contains(&value))
            source_.problem(pointer_, wrong_type("an object", value, false));
        return;
    }
    refuse_unknown(keys);
}

void ObjectReader::refuse_unknown(keys::Keys keys) {
    for (const auto& [key, value] : object_->items()) {
        const std::string_view name = key;
        if (std::ranges::find(keys, name) != keys.end()) continue;
        const std::string shown = "\"" + printable(name) + "\"";
        if (std::ranges::find(keys::kLater, name) != keys::kLater.end()) {
            source_.problem(at(key), shown + " is not supported by this version of Gatehouse yet");
            continue;
        }
        source_.problem(
            at(key),
            "unknown key " + shown + "; allowed: " + list_quoted(keys) + suggest(name, keys));
    }
}

const Json* ObjectReader::find(std::string_view name) const {
    return object_ == nullptr ? nullptr : find_member(*object_, name);
}

const Json* ObjectReader::require(std::string_view name, std::string_view what) {
    const Json* member = find(name);
    if (member == nullptr && object_ != nullptr) {
        source_.problem(pointer_, "\"" + std::string(name) + "\" is missing: " + std::string(what));
    }
    return member;
}

bool ObjectReader::read(std::string_view name, std::string& into) {
    const Json* value = find(name);
    if (value == nullptr) return false;
    std::optional<std::string> text = read_text(*value, at(name), source_);
    if (text) into = std::move(*text);
    return text.has_value();
}

bool ObjectReader::read(std::string_view name, bool& into) {
    const Json* value = find(name);
    if (value == nullptr || source_.unresolved.contains(value)) return false;
    const bool is_reference = source_.references.contains(value);
    const std::optional<bool> flag = to_boolean(*value, is_reference);
    if (flag) {
        into = *flag;
    } else {
        problem(name, wrong_type("true or false", *value, is_reference));
    }
    return flag.has_value();
}

bool ObjectReader::read_checked(std::string_view name,
                                std::string& into,
                                const std::function<std::string(std::string_view)>& fault) {
    std::string text;
    if (!read(name, text)) return false;
    std::string message = fault(text);
    if (!message.empty()) {
        problem(name, std::move(message));
        return false;
    }
    into = std::move(text);
    return true;
}

bool ObjectReader::read_choice(std::string_view name, std::string& into, keys::Keys allowed) {
    return read_checked(name, into, [allowed](std::string_view text) -> std::string {
        if (std::ranges::find(allowed, text) != allowed.end()) return {};
        return "is \"" + printable(text) + "\"; allowed: " + list_quoted(allowed) +
               suggest(text, allowed);
    });
}

std::optional<std::int64_t> ObjectReader::read_integer(std::string_view name,
                                                       std::int64_t least,
                                                       std::int64_t most) {
    const Json* value = find(name);
    if (value == nullptr || source_.unresolved.contains(value)) return std::nullopt;
    const std::string range = std::to_string(least) + " to " + std::to_string(most);
    const bool is_reference = source_.references.contains(value);
    const std::optional<std::int64_t> number = to_integer(*value, is_reference);
    if (!number) {
        problem(name, wrong_type("a whole number", *value, is_reference) + "; allowed: " + range);
        return std::nullopt;
    }
    if (*number < least || *number > most) {
        problem(name, "is " + std::to_string(*number) + "; allowed: " + range);
        return std::nullopt;
    }
    return number;
}

bool ObjectReader::read_list(std::string_view name,
                             std::vector<std::string>& into,
                             const std::function<std::string(std::string_view)>& fault) {
    const Json* value = find(name);
    if (value == nullptr || source_.unresolved.contains(value)) return false;
    if (!value->is_array()) {
        problem(name, wrong_type("a list of strings", *value, false));
        return false;
    }
    std::vector<std::string> list;
    bool whole = true;
    each_element(name, [&](const Json& element, const std::string& pointer) {
        std::optional<std::string> text = read_text(element, pointer, source_);
        std::string message = text && fault ? fault(*text) : std::string();
        whole = whole && text && message.empty();
        if (!message.empty()) source_.problem(pointer, std::move(message));
        if (text) list.push_back(std::move(*text));
    });
    if (whole) into = std::move(list);
    return whole;
}

void ObjectReader::check_size(std::string_view name, const Json& value) {
    if (value.size() > limits::kConfiguredMost)
        problem(name,
                "has " + std::to_string(value.size()) + " entries; at most " +
                    std::to_string(limits::kConfiguredMost));
}

void ObjectReader::each_element(std::string_view name,
                                const std::function<void(const Json&, const std::string&)>& take) {
    const Json* value = find(name);
    if (value == nullptr || source_.unresolved.contains(value)) return;
    if (!value->is_array()) return problem(name, wrong_type("a list", *value, false));
    check_size(name, *value);
    std::size_t index = 0;
    for (const Json& element : *value)
        take(element, append_pointer(at(name), std::to_string(index++)));
}

void ObjectReader::each_member(
    std::string_view name,
    const std::function<void(const std::string&, const Json&, const std::string&)>& take) {
    const Json* value = find(name);
    if (value == nullptr || source_.unresolved.contains(value)) return;
    if (!value->is_object()) return problem(name, wrong_type("an object", *value, false));
    check_size(name, *value);
    for (const auto& [key, member] : value->items())
        take(key, member, append_pointer(at(name), key));
}

void ObjectReader::refuse(std::string_view name, const std::string& why) {
    if (has(name)) problem(name, "\"" + std::string(name) + "\" would be ignored: " + why);
}

}  // namespace gatehouse::config
