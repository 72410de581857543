#include "gatehouse/net/client_tls.hpp"

#include "file_stamps.hpp"
#include "pem_files.hpp"
#include "tls_context.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <mutex>
#include <string>
#include <utility>

namespace gatehouse::net {
namespace {

class ClientLoader {
  public:
    ClientLoader(const config::UpstreamTls& settings, std::vector<config::Problem>& problems)
        : settings_(settings), problems_(problems) {}

    void load(SSL_CTX* context) {
        if (settings_.minimum_version == "TLS_1_3")
            SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
        if (!settings_.ca.empty()) trust(context);
        if (!settings_.certificate.empty()) show(context);
        ERR_clear_error();
    }

  private:
    void problem(std::string_view key, const std::string& file, const std::string& what) {
        problems_.push_back(
            {settings_.pointer + "/" + std::string(key), 0, "\"" + file + "\" " + what});
    }

    void trust(SSL_CTX* context) {
        auto all = read_certificates(settings_.ca);
        if (!all) return problem("ca", settings_.ca, all.error().detail);
        X509_STORE* store = SSL_CTX_get_cert_store(context);
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
        for (std::size_t i = 0; i < all->size(); ++i) {
            X509* one = (*all)[i].get();
            if (X509_check_ca(one) == 0)
                problem("ca",
                        settings_.ca,
                        "has a certificate that may not sign others, number " +
                            std::to_string(i + 1) + "; authorities alone are wanted");
            X509_STORE_add_cert(store, one);
        }
    }

    void show(SSL_CTX* context) {
        auto chain = read_certificates(settings_.certificate);
        auto key = read_private_key(settings_.private_key);
        if (!chain) problem("certificate", settings_.certificate, chain.error().detail);
        if (!key) problem("privateKey", settings_.private_key, key.error().detail);
        if (!chain || !key) return;
        X509* leaf = chain->front().get();
        if (std::string fault = fault_in_dates(leaf); !fault.empty())
            problem("certificate", settings_.certificate, fault);
        if (X509_check_purpose(leaf, X509_PURPOSE_SSL_CLIENT, 0) != 1)
            problem("certificate",
                    settings_.certificate,
                    "is not for TLS clients (its key usage says what it is for)");
        if (X509_check_private_key(leaf, key->get()) != 1) {
            problem("privateKey",
                    settings_.private_key,
                    "does not fit the certificate, which has another public key");
        } else if (!use_certificate(context, *chain, key->get())) {
            problem("certificate", settings_.certificate, "is not accepted: " + take_tls_reason());
        }
    }

    const config::UpstreamTls& settings_;
    std::vector<config::Problem>& problems_;
};

}  // namespace

struct ClientTls::Impl {
    std::optional<config::UpstreamTls> settings;
    std::mutex mutex;  ///< of all below
    SslContext context;
    std::vector<FileStamp> loaded;
};

ClientTls::ClientTls() : impl_(std::make_unique<Impl>()) {}

ClientTls::~ClientTls() = default;

std::vector<config::Problem> ClientTls::configure(
    const std::optional<config::UpstreamTls>& settings) {
    impl_->settings = settings;
    return settings ? load() : std::vector<config::Problem>();
}

std::vector<config::Problem> ClientTls::load() {
    std::vector<config::Problem> problems;
    std::vector<FileStamp> seen = stamp_files(paths());
    SslContext fresh = make_client_context();
    if (!fresh) problems.push_back({"/upstreamTls", 0, "OpenSSL gives no context"});
    if (fresh && impl_->settings) ClientLoader(*impl_->settings, problems).load(fresh.get());
    const std::lock_guard lock(impl_->mutex);
    impl_->loaded = std::move(seen);
    if (problems.empty()) impl_->context = std::move(fresh);
    return problems;
}

bool ClientTls::is_stale() const {
    if (!impl_->settings) return false;
    const std::vector<FileStamp> seen = stamp_files(paths());
    const std::lock_guard lock(impl_->mutex);
    return seen != impl_->loaded;
}

std::vector<std::filesystem::path> ClientTls::paths() const {
    std::vector<std::filesystem::path> all;
    if (!impl_->settings) return all;
    for (const std::string* file :
         {&impl_->settings->ca, &impl_->settings->certificate, &impl_->settings->private_key}) {
        if (!file->empty()) all.emplace_back(*file);
    }
    return all;
}

ssl_ctx_st* ClientTls::take_context() const {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->context) impl_->context = make_client_context();
    if (impl_->context) SSL_CTX_up_ref(impl_->context.get());
    return impl_->context.get();
}

}  // namespace gatehouse::net
