#pragma once

#include "gatehouse/core/memo.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <cstddef>
#include <string>

namespace gatehouse::jwt {

/// A JOSE header that passed its own checks, with the trail of them.
struct ReadHeader {
    std::string algorithm;  ///< as it is written; whether it is allowed is the provider's affair
    std::string kid;        ///< empty: none
    CheckTrail checks;
};

/// Headers by their base64url text: an issuer signs with few keys, so that all its tokens begin
/// alike.
class HeaderMemo : public Memo<ReadHeader> {
  public:
    static constexpr std::size_t kMostEntries = 32;
    static constexpr std::size_t kMostBytes = std::size_t{64} << 10;  ///< of the texts

    HeaderMemo() : Memo(kMostEntries, kMostBytes) {}
};

}  // namespace gatehouse::jwt
