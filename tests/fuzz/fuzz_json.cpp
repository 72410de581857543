// JSON from outside is read by one parser, configuration, which may have comments, by another: they
// must agree.
#include "fuzz/require.hpp"
#include "gatehouse/core/json.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace {

// An exponent that may fit no int: 0e99999999999 is a number to one of them alone.
bool has_long_exponent(std::string_view text) {
    bool exponent = false;
    std::size_t digits = 0;
    for (const char c : text) {
        if (c >= '0' && c <= '9') {
            if (exponent && ++digits > 8) return true;
        } else if (c != '+' && c != '-') {
            exponent = c == 'e' || c == 'E';
            digits = 0;
        }
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // An exact-size copy, so that a read past the end is seen.
    const std::unique_ptr<char[]> copy(new char[size]);
    for (std::size_t i = 0; i < size; ++i)
        copy[i] = static_cast<char>(data[i]);
    const std::string_view text(copy.get(), size);

    const auto plain = gatehouse::parse_json(text);
    const auto commented = gatehouse::parse_json(text, {.comments = true});
    if (plain) {
        require(commented.has_value(), "what has no comments is read where they are allowed");
        require(*plain == *commented, "to the same value");
        // -0.0 equals 0, yet it is written as what it is.
        require(gatehouse::dump_json(*plain) == gatehouse::dump_json(*commented), "and its sign");
        require(gatehouse::parse_json(gatehouse::dump_json(*plain)).has_value(),
                "what is written is read");
        return 0;
    }
    const bool may_differ = text.find('/') != std::string_view::npos || has_long_exponent(text);
    require(may_differ || !commented, "nothing but comments is allowed");
    return 0;
}
