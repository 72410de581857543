#pragma once

#include <openssl/x509.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::net {

/// The DNS names of a certificate's subjectAltName, lower case; wildcards as "*.example.com". Names
/// that no client would match (a star elsewhere, a NUL) are left out.
std::vector<std::string> dns_names(const X509* certificate);

/// Which of several certificates answers a name.
class ServerNames {
  public:
    /// The names of the next certificate.
    /// @return false: each of them is taken by one before, so that it would never be chosen
    bool add(const std::vector<std::string>& names);

    /// The index of the certificate that has the name itself, else of one whose wildcard stands for
    /// its first label (RFC 9525 6.3); of several the first. Case does not count.
    std::optional<std::size_t> find(std::string_view name) const noexcept;

  private:
    struct Entry {
        std::string name;  ///< of a wildcard: ".example.com"
        bool wildcard;
        std::size_t index;
    };

    const Entry* find_entry(std::string_view name, bool wildcard) const noexcept;

    std::vector<Entry> entries_;
    std::size_t size_ = 0;
};

}  // namespace gatehouse::net
