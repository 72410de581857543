#pragma once

#include "gatehouse/app/key_store.hpp"
#include "gatehouse/app/ports.hpp"

#include <boost/asio/io_context.hpp>

namespace gatehouse::net {

class ClientTls;

/// Performs the key store's fetches on the control thread: discovery where no JWKS URL is
/// configured, then the key set, by http, https or from a file. Logs a line when the outcome
/// changes. Limits: the source's timeout for all of it, limits::kJwksBytes, no redirects.
class JwksFetcher {
  public:
    /// @param tls  outlives it
    JwksFetcher(boost::asio::io_context& control,
                app::KeyStore& keys,
                const app::Clock& clock,
                const ClientTls& tls);

    /// Becomes the store's StartFetch. From any thread.
    void start(std::uint32_t source, const app::KeySourceOptions& options);

  private:
    boost::asio::io_context& control_;
    app::KeyStore& keys_;
    const app::Clock& clock_;
    const ClientTls& tls_;
};

}  // namespace gatehouse::net
