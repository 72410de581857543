#include "util_functions.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/limits.hpp"
#include "json_value.hpp"
#include "utf16.hpp"
#include "value_text.hpp"

#include <algorithm>
#include <iterator>

namespace gatehouse::templates {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

void append_unit(std::uint32_t unit, std::string& out) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4)
        out += kHexDigits[(unit >> shift) & 15];
}

// UNCONFIRMED: the rules of Apache Commons Lang 2, whose function has this name. That a single
// quote gets a backslash, which JSON does not know, is documented; that a slash does is not.
Value escape_java_script(Work& work, std::string_view text) {
    constexpr std::string_view kPlain = "'\"\\/";
    constexpr std::string_view kControls = "\b\n\t\f\r";
    constexpr std::string_view kLetters = "bntfr";
    std::string out;
    while (!text.empty()) {
        const CodePoint point = first_code_point(text);
        const char c = text.front();
        text.remove_prefix(point.bytes);
        if (point.value > 0xffff) {
            append_unit(0xd800 + ((point.value - 0x10000) >> 10), out);
            append_unit(0xdc00 + ((point.value - 0x10000) & 0x3ff), out);
        } else if (kPlain.find(c) != std::string_view::npos) {
            out += '\\';
            out += c;
        } else if (const auto at = kControls.find(c); at != std::string_view::npos) {
            out += '\\';
            out += kLetters[at];
        } else if (point.value < 0x20 || point.value > 0x7f) {
            append_unit(point.value, out);
        } else {
            out += c;
        }
    }
    return work.keep(std::move(out));
}

Value parse_json_text(Work& work, std::string_view text) {
    return parse_value(work, text);
}

// java.net.URLEncoder.
Value url_encode(Work& work, std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_alpha(c) || is_digit(c) ||
            std::string_view(".-*_").find(c) != std::string_view::npos) {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            out += '%';
            out += kHexDigits[static_cast<unsigned char>(c) >> 4];
            out += kHexDigits[static_cast<unsigned char>(c) & 15];
        }
    }
    return work.keep(std::move(out));
}

// Bytes as Java reads them into a string.
std::string as_utf8(std::string&& bytes) {
    if (is_utf8(bytes)) return std::move(bytes);
    std::string out;
    for (std::string_view rest = bytes; !rest.empty();) {
        const CodePoint point = first_code_point(rest);
        const bool stray = point.bytes == 1 && static_cast<unsigned char>(rest.front()) >= 0x80;
        out += stray ? kReplacement : rest.substr(0, point.bytes);
        rest.remove_prefix(point.bytes);
    }
    return out;
}

Value url_decode(Work& work, std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else if (i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                   hex_value(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            work.fail(Errc::template_failed, "$util.urlDecode: a % is not followed by two digits");
            return Null{};
        }
    }
    return work.keep(as_utf8(std::move(out)));
}

Value base64_encode(Work& work, std::string_view text) {
    return work.keep(encode_base64(text));
}

// UNCONFIRMED how lenient the service is: both alphabets, with or without padding, and nothing
// else.
Value base64_decode(Work& work, std::string_view text) {
    while (text.ends_with('='))
        text.remove_suffix(1);
    std::string plain(text);
    std::ranges::replace(plain, '+', '-');
    std::ranges::replace(plain, '/', '_');
    auto decoded = decode_base64url(plain);
    if (!decoded) {
        work.fail(Errc::template_failed, "$util.base64Decode: " + decoded.error().detail);
        return Null{};
    }
    return work.keep(as_utf8(std::move(*decoded)));
}

struct Function {
    std::string_view name;
    Value (*run)(Work&, std::string_view);
};

constexpr Function kFunctions[] = {
    {"escapeJavaScript", escape_java_script},
    {"parseJson", parse_json_text},
    {"urlEncode", url_encode},
    {"urlDecode", url_decode},
    {"base64Encode", base64_encode},
    {"base64Decode", base64_decode},
};

const Function* find_function(std::string_view name) noexcept {
    const auto found = std::ranges::find(kFunctions, name, &Function::name);
    return found != std::end(kFunctions) ? found : nullptr;
}

}  // namespace

bool is_util_function(std::string_view name) noexcept {
    return find_function(name) != nullptr;
}

std::string_view util_functions() noexcept {
    return "escapeJavaScript, parseJson, urlEncode, urlDecode, base64Encode and base64Decode";
}

Value call_util(Work& work, std::string_view name, const Value& argument) {
    if (is_null(argument)) return Null{};
    const std::string_view text = to_text(work, argument);
    const Function* function = find_function(name);
    if (function == nullptr || !work.spend(text.size())) return Null{};
    return function->run(work, text);
}

}  // namespace gatehouse::templates
