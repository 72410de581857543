#pragma once

#include "gatehouse/http/request_head.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

struct CorsOptions {
    std::vector<std::string> allow_origins;  ///< lower case; "*", "https://*", "http://*" too
    std::vector<std::string> allow_methods;
    std::vector<std::string> allow_headers;
    std::vector<std::string> expose_headers;
    std::optional<int> max_age;
    bool allow_credentials = false;
};

/// An HTTP API's corsConfiguration (API Gateway developer guide, "Configuring CORS for an HTTP
/// API"): it answers preflights, and its headers take the place of the backend's. Immutable, shared
/// between threads.
class Cors {
  public:
    explicit Cors(CorsOptions options);

    /// True for OPTIONS with Origin and Access-Control-Request-Method (Fetch standard, "CORS
    /// protocol").
    static bool is_preflight(const http::RequestHead& head) noexcept;

    /// Appends the header lines of a preflight's answer.
    void append_preflight(const http::RequestHead& head, std::string& headers) const;

    /// Appends the header lines of any other answer. No allocation once `headers` has grown.
    void append_answer(const http::RequestHead& head, std::string& headers) const;

    /// True for a field that an API with this configuration does not take from its backends.
    static bool is_own(std::string_view name) noexcept;

  private:
    bool append_origin(const http::RequestHead& head, std::string& headers) const;

    std::vector<std::string> origins_;
    bool any_origin_ = false;
    std::string shared_;     ///< lines of every answer to an allowed origin
    std::string preflight_;  ///< lines that only a preflight's answer has
};

}  // namespace gatehouse::authz
