#include "server_tls.hpp"

#include "gatehouse/net/certificates.hpp"
#include "gatehouse/net/client_tls.hpp"
#include "pem_files.hpp"
#include "server_names.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <iterator>
#include <memory>
#include <string>

namespace gatehouse::net {
namespace {

constexpr std::chrono::hours kTicketKeyLife{24};
constexpr long kSessionSeconds = 7200;
constexpr int kSecurityLevel = 2;  // 112 bits: RSA from 2048
// Forward secrecy and AEAD (RFC 9325 4.2); those of TLS 1.3 are all so.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr unsigned char kSessionContext[] = "gatehouse";
constexpr unsigned char kProtocols[] = "\x08http/1.1";

/// What the default context owns: the names, and the contexts of the other certificates.
struct Choice {
    ServerNames names;
    std::vector<SslContext> contexts;  ///< from the second certificate on
};

void free_choice(void*, void* choice, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Choice*>(choice);
}

int choice_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_choice);
    return index;
}

// A connection keeps the context it began with, and so its Choice.
int choose_certificate(SSL* ssl, int*, void* choice) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const auto& all = *static_cast<const Choice*>(choice);
    const std::optional<std::size_t> found = all.names.find(name);
    if (!found) return SSL_TLSEXT_ERR_NOACK;  // the default one: the client judges it
    if (*found > 0) SSL_set_SSL_CTX(ssl, all.contexts[*found - 1].get());
    return SSL_TLSEXT_ERR_OK;
}

// RFC 7301 3.2: a client that speaks none of ours is told so, and not answered in another language.
int choose_protocol(SSL*,
                    const unsigned char** chosen,
                    unsigned char* chosen_size,
                    const unsigned char* offered,
                    unsigned offered_size,
                    void*) {
    unsigned char* out = nullptr;
    if (SSL_select_next_proto(
            &out, chosen_size, kProtocols, sizeof(kProtocols) - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = out;
    return SSL_TLSEXT_ERR_OK;
}

class ListenerLoader {
  public:
    ListenerLoader(const config::ListenerTls& files, std::vector<config::Problem>& problems)
        : files_(files), problems_(problems) {}

    SslContext load() {
        auto choice = std::make_unique<Choice>();
        SslContext first;
        if (!files_.client_ca.empty()) load_authorities();
        for (const config::CertificateFiles& files : files_.certificates) {
            SslContext context = load_one(files, *choice);
            if (!first) {
                first = std::move(context);
            } else {
                choice->contexts.push_back(std::move(context));
            }
        }
        if (!problems_.empty() || !first) return nullptr;
        SSL_CTX_set_tlsext_servername_callback(first.get(), choose_certificate);
        SSL_CTX_set_tlsext_servername_arg(first.get(), choice.get());
        if (SSL_CTX_set_ex_data(first.get(), choice_index(), choice.get()) != 1) return nullptr;
        choice.release();
        return first;
    }

  private:
    void problem(const std::string& pointer, const std::string& file, const std::string& what) {
        problems_.push_back({pointer, 0, "\"" + file + "\" " + what});
    }

    void load_authorities() {
        const std::string pointer = files_.pointer + "/clientCa";
        auto all = read_certificates(files_.client_ca);
        if (!all) return problem(pointer, files_.client_ca, all.error().detail);
        for (std::size_t i = 0; i < all->size(); ++i) {
            if (X509_check_ca((*all)[i].get()) == 0)
                problem(pointer,
                        files_.client_ca,
                        "has a certificate that may not sign others, number " +
                            std::to_string(i + 1) + "; authorities alone are wanted");
        }
        authorities_ = std::move(*all);
    }

    SslContext load_one(const config::CertificateFiles& files, Choice& choice) {
        const std::string at_certificate = files.pointer + "/certificate";
        const std::string at_key = files.pointer + "/privateKey";
        SslContext context(make());
        auto chain = read_certificates(files.certificate);
        auto key = read_private_key(files.private_key);
        if (!chain) problem(at_certificate, files.certificate, chain.error().detail);
        if (!key) problem(at_key, files.private_key, key.error().detail);
        if (!chain || !key || !context) return context;
        X509* leaf = chain->front().get();
        if (std::string fault = fault_in_dates(leaf); !fault.empty())
            problem(at_certificate, files.certificate, fault);
        if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1)
            problem(at_certificate,
                    files.certificate,
                    "is not for TLS servers (its key usage says what it is for)");
        if (X509_check_private_key(leaf, key->get()) != 1) {
            problem(at_key,
                    files.private_key,
                    "does not fit the certificate, which has another public key");
        } else if (!use_certificate(context.get(), *chain, key->get())) {
            problem(at_certificate, files.certificate, "is not accepted: " + take_tls_reason());
        }
        ERR_clear_error();
        if (!choice.names.add(dns_names(leaf)) && &files != &files_.certificates.front())
            problem(at_certificate,
                    files.certificate,
                    "would never be chosen: no DNS name in its subjectAltName that is not in a "
                    "certificate before it");
        return context;
    }

    SslContext make() {
        SslContext context(SSL_CTX_new(TLS_server_method()));
        if (!context || choice_index() < 0) {
            problems_.push_back({files_.pointer, 0, "OpenSSL gives no context"});
            return nullptr;
        }
        SSL_CTX* raw = context.get();
        SSL_CTX_set_security_level(raw, kSecurityLevel);
        SSL_CTX_set_min_proto_version(
            raw, files_.minimum_version == "TLS_1_3" ? TLS1_3_VERSION : TLS1_2_VERSION);
        SSL_CTX_set_max_proto_version(raw, 0);
        SSL_CTX_set_cipher_list(raw, kCiphers);
        SSL_CTX_set_options(raw,
                            SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
        SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_read_ahead(raw, 1);  // a record's head and content in one receive
        SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
        SSL_CTX_set_session_id_context(raw, kSessionContext, sizeof(kSessionContext) - 1);
        SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_timeout(raw, kSessionSeconds);
        SSL_CTX_set_num_tickets(raw, 1);
        if (!files_.client_ca.empty()) require_client(raw);
        return context;
    }

    // A resumed session is not verified again, so there is none: what an authority no longer
    // vouches for ends with its connection.
    void require_client(SSL_CTX* context) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context, 0);
        X509_STORE* store = SSL_CTX_get_cert_store(context);
        // Whoever lists an authority trusts it, be it the root or one below.
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
        for (const Certificate& authority : authorities_) {
            X509_STORE_add_cert(store, authority.get());
            SSL_CTX_add_client_CA(context, authority.get());
        }
    }

    const config::ListenerTls& files_;
    std::vector<config::Problem>& problems_;
    std::vector<Certificate> authorities_;
};

}  // namespace

