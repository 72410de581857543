#pragma once

#include "gatehouse/authz/client_certificate.hpp"

#include <openssl/x509.h>

#include <memory>

namespace gatehouse::net {

/// The certificate of a client as events and logs show it.
/// @return null: something in it cannot be shown, so that nothing could be decided by it
std::shared_ptr<const authz::ClientCertificate> describe_certificate(const X509* certificate);

}  // namespace gatehouse::net
