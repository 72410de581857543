#pragma once

#include <array>
#include <string>
#include <string_view>

namespace gatehouse::jwt {

using Sha256 = std::array<unsigned char, 32>;

/// @throws std::runtime_error  out of memory, or no provider has SHA-256
Sha256 sha256(std::string_view bytes);

/// @return false where sha256 would throw; the digest is not one then
bool hash_sha256(std::string_view bytes, Sha256& digest) noexcept;

/// RFC 2104 with SHA-256. Of tokens only what --dev overrides are: authz/dev_override.hpp.
Sha256 hmac_sha256(std::string_view key, std::string_view bytes);

/// 64 lower-case hex digits.
std::string to_hex(const Sha256& digest);

/// The first 8 hex digits of the SHA-256: what stands for a token or a secret in logs and traces.
std::string short_digest(std::string_view secret);

/// Compares in a time that depends on the lengths only (for the admin token).
bool equals_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace gatehouse::jwt
