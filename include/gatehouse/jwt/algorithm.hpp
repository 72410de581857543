#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::jwt {

/// JWS algorithms that exist in the verifier (RFC 7518 3.1, RFC 8037). `none` and HMAC do not.
enum class Algorithm : std::uint8_t {
    rs256,
    rs384,
    rs512,
    ps256,
    ps384,
    ps512,
    es256,
    es384,
    es512,
    eddsa
};

constexpr int kAlgorithmCount = 10;

/// "RS256" -> rs256; exact case; nullopt for any other name.
std::optional<Algorithm> find_algorithm(std::string_view name) noexcept;

std::string_view to_string(Algorithm algorithm) noexcept;

/// A set of algorithms.
class AlgorithmSet {
  public:
    constexpr void add(Algorithm algorithm) noexcept {
        bits_ = static_cast<std::uint16_t>(bits_ | (1U << static_cast<unsigned>(algorithm)));
    }

    constexpr bool has(Algorithm algorithm) const noexcept {
        return (bits_ >> static_cast<unsigned>(algorithm) & 1U) != 0;
    }

    constexpr bool empty() const noexcept { return bits_ == 0; }

    /// "RS256, ES256"
    std::string to_string() const;

  private:
    std::uint16_t bits_ = 0;
};

}  // namespace gatehouse::jwt
