#pragma once

#include "gatehouse/core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gatehouse::templates {

struct List;
class Map;
struct Entry;
class PatternCache;

struct Null {};

/// An integer beyond 64 bits, as written (Java's BigInteger): printed, never computed with.
struct BigInteger {
    std::string_view digits;
};

/// What an expression is worth. Small and cheap to copy; text, lists, maps and entries live in the
/// Work of the rendering and are shared, as Java's are.
using Value = std::
    variant<Null, bool, std::int64_t, double, BigInteger, std::string_view, List*, Map*, Entry*>;

struct List {
    std::vector<Value> items;
    /// Came from JSON: prints as JSON, with everything in it. (The service's does; its maps print
    /// as Java's.)
    bool json = false;
};

struct Entry {
    std::string_view key;
    Value value;
};

/// Keys in the order of their first insertion.
class Map {
  public:
    /// A plain map is what a template makes itself.
    enum class Kind {
        plain,
        service,   ///< a missing or null member reads as "" (the service's EmptyStringExpandingMap)
        constant,  ///< the same, and a template cannot change it
        override,  ///< the same as service, and each member can be set once
    };

    explicit Map(Kind kind) : kind_(kind) {}

    Kind kind() const noexcept { return kind_; }

    const std::vector<Entry>& entries() const noexcept { return entries_; }

    const Value* find(std::string_view key) const noexcept;
    void put(std::string_view key, const Value& value);
    bool erase(std::string_view key);

  private:
    std::size_t find_index(std::string_view key) const noexcept;

    Kind kind_;
    std::vector<Entry> entries_;
    // Only once there are many. Ordered: the keys may be a client's, who could make hashes collide.
    std::map<std::string_view, std::size_t> index_;
};

/// One rendering's memory, its bounds and its fault. Everything made here lives until the end of
/// the rendering, so that no cycle leaks and no destructor recurses. The first fault wins; after it
/// functions return quickly and their values mean nothing: ask ok().
class Work {
  public:
    bool ok() const noexcept { return !error_.code; }

    void fail(Errc code, std::string detail);

    /// Puts `where` in front of the fault's detail, once.
    void locate(std::string_view where);

    const Error& error() const noexcept { return error_; }

    /// One step of work, and one more for each limits::kTemplateStepBytes looked at or copied.
    bool spend(std::size_t bytes = 0);

    std::string_view keep(std::string&& text);

    std::string_view keep(std::string_view text) { return keep(std::string(text)); }

    List* make_list(bool json = false);
    Map* make_map(Map::Kind kind = Map::Kind::plain);
    Entry* make_entry(const Entry& entry);

    /// False when the memory is used up.
    bool append(List& list, const Value& value);
    bool put(Map& map, std::string_view key, const Value& value);

    /// The regular expressions of this rendering; pattern.cpp makes them.
    std::shared_ptr<PatternCache>& patterns() noexcept { return patterns_; }

  private:
    bool reserve(std::size_t bytes);

    std::deque<std::string> texts_;
    std::deque<List> lists_;
    std::deque<Map> maps_;
    std::deque<Entry> entries_;
    std::shared_ptr<PatternCache> patterns_;
    std::size_t steps_ = 0;
    std::size_t bytes_ = 0;
    Error error_;
    bool located_ = false;
};

inline bool is_null(const Value& value) noexcept {
    return std::holds_alternative<Null>(value);
}

inline bool is_number(const Value& value) noexcept {
    return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

/// Of a number (is_number).
double to_double(const Value& value) noexcept;

/// Java's equals, with numbers compared by what they are worth.
bool equal(Work& work, const Value& a, const Value& b, int depth = 0);

/// The member as a template reads it: a missing or null one of a service's map is "".
Value get_member(const Map& map, std::string_view key);

}  // namespace gatehouse::templates
