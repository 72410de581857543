#pragma once

#include "value.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

// The methods of Java's String, List, Map, Map.Entry and boxed types that templates use. A method
// that a value's own type lacks, or arguments of types that it does not take, give null, as
// Velocity's look-up does; a name that no type has is refused when the template is compiled.
namespace gatehouse::templates {

struct Call {
    Work& work;
    const Value& self;
    std::span<const Value> arguments;

    /// The argument when it is text, or an integer; each method says what it takes.
    std::optional<std::string_view> text(std::size_t at) const noexcept;
    std::optional<std::int64_t> integer(std::size_t at) const noexcept;

    /// An exception in the service: the rendering fails.
    Value fail(std::string detail) const;
};

struct Method {
    std::string_view name;
    std::size_t least = 0;  ///< arguments
    std::size_t most = 0;
    Value (*run)(const Call&) = nullptr;
};

std::span<const Method> text_methods() noexcept;
std::span<const Method> list_methods() noexcept;
std::span<const Method> map_methods() noexcept;
std::span<const Method> entry_methods() noexcept;
std::span<const Method> integer_methods() noexcept;
std::span<const Method> real_methods() noexcept;
std::span<const Method> boolean_methods() noexcept;

/// Calls `self.name(arguments)`. Null when there is no such method.
Value call_method(const Call& call, std::string_view name);

/// Whether any type has a method of that name; with that many arguments.
bool is_method(std::string_view name) noexcept;
bool is_method(std::string_view name, std::size_t arguments) noexcept;

/// `value.name` and `value[index]`, where there is one.
Value read_property(Work& work, const Value& value, std::string_view name);
Value read_index(Work& work, const Value& value, const Value& index);

/// `#set($value.name = …)`, `#set($value[index] = …)`.
void write_property(Work& work, const Value& value, std::string_view name, const Value& member);
void write_index(Work& work, const Value& value, const Value& index, const Value& member);

/// Map.put with what its kind allows. False after a fault.
bool put_checked(Work& work, Map& map, std::string_view key, const Value& value);

}  // namespace gatehouse::templates
