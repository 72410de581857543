#include "gatehouse/core/base64url.hpp"

#include <array>
#include <cstdint>

namespace gatehouse {
namespace {

constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

using Values = std::array<std::uint8_t, 256>;

constexpr std::uint8_t kOutside = 0xff;

constexpr Values make_values(std::string_view alphabet) {
    Values values{};
    values.fill(kOutside);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}

constexpr Values kUrlValues = make_values(kUrl);
constexpr Values kStandardValues = make_values(kStandard);

std::string encode(std::string_view bytes, std::string_view alphabet) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : bytes) {
        bits = (bits << 8) | static_cast<unsigned char>(c);
        count += 8;
        while (count >= 6) {
            count -= 6;
            out += alphabet[(bits >> count) & 63];
        }
    }
    if (count > 0) out += alphabet[(bits << (6 - count)) & 63];
    return out;
}

Result<std::string> decode(std::string_view text, const Values& values) {
    if (text.size() % 4 == 1) return fail(Errc::base64_invalid, "length");
    std::string out(text.size() * 3 / 4, '\0');
    const auto value_at = [&](std::size_t at) -> std::uint32_t {
        return values[static_cast<unsigned char>(text[at])];
    };
    char* to = out.data();
    std::uint32_t outside = 0;  // has a high bit where some character is outside: looked at once
    std::size_t at = 0;
    for (; at + 4 <= text.size(); at += 4) {
        const std::uint32_t a = value_at(at), b = value_at(at + 1);
        const std::uint32_t c = value_at(at + 2), d = value_at(at + 3);
        outside |= a | b | c | d;
        const std::uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        *to++ = static_cast<char>(bits >> 16 & 0xff);
        *to++ = static_cast<char>(bits >> 8 & 0xff);
        *to++ = static_cast<char>(bits & 0xff);
    }
    std::uint32_t bits = 0;
    int count = 0;
    for (; at < text.size(); ++at) {
        outside |= value_at(at);
        bits = bits << 6 | value_at(at);
        count += 6;
        if (count >= 8) {
            count -= 8;
            *to++ = static_cast<char>(bits >> count & 0xff);
        }
    }
    if (outside > 63) return fail(Errc::base64_invalid, "character outside the alphabet");
    if ((bits & ((1U << count) - 1)) != 0)
        return fail(Errc::base64_invalid, "unused bits are not zero");
    return out;
}

}  // namespace

Result<std::string> decode_base64url(std::string_view text) {
    return decode(text, kUrlValues);
}

Result<std::string> decode_base64(std::string_view text) {
    if (text.ends_with('=')) {
        if (text.size() % 4 != 0) return fail(Errc::base64_invalid, "padding");
        text.remove_suffix(text.ends_with("==") ? 2 : 1);
    }
    return decode(text, kStandardValues);
}

std::string encode_base64url(std::string_view bytes) {
    return encode(bytes, kUrl);
}

std::string encode_base64(std::string_view bytes) {
    std::string out = encode(bytes, kStandard);
    while (out.size() % 4 != 0)
        out += '=';
    return out;
}

}  // namespace gatehouse