SslContext make_server_context(const config::ListenerTls& files,
                               std::vector<config::Problem>& problems) {
    return ListenerLoader(files, problems).load();
}

std::vector<std::filesystem::path> ServerTls::paths() const {
    std::vector<std::filesystem::path> all;
    for (const config::CertificateFiles& files : files_.certificates) {
        all.emplace_back(files.certificate);
        all.emplace_back(files.private_key);
    }
    if (!files_.client_ca.empty()) all.emplace_back(files_.client_ca);
    return all;
}

std::vector<config::Problem> ServerTls::load(SteadyTime now) {
    // Before the files: what changes while they are read is noticed next time.
    std::vector<FileStamp> seen = stamp_files(paths());
    std::vector<config::Problem> problems;
    SslContext fresh = make_server_context(files_, problems);
    if (!fresh && problems.empty())
        problems.push_back({files_.pointer, 0, "OpenSSL gives no context"});
    const std::lock_guard lock(mutex_);
    loaded_ = std::move(seen);
    loaded_at_ = now;
    if (problems.empty()) context_ = std::move(fresh);
    return problems;
}

bool ServerTls::is_stale(SteadyTime now) const {
    std::vector<FileStamp> seen = stamp_files(paths());
    const std::lock_guard lock(mutex_);
    return seen != loaded_ || now - loaded_at_ >= kTicketKeyLife;
}

SslContext ServerTls::context() const {
    const std::lock_guard lock(mutex_);
    if (context_) SSL_CTX_up_ref(context_.get());
    return SslContext(context_.get());
}

std::vector<config::Problem> check_certificates(const config::Model& model) {
    std::vector<config::Problem> problems;
    for (const config::Listener& listener : model.listeners) {
        if (!listener.tls) continue;
        std::vector<config::Problem> found;
        const SslContext unused = make_server_context(*listener.tls, found);
        std::move(found.begin(), found.end(), std::back_inserter(problems));
    }
    if (model.upstream_tls) {
        std::vector<config::Problem> found = ClientTls().configure(model.upstream_tls);
        std::move(found.begin(), found.end(), std::back_inserter(problems));
    }
    return problems;
}

}  // namespace gatehouse::net
