#include "gatehouse/app/request_ids.hpp"

#include "gatehouse/app/trace.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>

namespace gatehouse::app {
namespace {

std::uint64_t rotate_left(std::uint64_t x, int k) noexcept {
    return (x << k) | (x >> (64 - k));
}

// splitmix64 (Steele, Lea, Flood 2014): spreads one seed over the state.
std::uint64_t spread(std::uint64_t& x) noexcept {
    std::uint64_t z = (x += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

std::uint64_t system_seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32) | device();
}

// Four bytes as eight lower-case hexadecimal digits, all at once.
void write_hex(char* out, const unsigned char* bytes) noexcept {
    static_assert(std::endian::native == std::endian::little);
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    std::uint32_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    // A byte in every second one, then its halves in two, the high one first.
    std::uint64_t spread = word;
    spread = (spread | spread << 16) & 0x0000ffff0000ffff;
    spread = (spread | spread << 8) & 0x00ff00ff00ff00ff;
    std::uint64_t digits = (spread >> 4 & 0x000f000f000f000f) | (spread & 0x000f000f000f000f) << 8;
    const std::uint64_t letters = (digits + 6 * kOnes) >> 4 & kOnes;
    digits += '0' * kOnes + letters * ('a' - '0' - 10);
    std::memcpy(out, &digits, sizeof digits);
}

void write_uuid(std::array<char, 36>& out, const std::array<unsigned char, 16>& bytes) noexcept {
    char digits[32];
    for (std::size_t at = 0; at < bytes.size(); at += 4)
        write_hex(digits + 2 * at, bytes.data() + at);
    char* to = out.data();
    std::memcpy(to, digits, 8);
    std::memcpy(to + 9, digits + 8, 4);
    std::memcpy(to + 14, digits + 12, 4);
    std::memcpy(to + 19, digits + 16, 4);
    std::memcpy(to + 24, digits + 20, 12);
    to[8] = to[13] = to[18] = to[23] = '-';
}

}  // namespace

IdSource::IdSource() : IdSource(system_seed()) {}

IdSource::IdSource(std::uint64_t seed) {
    for (std::uint64_t& word : state_)
        word = spread(seed);
}

std::uint64_t IdSource::next() noexcept {
    const std::uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate_left(state_[3], 45);
    return result;
}

void IdSource::make(RequestIds& ids, WallTime now, std::string_view client_id) noexcept {
    const std::uint64_t random[4] = {next(), next(), next(), next()};
    const auto given = client_id.empty() ? std::nullopt : parse_request_id(client_id);
    if (given) {
        ids.bytes = *given;
    } else {
        std::memcpy(ids.bytes.data(), random, ids.bytes.size());
        ids.bytes[6] =
            static_cast<unsigned char>((ids.bytes[6] & 0x0f) | 0x40);  // RFC 9562 5.4: version 4
        ids.bytes[8] = static_cast<unsigned char>((ids.bytes[8] & 0x3f) | 0x80);
    }
    write_uuid(ids.request_id, ids.bytes);
    // An id that the client chose may come twice; the short one never does.
    std::array<unsigned char, 16> source = ids.bytes;
    if (given) std::memcpy(source.data(), &random[2], source.size());
    ids.extended_id = make_extended_id(source);
    const auto seconds = static_cast<std::uint32_t>(
        std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
    unsigned char time[4];
    for (int i = 0; i < 4; ++i)
        time[i] = static_cast<unsigned char>(seconds >> (24 - 8 * i));
    char* to = ids.trace_id.data();
    to[0] = '1';
    to[1] = to[10] = '-';
    write_hex(to + 2, time);
    unsigned char rest[12];
    std::memcpy(rest, &random[2], 8);
    std::memcpy(rest + 8, &random[3], 4);
    for (std::size_t at = 0; at < sizeof rest; at += 4)
        write_hex(to + 11 + 2 * at, rest + at);
}

}  // namespace gatehouse::app
