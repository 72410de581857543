#pragma once

#include "gatehouse/app/ports.hpp"
#include "gatehouse/app/token_introspector.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace gatehouse::net {

class ClientTls;

/// Asks introspection endpoints on the control thread, each question over a connection of its own:
/// https is verified, redirects are not followed, answers are bounded by
/// limits::kIntrospectionBytes. At most limits::kIntrospectionCalls are under way, and
/// limits::kIntrospectionQueue wait, within their own time. Logs a line when an endpoint begins to
/// fail and when it answers again. `control`, `clock` and `tls` must outlive it.
class IntrospectionClient final : public app::TokenIntrospector {
  public:
    IntrospectionClient(boost::asio::io_context& control,
                        const app::Clock& clock,
                        const ClientTls& tls);
    ~IntrospectionClient() override;
    IntrospectionClient(const IntrospectionClient&) = delete;
    IntrospectionClient& operator=(const IntrospectionClient&) = delete;

    void introspect(app::IntrospectionCall call, app::IntrospectionDone done) override;

    /// Ends every question as failed, on the thread that calls, while the control loop does not
    /// run. Later ones end at once.
    void stop();

  private:
    struct State;
    std::shared_ptr<State> state_;  ///< shared with what is posted to `control`
};

}  // namespace gatehouse::net
