#pragma once

#include "gatehouse/config/keys.hpp"
#include "gatehouse/config/locate.hpp"
#include "source.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::config {

/// "a string", "a list", … for messages.
std::string_view name_type(const Json& value);

/// A string value. Anything else is a problem, but one of unresolved environment references, which
/// is reported already.
std::optional<std::string> read_text(const Json& value, const std::string& pointer, Source& source);

/// Reads one object of the file. Making it refuses every key that is not in `keys`, with a
/// suggestion; a value that is no object is one problem and reads as an empty object. Each read_…
/// leaves its target alone, and returns false, when the key is absent or its value is wrong; a
/// wrong value is a problem.
class ObjectReader {
  public:
    ObjectReader(const Json& value, std::string pointer, keys::Keys keys, Source& source);

    /// The member, or nullptr.
    const Json* find(std::string_view name) const;

    bool has(std::string_view name) const { return find(name) != nullptr; }

    /// find(); absent is a problem. `what` says what is wanted, e.g. "the issuer's URL".
    const Json* require(std::string_view name, std::string_view what);

    bool read(std::string_view name, std::string& into);
    bool read(std::string_view name, bool& into);

    /// A string, valid when `fault` returns nothing for it.
    bool read_checked(std::string_view name,
                      std::string& into,
                      const std::function<std::string(std::string_view)>& fault);

    /// One of `allowed`.
    bool read_choice(std::string_view name, std::string& into, keys::Keys allowed);

    std::optional<std::int64_t> read_integer(std::string_view name,
                                             std::int64_t least,
                                             std::int64_t most);

    template <class Number>
    bool read_number(std::string_view name, Number& into, std::int64_t least, std::int64_t most) {
        const std::optional<std::int64_t> number = read_integer(name, least, most);
        if (number) into = static_cast<Number>(*number);
        return number.has_value();
    }

    template <class Rep, class Period>
    bool read_duration(std::string_view name,
                       std::chrono::duration<Rep, Period>& into,
                       std::int64_t least,
                       std::int64_t most) {
        const std::optional<std::int64_t> number = read_integer(name, least, most);
        if (number) into = std::chrono::duration<Rep, Period>(*number);
        return number.has_value();
    }

    /// A list of strings, each valid when `fault` (may be empty) returns nothing for it.
    bool read_list(std::string_view name,
                   std::vector<std::string>& into,
                   const std::function<std::string(std::string_view)>& fault = {});

    /// The elements of a list of whatever kind, with their pointers. Absent: none.
    void each_element(std::string_view name,
                      const std::function<void(const Json&, const std::string& pointer)>& take);

    /// The members of an object whose keys are the user's own, with their pointers. Absent: none.
    void each_member(
        std::string_view name,
        const std::function<void(const std::string& key, const Json&, const std::string& pointer)>&
            take);

    /// Pointer of a member.
    std::string at(std::string_view name) const { return append_pointer(pointer_, name); }

    const std::string& pointer() const { return pointer_; }

    Source& source() { return source_; }

    void problem(std::string_view name, std::string message) {
        source_.problem(at(name), std::move(message));
    }

    /// A problem when the key is there: it would be ignored.
    void refuse(std::string_view name, const std::string& why);

  private:
    void refuse_unknown(keys::Keys keys);
    void check_size(std::string_view name, const Json& value);

    const Json* object_;  ///< nullptr: it was no object
    std::string pointer_;
    Source& source_;
};

}  // namespace gatehouse::config
