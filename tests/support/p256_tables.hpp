#pragma once

#include <openssl/macros.h>
#include <openssl/opensslv.h>

namespace gatehouse::test {

/// Whether keys get tables with this OpenSSL (src/jwt/p256_table.cpp).
#if OPENSSL_VERSION_MAJOR == 3 && !defined(OPENSSL_NO_DEPRECATED_3_0)
constexpr bool kTables = true;
#else
constexpr bool kTables = false;
#endif

/// More good signatures than a key verifies before it wants its table.
constexpr int kOftenEnough = 64;

}  // namespace gatehouse::test
