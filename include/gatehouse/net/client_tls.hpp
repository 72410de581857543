#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/config/parse.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

struct ssl_ctx_st;

namespace gatehouse::net {

/// TLS as a client, for all outgoing connections: the peer is verified against the system's
/// authorities and those of `upstreamTls`, whose certificate is shown to peers that ask for one.
/// Connections take a context each; load() replaces it for those to come. Thread-safe but for
/// configure().
class ClientTls {
  public:
    ClientTls();
    ~ClientTls();
    ClientTls(const ClientTls&) = delete;
    ClientTls& operator=(const ClientTls&) = delete;

    /// Before anything is connected: from now on by these settings, whose files are read. Nothing
    /// of them counts where there is a problem.
    std::vector<config::Problem> configure(const std::optional<config::UpstreamTls>& settings);

    /// Reads the files again. With a problem, what was loaded before stays.
    std::vector<config::Problem> load();

    /// True when a file is another than at the last load().
    bool is_stale() const;

    /// The files that load() reads.
    std::vector<std::filesystem::path> paths() const;

    /// A reference of the caller's own. The system's authorities are read, which takes some 50 ms,
    /// at the first call or load(). Null: OpenSSL gives none.
    ssl_ctx_st* take_context() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::net
