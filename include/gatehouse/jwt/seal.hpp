#pragma once

#include "gatehouse/jwt/digest.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::jwt {

/// HKDF with SHA-256 (RFC 5869), the first 32 bytes of its output.
Sha256 hkdf_sha256(std::string_view secret, std::string_view salt, std::string_view info);

/// Names and seals what is kept with somebody who is to learn nothing of it and can change nothing
/// about it. Thread-safe.
class Seal {
  public:
    /// @param secret  of at least 32 bytes that cannot be guessed
    explicit Seal(std::string_view secret);

    /// 43 characters (base64url) that stand for these texts in this order: HMAC-SHA-256.
    std::string name(std::initializer_list<std::string_view> parts) const;

    /// AES-256-GCM under a key of the name's own, with a random nonce in front: what stands under
    /// one name is nothing under another. (Keys of their own, because random nonces are good for
    /// 2^32 texts under one key: NIST SP 800-38D, 8.3.)
    std::string seal(std::string_view name, std::string_view text) const;

    /// The text; nothing when it is not what seal() gave for that name.
    std::optional<std::string> open(std::string_view name, std::string_view sealed) const;

  private:
    Sha256 key_for(std::string_view name) const;

    Sha256 naming_;
    Sha256 sealing_;
};

}  // namespace gatehouse::jwt
