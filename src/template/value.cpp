#include "value.hpp"

#include "gatehouse/core/limits.hpp"

#include <algorithm>
#include <utility>

namespace gatehouse::templates {
namespace {

constexpr std::size_t kIndexedEntries = 8;  // up to here a look along the row is quicker

}  // namespace

std::size_t Map::find_index(std::string_view key) const noexcept {
    if (index_.empty()) {
        const auto found = std::ranges::find(entries_, key, &Entry::key);
        return static_cast<std::size_t>(found - entries_.begin());
    }
    const auto found = index_.find(key);
    return found != index_.end() ? found->second : entries_.size();
}

const Value* Map::find(std::string_view key) const noexcept {
    const std::size_t at = find_index(key);
    return at < entries_.size() ? &entries_[at].value : nullptr;
}

void Map::put(std::string_view key, const Value& value) {
    if (const std::size_t at = find_index(key); at < entries_.size()) {
        entries_[at].value = value;
        return;
    }
    entries_.push_back({key, value});
    if (!index_.empty()) {
        index_.emplace(key, entries_.size() - 1);
    } else if (entries_.size() > kIndexedEntries) {
        for (std::size_t i = 0; i < entries_.size(); ++i)
            index_.emplace(entries_[i].key, i);
    }
}

bool Map::erase(std::string_view key) {
    const std::size_t at = find_index(key);
    if (at >= entries_.size()) return false;
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(at));
    if (index_.empty()) return true;
    index_.clear();
    for (std::size_t i = 0; entries_.size() > kIndexedEntries && i < entries_.size(); ++i)
        index_.emplace(entries_[i].key, i);
    return true;
}

void Work::fail(Errc code, std::string detail) {
    if (ok()) error_ = gatehouse::fail(code, std::move(detail));
}

void Work::locate(std::string_view where) {
    if (ok() || located_) return;
    located_ = true;
    error_.detail.insert(0, where);
}

bool Work::spend(std::size_t bytes) {
    steps_ += 1 + bytes / limits::kTemplateStepBytes;
    if (steps_ > limits::kTemplateSteps) fail(Errc::limit_exceeded, "the template takes too long");
    return ok();
}

bool Work::reserve(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > limits::kTemplateMemoryBytes)
        fail(Errc::limit_exceeded, "the template needs too much memory");
    return ok();
}

std::string_view Work::keep(std::string&& text) {
    if (!reserve(sizeof(std::string) + text.capacity()) || !spend(text.size())) return {};
    return texts_.emplace_back(std::move(text));
}

List* Work::make_list(bool json) {
    reserve(sizeof(List));
    List& made = lists_.emplace_back();
    made.json = json;
    return &made;
}

Map* Work::make_map(Map::Kind kind) {
    reserve(sizeof(Map));
    return &maps_.emplace_back(kind);
}

Entry* Work::make_entry(const Entry& entry) {
    reserve(sizeof(Entry));
    return &entries_.emplace_back(entry);
}

bool Work::append(List& list, const Value& value) {
    if (!reserve(2 * sizeof(Value)) || !spend()) return false;
    list.items.push_back(value);
    return true;
}

bool Work::put(Map& map, std::string_view key, const Value& value) {
    constexpr std::size_t kIndexNode = 48;
    if (!reserve(2 * sizeof(Entry) + kIndexNode) || !spend()) return false;
    map.put(key, value);
    return true;
}

double to_double(const Value& value) noexcept {
    if (const auto* integer = std::get_if<std::int64_t>(&value); integer != nullptr)
        return static_cast<double>(*integer);
    const auto* real = std::get_if<double>(&value);
    return real != nullptr ? *real : 0;
}

namespace {

bool equal_lists(Work& work, const List& a, const List& b, int depth) {
    if (a.items.size() != b.items.size()) return false;
    for (std::size_t i = 0; i < a.items.size(); ++i) {
        if (!equal(work, a.items[i], b.items[i], depth + 1)) return false;
    }
    return true;
}

bool equal_maps(Work& work, const Map& a, const Map& b, int depth) {
    if (a.entries().size() != b.entries().size()) return false;
    for (const Entry& entry : a.entries()) {
        const Value* other = b.find(entry.key);
        if (other == nullptr || !equal(work, entry.value, *other, depth + 1)) return false;
    }
    return true;
}

}  // namespace

bool equal(Work& work, const Value& a, const Value& b, int depth) {
    if (depth > limits::kTemplateValueDepth) work.fail(Errc::limit_exceeded, "a value is too deep");
    if (!work.spend()) return false;
    if (is_number(a) && is_number(b)) {
        const auto* x = std::get_if<std::int64_t>(&a);
        const auto* y = std::get_if<std::int64_t>(&b);
        return x != nullptr && y != nullptr ? *x == *y : to_double(a) == to_double(b);
    }
    if (a.index() != b.index()) return false;
    if (const auto* text = std::get_if<std::string_view>(&a); text != nullptr)
        return work.spend(text->size()) && *text == std::get<std::string_view>(b);
    if (const auto* list = std::get_if<List*>(&a); list != nullptr)
        return equal_lists(work, **list, *std::get<List*>(b), depth);
    if (const auto* map = std::get_if<Map*>(&a); map != nullptr)
        return equal_maps(work, **map, *std::get<Map*>(b), depth);
    if (const auto* entry = std::get_if<Entry*>(&a); entry != nullptr) {
        const Entry* other = std::get<Entry*>(b);
        return (*entry)->key == other->key && equal(work, (*entry)->value, other->value, depth + 1);
    }
    if (const auto* flag = std::get_if<bool>(&a); flag != nullptr)
        return *flag == std::get<bool>(b);
    if (const auto* big = std::get_if<BigInteger>(&a); big != nullptr)
        return big->digits == std::get<BigInteger>(b).digits;
    return is_null(a);
}

Value get_member(const Map& map, std::string_view key) {
    const Value* found = map.find(key);
    const bool missing = found == nullptr || is_null(*found);
    if (!missing) return *found;
    return map.kind() == Map::Kind::plain ? Value(Null{}) : Value(std::string_view());
}

}  // namespace gatehouse::templates
