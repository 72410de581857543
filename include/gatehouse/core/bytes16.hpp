#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace gatehouse {

/// Sixteen bytes that are looked at at once, by what the processor has for it.
using Bytes16 = std::uint8_t __attribute__((vector_size(16)));

inline Bytes16 load16(const void* from) noexcept {
    Bytes16 bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    return bytes;
}

/// The number of the first byte of 0xff among bytes that are 0xff or 0; 16: there is none.
inline int find_first(Bytes16 marks) noexcept {
#ifdef __SSE2__
    using Signed16 = char __attribute__((vector_size(16)));
    const int bits = __builtin_ia32_pmovmskb128(reinterpret_cast<Signed16>(marks));
    return std::countr_zero(static_cast<unsigned>(bits) | 0x10000U);
#else
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t halves[2];
    std::memcpy(halves, &marks, sizeof halves);
    return (halves[0] != 0 ? std::countr_zero(halves[0]) : 64 + std::countr_zero(halves[1])) / 8;
#endif
}

/// 0xff for each byte that is a control, as is_control() has it.
inline Bytes16 controls_of(Bytes16 bytes) noexcept {
    return reinterpret_cast<Bytes16>(bytes < 0x20) | reinterpret_cast<Bytes16>(bytes == 0x7f);
}

}  // namespace gatehouse
