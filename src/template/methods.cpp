#include "methods.hpp"

#include "gatehouse/core/ascii.hpp"
#include "value_text.hpp"

#include <algorithm>

namespace gatehouse::templates {
namespace {

constexpr Method kCommon[] = {
    {"toString", 0, 0, [](const Call& c) { return Value(to_text(c.work, c.self)); }},
    {"equals",
     1,
     1,
     [](const Call& c) {
         // Java's equals of an Integer and a Double is false, where == compares what they are
         // worth.
         return Value(c.self.index() == c.arguments[0].index() &&
                      equal(c.work, c.self, c.arguments[0]));
     }},
};

std::span<const Method> methods_of(const Value& value) noexcept {
    if (std::holds_alternative<std::string_view>(value)) return text_methods();
    if (std::holds_alternative<List*>(value)) return list_methods();
    if (std::holds_alternative<Map*>(value)) return map_methods();
    if (std::holds_alternative<Entry*>(value)) return entry_methods();
    if (std::holds_alternative<std::int64_t>(value)) return integer_methods();
    if (std::holds_alternative<double>(value)) return real_methods();
    if (std::holds_alternative<bool>(value)) return boolean_methods();
    return {};
}

const Method* find_method(std::span<const Method> methods,
                          std::string_view name,
                          std::size_t arguments) noexcept {
    const auto found = std::ranges::find_if(methods, [&](const Method& method) {
        return method.name == name && arguments >= method.least && arguments <= method.most;
    });
    return found != methods.end() ? &*found : nullptr;
}

template <class Predicate>
bool any_method(Predicate predicate) noexcept {
    for (const auto methods : {std::span<const Method>(kCommon),
                               text_methods(),
                               list_methods(),
                               map_methods(),
                               entry_methods(),
                               integer_methods(),
                               real_methods(),
                               boolean_methods()}) {
        if (std::ranges::any_of(methods, predicate)) return true;
    }
    return false;
}

// A negative index counts from the end: for `[…]` alone, List.get takes none.
std::optional<std::size_t> list_place(const List& list, const Value& index) noexcept {
    const auto* integer = std::get_if<std::int64_t>(&index);
    if (integer == nullptr) return std::nullopt;
    const auto size = static_cast<std::int64_t>(list.items.size());
    const std::int64_t at = *integer < 0 ? *integer + size : *integer;
    if (at < 0 || at >= size) return list.items.size();
    return static_cast<std::size_t>(at);
}

void fail_index(Work& work, const Value& index) {
    work.fail(Errc::template_failed,
              "index " + std::string(to_text(work, index)) + " is outside the list");
}

}  // namespace

std::optional<std::string_view> Call::text(std::size_t at) const noexcept {
    const auto* found =
        at < arguments.size() ? std::get_if<std::string_view>(&arguments[at]) : nullptr;
    return found != nullptr ? std::optional(*found) : std::nullopt;
}

std::optional<std::int64_t> Call::integer(std::size_t at) const noexcept {
    const auto* found = at < arguments.size() ? std::get_if<std::int64_t>(&arguments[at]) : nullptr;
    return found != nullptr ? std::optional(*found) : std::nullopt;
}

Value Call::fail(std::string detail) const {
    work.fail(Errc::template_failed, std::move(detail));
    return Null{};
}

Value call_method(const Call& call, std::string_view name) {
    if (is_null(call.self) || !call.work.spend()) return Null{};
    const Method* found = find_method(methods_of(call.self), name, call.arguments.size());
    if (found == nullptr) found = find_method(kCommon, name, call.arguments.size());
    return found != nullptr ? found->run(call) : Value(Null{});
}

bool is_method(std::string_view name) noexcept {
    return any_method([&](const Method& method) { return method.name == name; });
}

bool is_method(std::string_view name, std::size_t arguments) noexcept {
    return any_method([&](const Method& method) {
        return method.name == name && arguments >= method.least && arguments <= method.most;
    });
}

Value read_property(Work& work, const Value& value, std::string_view name) {
    if (!work.spend()) return Null{};
    if (auto* const* map = std::get_if<Map*>(&value); map != nullptr)
        return get_member(**map, name);
    if (auto* const* entry = std::get_if<Entry*>(&value); entry != nullptr) {
        if (name == "key") return (*entry)->key;
        if (name == "value") return (*entry)->value;
    }
    const auto* text = std::get_if<std::string_view>(&value);
    if (name == "empty") {  // isEmpty()
        if (text != nullptr) return text->empty();
        if (auto* const* list = std::get_if<List*>(&value); list != nullptr)
            return (*list)->items.empty();
    }
    // What is missing in a service's map is "", and so is what is below it:
    // `$context.authorizer.claims.sub` prints nothing when there was no authorizer.
    if (text != nullptr && text->empty()) return std::string_view();
    return Null{};
}

Value read_index(Work& work, const Value& value, const Value& index) {
    if (is_null(index)) return Null{};
    auto* const* list = std::get_if<List*>(&value);
    if (list == nullptr) {
        if (std::holds_alternative<Map*>(value) || std::holds_alternative<std::string_view>(value))
            return std::holds_alternative<Map*>(value) || std::get<std::string_view>(value).empty()
                       ? read_property(work, value, to_text(work, index))
                       : Value(Null{});
        return Null{};
    }
    const auto at = list_place(**list, index);
    if (!at) return Null{};
    if (*at == (*list)->items.size()) {
        fail_index(work, index);
        return Null{};
    }
    return (*list)->items[*at];
}

bool put_checked(Work& work, Map& map, std::string_view key, const Value& value) {
    if (map.kind() == Map::Kind::constant) {
        work.fail(Errc::template_failed, printable(key) + " cannot be set: the map is read only");
    } else if (map.kind() == Map::Kind::override && map.find(key) != nullptr) {
        work.fail(Errc::template_failed, "the override " + printable(key) + " is set twice");
    }
    return work.ok() && work.put(map, key, value);
}

void write_property(Work& work, const Value& value, std::string_view name, const Value& member) {
    // Velocity logs and goes on when there is nothing that takes the value.
    if (auto* const* map = std::get_if<Map*>(&value); map != nullptr)
        put_checked(work, **map, name, member);
}

void write_index(Work& work, const Value& value, const Value& index, const Value& member) {
    if (auto* const* list = std::get_if<List*>(&value); list != nullptr) {
        const auto at = list_place(**list, index);
        if (!at) return;
        if (*at == (*list)->items.size()) return fail_index(work, index);
        (*list)->items[*at] = member;
    } else if (!is_null(index)) {
        write_property(work, value, to_text(work, index), member);
    }
}

}  // namespace gatehouse::templates
