#include "gatehouse/core/limits.hpp"
#include "methods.hpp"
#include "value_text.hpp"

namespace gatehouse::templates {
namespace {

List& list(const Call& call) {
    return *std::get<List*>(call.self);
}

Map& map(const Call& call) {
    return *std::get<Map*>(call.self);
}

Value size_of(std::size_t size) {
    return static_cast<std::int64_t>(size);
}

// A place in the list, `end` included or not: an exception when outside, as Java throws one.
std::optional<std::size_t> place(const Call& call, bool end) {
    const auto at = call.integer(0);
    if (!at) return std::nullopt;
    const std::size_t size = list(call).items.size() + (end ? 1 : 0);
    if (*at >= 0 && static_cast<std::uint64_t>(*at) < size) return static_cast<std::size_t>(*at);
    call.fail("index " + std::to_string(*at) + " is outside the list");
    return std::nullopt;
}

auto iterator_at(const Call& call, std::size_t at) {
    return list(call).items.begin() + static_cast<std::ptrdiff_t>(at);
}

// Moving what is behind a place costs as much as there is.
bool spend_shift(const Call& call) {
    return call.work.spend(list(call).items.size() * sizeof(Value));
}

Value list_add(const Call& call) {
    if (call.arguments.size() == 1) return call.work.append(list(call), call.arguments[0]);
    const auto at = place(call, true);
    if (!at || !spend_shift(call) || !call.work.append(list(call), Null{})) return Null{};
    list(call).items.pop_back();
    list(call).items.insert(iterator_at(call, *at), call.arguments[1]);
    return Null{};
}

Value list_add_all(const Call& call) {
    auto* const* other = std::get_if<List*>(&call.arguments[0]);
    if (other == nullptr) return Null{};
    const std::vector<Value> items = (*other)->items;  // it may be the list itself
    for (const Value& item : items)
        call.work.append(list(call), item);
    return !items.empty();
}

Value list_remove(const Call& call) {
    const auto at = place(call, false);
    if (!at || !spend_shift(call)) return Null{};
    const Value removed = list(call).items[*at];
    list(call).items.erase(iterator_at(call, *at));
    return removed;
}

Value list_set(const Call& call) {
    const auto at = place(call, false);
    if (!at) return Null{};
    return std::exchange(list(call).items[*at], call.arguments[1]);
}

std::int64_t find_item(const Call& call) {
    const std::vector<Value>& items = list(call).items;
    for (std::size_t i = 0; i < items.size() && call.work.ok(); ++i) {
        if (equal(call.work, items[i], call.arguments[0])) return static_cast<std::int64_t>(i);
    }
    return -1;
}

constexpr Method kList[] = {
    {"add", 1, 2, list_add},
    {"addAll", 1, 1, list_add_all},
    {"clear",
     0,
     0,
     [](const Call& c) {
         list(c).items.clear();
         return Value(Null{});
     }},
    {"contains", 1, 1, [](const Call& c) { return Value(find_item(c) >= 0); }},
    // The developer guide's own example of $input.path, though no List of Java has it.
    {"count", 0, 0, [](const Call& c) { return size_of(list(c).items.size()); }},
    {"get",
     1,
     1,
     [](const Call& c) {
         const auto at = place(c, false);
         return at ? list(c).items[*at] : Value(Null{});
     }},
    {"indexOf", 1, 1, [](const Call& c) { return Value(find_item(c)); }},
    {"isEmpty", 0, 0, [](const Call& c) { return Value(list(c).items.empty()); }},
    {"remove", 1, 1, list_remove},
    {"set", 2, 2, list_set},
    {"size", 0, 0, [](const Call& c) { return size_of(list(c).items.size()); }},
};

std::string_view key_of(const Call& call) {
    return to_text(call.work, call.arguments[0]);
}

// put() and remove() give back what was there, null when nothing was: Velocity prints a null
// reference as it is written, which is why templates write `#set($ignored = $map.put(…))`.
Value previous(const Call& call, std::string_view key) {
    const Value* found = map(call).find(key);
    return found != nullptr ? *found : Value(Null{});
}

Value map_put(const Call& call) {
    const std::string_view key = key_of(call);
    const Value before = previous(call, key);
    put_checked(call.work, map(call), key, call.arguments[1]);
    return before;
}

Value map_put_all(const Call& call) {
    auto* const* other = std::get_if<Map*>(&call.arguments[0]);
    if (other == nullptr) return Null{};
    const std::vector<Entry> entries = (*other)->entries();  // it may be the map itself
    for (const Entry& entry : entries) {
        if (!put_checked(call.work, map(call), entry.key, entry.value)) break;
    }
    return Null{};
}

Value map_remove(const Call& call) {
    const std::string_view key = key_of(call);
    const Value before = previous(call, key);
    if (map(call).kind() == Map::Kind::constant || map(call).kind() == Map::Kind::override)
        return call.fail("nothing can be removed from this map");
    if (call.work.spend(map(call).entries().size() * limits::kTemplateStepBytes))
        map(call).erase(key);
    return before;
}

Value map_contains_value(const Call& call) {
    for (const Entry& entry : map(call).entries()) {
        if (equal(call.work, entry.value, call.arguments[0])) return true;
    }
    return false;
}

template <class Function>
Value collect(const Call& call, Function function) {
    List* made = call.work.make_list();
    for (const Entry& entry : map(call).entries()) {
        if (!call.work.append(*made, function(entry))) break;
    }
    return made;
}

constexpr Method kMap[] = {
    {"containsKey", 1, 1, [](const Call& c) { return Value(map(c).find(key_of(c)) != nullptr); }},
    {"containsValue", 1, 1, map_contains_value},
    {"entrySet",
     0,
     0,
     [](const Call& c) {
         return collect(c, [&](const Entry& entry) -> Value { return c.work.make_entry(entry); });
     }},
    {"get", 1, 1, [](const Call& c) { return get_member(map(c), key_of(c)); }},
    {"getOrDefault",
     2,
     2,
     [](const Call& c) {
         const Value* found = map(c).find(key_of(c));
         return found != nullptr ? *found : c.arguments[1];
     }},
    {"isEmpty", 0, 0, [](const Call& c) { return Value(map(c).entries().empty()); }},
    {"keySet",
     0,
     0,
     [](const Call& c) {
         return collect(c, [](const Entry& entry) -> Value { return entry.key; });
     }},
    {"put", 2, 2, map_put},
    {"putAll", 1, 1, map_put_all},
    {"remove", 1, 1, map_remove},
    {"size", 0, 0, [](const Call& c) { return size_of(map(c).entries().size()); }},
    {"values",
     0,
     0,
     [](const Call& c) { return collect(c, [](const Entry& entry) { return entry.value; }); }},
};

constexpr Method kEntry[] = {
    {"getKey", 0, 0, [](const Call& c) { return Value(std::get<Entry*>(c.self)->key); }},
    {"getValue", 0, 0, [](const Call& c) { return std::get<Entry*>(c.self)->value; }},
};

}  // namespace

std::span<const Method> list_methods() noexcept {
    return kList;
}

std::span<const Method> map_methods() noexcept {
    return kMap;
}

std::span<const Method> entry_methods() noexcept {
    return kEntry;
}

}  // namespace gatehouse::templates
