#include "client_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/pem.h>

#include <string>

namespace gatehouse::net {
namespace {

struct FreeMemoryBio {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

/// Text that OpenSSL prints.
class Printed {
  public:
    BIO* bio() const noexcept { return bio_.get(); }

    std::string text() const {
        char* data = nullptr;
        const long size = BIO_get_mem_data(bio_.get(), &data);
        return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
    }

  private:
    std::unique_ptr<BIO, FreeMemoryBio> bio_{BIO_new(BIO_s_mem())};
};

std::string print_pem(const X509* certificate) {
    const Printed out;
    return PEM_write_bio_X509(out.bio(), certificate) == 1 ? out.text() : std::string();
}

// As RFC 2253 escapes it, UTF-8 as it is, but in the certificate's own order: so the service was
// seen to write it ("C=US,…,CN=My Client"; AWS Compute Blog, "Introducing mutual TLS
// authentication", 2020).
std::string print_name(const X509_NAME* name) {
    const unsigned long form =
        XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS |
        (ASN1_STRFLGS_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
    const Printed out;
    return X509_NAME_print_ex(out.bio(), name, 0, form) >= 0 ? out.text() : std::string();
}

std::string print_time(const ASN1_TIME* time) {
    const Printed out;
    return ASN1_TIME_print(out.bio(), time) == 1 ? out.text() : std::string();
}

// Short numbers were seen in decimal ("1", the same post), long ones as "a1:b2:…" (developer
// guide): what `openssl x509 -text` prints.
std::string print_serial(const ASN1_INTEGER* serial) {
    std::int64_t number = 0;
    if (ASN1_INTEGER_get_int64(&number, serial) == 1) return std::to_string(number);
    constexpr char kDigits[] = "0123456789abcdef";
    const unsigned char* bytes = ASN1_STRING_get0_data(serial);
    std::string text = (ASN1_STRING_type(serial) & V_ASN1_NEG) != 0 ? "-" : "";
    for (int i = 0; i < ASN1_STRING_length(serial); ++i) {
        if (i > 0) text += ':';
        text += kDigits[bytes[i] >> 4];
        text += kDigits[bytes[i] & 15];
    }
    return text;
}

}  // namespace

std::shared_ptr<const authz::ClientCertificate> describe_certificate(const X509* certificate) {
    if (certificate == nullptr) return nullptr;
    auto shown = std::make_shared<authz::ClientCertificate>();
    shown->pem = print_pem(certificate);
    shown->subject = print_name(X509_get_subject_name(certificate));
    shown->issuer = print_name(X509_get_issuer_name(certificate));
    shown->serial = print_serial(X509_get0_serialNumber(certificate));
    shown->not_before = print_time(X509_get0_notBefore(certificate));
    shown->not_after = print_time(X509_get0_notAfter(certificate));
    // A subject may be empty (RFC 5280 4.1.2.6), an issuer not.
    const bool whole =
        !shown->pem.empty() && !shown->issuer.empty() && !shown->not_before.empty() &&
        !shown->not_after.empty() &&
        (!shown->subject.empty() || X509_NAME_entry_count(X509_get_subject_name(certificate)) == 0);
    return whole ? shown : nullptr;
}

}  // namespace gatehouse::net
