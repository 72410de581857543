#pragma once

#include "file_stamps.hpp"
#include "gatehouse/config/model.hpp"
#include "gatehouse/config/parse.hpp"
#include "gatehouse/core/time.hpp"
#include "tls_context.hpp"

#include <filesystem>
#include <mutex>
#include <utility>
#include <vector>

namespace gatehouse::net {

/// TLS as a server, for one listener: TLS 1.2 with forward secrecy and AEAD alone, and 1.3; ALPN
/// "http/1.1"; the certificate by the name that the client asks for; with clientCa, no client
/// without a certificate. Connections take a context each; load() replaces it for those to come.
class ServerTls {
  public:
    explicit ServerTls(config::ListenerTls files) : files_(std::move(files)) {}

    /// Reads all files. With a problem, what was loaded before stays. Thread-safe.
    std::vector<config::Problem> load(SteadyTime now);

    /// True when a file is another than at the last load(), or that was a day ago: the keys of
    /// session tickets live as long as their context, and no longer than that. Thread-safe.
    bool is_stale(SteadyTime now) const;

    /// What a new connection begins with; null before the first load() that had no problem.
    /// Thread-safe.
    SslContext context() const;

    /// All files that load() reads.
    std::vector<std::filesystem::path> paths() const;

  private:
    config::ListenerTls files_;
    mutable std::mutex mutex_;  ///< of all below
    SslContext context_;
    std::vector<FileStamp> loaded_;
    SteadyTime loaded_at_{};
};

/// One context from the files, or nothing and problems. For tests, and for ServerTls::load().
SslContext make_server_context(const config::ListenerTls& files,
                               std::vector<config::Problem>& problems);

}  // namespace gatehouse::net
