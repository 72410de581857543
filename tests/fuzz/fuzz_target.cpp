// Path handling: whatever is accepted is free of everything that two readers could understand in
// two ways, and a path that came out goes in unchanged.
#include "fuzz/require.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/target.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace {

// Percent-decoding as an upstream would do it, written for clarity.
std::string decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            require(i + 2 < text.size() && gatehouse::hex_value(text[i + 1]) >= 0 &&
                        gatehouse::hex_value(text[i + 2]) >= 0,
                    "every % begins a triple");
            out += static_cast<char>(gatehouse::hex_value(text[i + 1]) * 16 +
                                     gatehouse::hex_value(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

void check_segments(std::string_view path) {
    require(path.starts_with('/'), "begins with a slash");
    path.remove_prefix(1);
    while (true) {
        const std::size_t slash = path.find('/');
        const std::string_view segment = path.substr(0, slash);
        require(slash == std::string_view::npos || !segment.empty(), "no empty inner segment");
        const std::string_view name = segment.substr(0, segment.find(';'));
        require(name != "." && name != "..", "no dot segment");
        if (slash == std::string_view::npos) return;
        path.remove_prefix(slash + 1);
    }
}

void check_path(const gatehouse::http::Target& target) {
    check_segments(target.path);
    const std::string decoded = decode(target.path);
    // The whole path decoded once: also what %2F hides is clean.
    check_segments(decoded);
    require(gatehouse::is_utf8(decoded), "UTF-8 once decoded");
    for (const char c : decoded) {
        require(!gatehouse::is_control(c), "no control");
        require(c != '\\', "no backslash");
    }
    for (const char c : target.path) {
        require(gatehouse::is_unreserved(c) ||
                    std::string_view("!$&'()*+,;=:@/%").find(c) != std::string_view::npos,
                "only URI syntax");
    }
    require(target.trailing_slash == (target.path.size() > 1 && target.path.ends_with('/')),
            "trailing_slash");
    require(target.encoded_slash == (target.path.find("%2F") != std::string_view::npos),
            "encoded_slash");
    if (target.path_parameter) return;
    require(decoded.find(';') == std::string::npos, "no path parameter");
    // Not flagged: decoding a second time makes no new separator, dot or backslash either. A stray
    // % is data by then.
    for (const std::string_view hidden : {"%2F", "%2f", "%5C", "%5c", "%2E", "%2e", "%3B", "%3b"}) {
        const bool is_new = decoded.find(hidden) != std::string::npos;
        require(!is_new, "nothing doubly encoded");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // An exact-size copy, so that a read past the end is seen.
    const std::unique_ptr<char[]> copy(new char[size]);
    for (std::size_t i = 0; i < size; ++i)
        copy[i] = static_cast<char>(data[i]);
    const std::string_view raw(copy.get(), size);

    std::string scratch;
    const gatehouse::Result<gatehouse::http::Target> target =
        gatehouse::http::parse_target(raw, scratch);
    if (!target) return 0;
    if (target->asterisk) {
        require(raw == "*" && target->path == "*", "asterisk-form is exactly that");
        return 0;
    }
    check_path(*target);
    if (target->has_query) {
        require(raw.ends_with(target->query) && raw[raw.size() - target->query.size() - 1] == '?',
                "query as it came");
    }

    std::string second_scratch;
    const gatehouse::Result<gatehouse::http::Target> again =
        gatehouse::http::parse_target(target->path, second_scratch);
    require(again.has_value(), "an accepted path is accepted");
    require(again->path == target->path, "idempotent");
    require(second_scratch.empty(), "a normalised path is not rewritten");
    require(again->path_parameter == target->path_parameter &&
                again->encoded_slash == target->encoded_slash,
            "same flags");
    return 0;
}
