#include "gatehouse/app/request_ids.hpp"

#include "gatehouse/app/trace.hpp"
#include "gatehouse/core/bytes16.hpp"

#include <algorithm>
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

// Sixteen bytes as lower-case hexadecimal digits, all at once.
void write_hex(std::array<char, 32>& out, const std::array<unsigned char, 16>& bytes) noexcept {
    const Bytes16 whole = load16(bytes.data());
    const Bytes16 high = whole >> 4;
    const Bytes16 low = whole & 15;
    const auto digits = [](Bytes16 values) {
        const auto letters = reinterpret_cast<Bytes16>(values > 9);
        return values + '0' + (letters & ('a' - '0' - 10));
    };
    const Bytes16 first = digits(
        __builtin_shufflevector(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    const Bytes16 second = digits(__builtin_shufflevector(
        high, low, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
    std::memcpy(out.data(), &first, sizeof first);
    std::memcpy(out.data() + 16, &second, sizeof second);
}

void write_uuid(std::array<char, 36>& out, const std::array<unsigned char, 16>& bytes) noexcept {
    std::array<char, 32> digits;
    write_hex(digits, bytes);
    char* to = out.data();
    std::memcpy(to, digits.data(), 8);
    std::memcpy(to + 9, digits.data() + 8, 4);
    std::memcpy(to + 14, digits.data() + 12, 4);
    std::memcpy(to + 19, digits.data() + 16, 4);
    std::memcpy(to + 24, digits.data() + 20, 12);
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
    std::array<unsigned char, 16> trace;
    for (int i = 0; i < 4; ++i)
        trace[static_cast<std::size_t>(i)] = static_cast<unsigned char>(seconds >> (24 - 8 * i));
    std::memcpy(trace.data() + 4, &random[2], 8);
    std::memcpy(trace.data() + 12, &random[3], 4);
    std::array<char, 32> digits;
    write_hex(digits, trace);
    char* to = ids.trace_id.data();
    to[0] = '1';
    to[1] = to[10] = '-';
    std::memcpy(to + 2, digits.data(), 8);
    std::memcpy(to + 11, digits.data() + 8, 24);
}

}  // namespace gatehouse::app
