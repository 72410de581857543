#pragma once

#include "gatehouse/app/inspector.hpp"
#include "gatehouse/app/reloader.hpp"

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::admin {

/// A request as the listener hands it over: whole, and framed without doubt.
struct Request {
    std::string method;
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;  ///< as they came, in order
    std::string body;
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";  ///< empty: no content
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Who may ask.
struct Access {
    std::string address;  ///< the configured one, which a Host field may name
    std::string token;    ///< empty: none is asked for (loopback only; config sees to that)
};

/// The admin API: health, metrics, report, cache, traces, flush, reload. It has no socket of its
/// own and decides nothing but who may ask.
///
/// - A Host that is neither the configured address nor a loopback name is refused with 403, so that
/// no web page can reach it through a name
///   that resolves to this machine (DNS rebinding). The health calls pass: probes use addresses.
/// - A cross-site Origin or Sec-Fetch-Site is refused with 403; no CORS field is ever sent.
/// - With a token, everything but the health calls wants it as a Bearer credential: 401.
/// - Without a token nobody may send a configuration (403): it can name programs to run.
///
/// Errors are {"message":"…"}.
class AdminApi {
  public:
    /// Both outlive it.
    AdminApi(app::Inspector& inspector, app::Reloader& reloader, Access access);

    /// From now on these may ask.
    void admit(Access access) { access_ = std::move(access); }

    /// Control thread. Never fails; what goes wrong is a status.
    boost::asio::awaitable<Response> handle(Request request);

  private:
    app::Inspector& inspector_;
    app::Reloader& reloader_;
    Access access_;
};

}  // namespace gatehouse::admin
