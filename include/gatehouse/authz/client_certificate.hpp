#pragma once

#include <string>

namespace gatehouse::authz {

/// What the service tells of the certificate that a client has shown (mutual TLS): members of
/// requestContext.identity.clientCert.
struct ClientCertificate {
    std::string pem;
    std::string subject;  ///< "C=US,O=Example,CN=client", in the certificate's order
    std::string issuer;
    std::string serial;      ///< "1"; beyond 64 bits "a1:b2:…"
    std::string not_before;  ///< "May 28 12:30:02 2019 GMT"
    std::string not_after;
};

}  // namespace gatehouse::authz
