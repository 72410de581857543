#pragma once

#include "evp.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/jwt/jwks.hpp"

#include <memory>
#include <string>

namespace gatehouse::jwt {

/// Readies `pkey` to verify for each of `algorithms`; `members` are its public_members.
/// @return Errc::jwks_invalid when OpenSSL does not take the key for one of them
Result<std::shared_ptr<const PublicKey>> make_public_key(PkeyPtr pkey,
                                                         const Json& members,
                                                         std::string kid,
                                                         AlgorithmSet algorithms);

}  // namespace gatehouse::jwt
