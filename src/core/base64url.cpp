#include "gatehouse/core/base64url.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace gatehouse {
namespace {

constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// What a character adds to the three bytes of its group, by where it stands there; the first byte
// is the lowest, so that the sum is stored as it is.
struct Values {
    std::array<std::array<std::uint32_t, 256>, 4> at;
};

constexpr std::uint32_t kOutside = 0x80000000;

constexpr Values make_values(std::string_view alphabet) {
    Values values{};
    for (auto& row : values.at)
        row.fill(kOutside);
    for (std::uint32_t i = 0; i < alphabet.size(); ++i) {
        const auto c = static_cast<unsigned char>(alphabet[i]);
        values.at[0][c] = i << 2;
        values.at[1][c] = i >> 4 | (i & 0xf) << 12;
        values.at[2][c] = (i >> 2) << 8 | (i & 3) << 22;
        values.at[3][c] = i << 16;
    }
    return values;
}

static_assert(std::endian::native == std::endian::little, "sums are laid out as they are stored");

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
    const char* from = text.data();
    char* to = out.data();
    const auto value_of = [&](std::size_t at, std::size_t place) {
        return values.at[place][static_cast<unsigned char>(from[at])];
    };
    std::uint32_t all = 0;  // what every character adds: looked at once
    std::size_t at = 0;
    // A whole word is stored, since at least two characters follow, which overwrite its last byte.
    for (; text.size() - at > 4; at += 4, to += 3) {
        const std::uint32_t sum =
            value_of(at, 0) | value_of(at + 1, 1) | value_of(at + 2, 2) | value_of(at + 3, 3);
        all |= sum;
        std::memcpy(to, &sum, sizeof sum);
    }
    std::uint32_t sum = 0;
    for (std::size_t place = 0; at + place < text.size(); ++place)
        sum |= value_of(at + place, place);
    all |= sum;
    const std::size_t left = out.size() - static_cast<std::size_t>(to - out.data());
    for (std::size_t i = 0; i < left; ++i)
        to[i] = static_cast<char>(sum >> (8 * i) & 0xff);
    if ((all & kOutside) != 0) return fail(Errc::base64_invalid, "character outside the alphabet");
    if (sum >> (8 * left) != 0) return fail(Errc::base64_invalid, "unused bits are not zero");
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
