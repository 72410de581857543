#include "pem_files.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <utility>

namespace gatehouse::net {
namespace {

constexpr std::size_t kMostBytes = 1024 * 1024;

struct FreeBio {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

using Bio = std::unique_ptr<BIO, FreeBio>;

Result<std::string> read_file(const std::string& path) {
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return fail(Errc::config_unreadable,
                    std::string("cannot be opened: ") +
                        (errno == 0 ? "unknown error" : std::strerror(errno)));
    // Bounded while it is read: a device or a pipe may have no end.
    std::string text(kMostBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    const std::streamsize got = file.gcount();
    if (file.bad() || (got == 0 && !file.eof()))
        return fail(Errc::config_unreadable, "cannot be read");
    text.resize(static_cast<std::size_t>(got));
    if (text.size() > kMostBytes) return fail(Errc::config_invalid, "is larger than 1 MB");
    return text;
}

Bio view(const std::string& text) {
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Asked for the passphrase of an encrypted key: there is none, and nobody is to be asked at a
// terminal, as OpenSSL would by itself.
int refuse_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

std::string date_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
    char text[40];
    return {text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S GMT", &parts)};
}

}  // namespace

std::string fault_in_dates(const X509* certificate) {
    const ASN1_TIME* begins = X509_get0_notBefore(certificate);
    const ASN1_TIME* ends = X509_get0_notAfter(certificate);
    if (X509_cmp_current_time(ends) <= 0) return "expired at " + date_of(ends);
    if (X509_cmp_current_time(begins) >= 0) return "is not valid before " + date_of(begins);
    return {};
}

bool use_certificate(SSL_CTX* context, const std::vector<Certificate>& chain, EVP_PKEY* key) {
    ERR_clear_error();
    if (SSL_CTX_use_certificate(context, chain.front().get()) != 1 ||
        SSL_CTX_use_PrivateKey(context, key) != 1)
        return false;
    for (std::size_t i = 1; i < chain.size(); ++i) {
        if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) return false;
    }
    return true;
}

std::string take_tls_reason() {
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "unknown error" : reason;
}

Result<std::vector<Certificate>> read_certificates(const std::string& path) {
    const Result<std::string> text = read_file(path);
    if (!text) return text.error();
    const Bio bio = view(*text);
    ERR_clear_error();
    std::vector<Certificate> all;
    bool asked = false;
    while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, refuse_passphrase, &asked))
        all.emplace_back(one);
    // The end of the file is an error to OpenSSL, and the only one that is none.
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const std::string reason = take_tls_reason();
    if (!at_end)
        return fail(Errc::config_invalid,
                    "has a certificate that cannot be read (" + reason + "), number " +
                        std::to_string(all.size() + 1));
    if (all.empty())
        return fail(Errc::config_invalid, "has no \"-----BEGIN CERTIFICATE-----\": PEM is wanted");
    return all;
}

Result<PrivateKey> read_private_key(const std::string& path) {
    const Result<std::string> text = read_file(path);
    if (!text) return text.error();
    const Bio bio = view(*text);
    ERR_clear_error();
    bool asked = false;
    PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &asked));
    // What OpenSSL says of a file without a key depends on what else is in it.
    const bool none = text->find("PRIVATE KEY-----") == std::string::npos;
    const std::string reason = take_tls_reason();
    if (asked)
        return fail(Errc::config_invalid,
                    "is encrypted, and there is no passphrase to give; take the passphrase off "
                    "(openssl pkey -in FILE -out PLAIN) and keep the file to yourself");
    if (!key && none)
        return fail(Errc::config_invalid, "has no \"-----BEGIN PRIVATE KEY-----\": PEM is wanted");
    if (!key) return fail(Errc::config_invalid, "has a key that cannot be read (" + reason + ")");
    return key;
}

}  // namespace gatehouse::net
