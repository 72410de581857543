#pragma once

#include "gatehouse/core/result.hpp"
#include "gatehouse/http/request_head.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::http {

/// How a proxy that asks for a decision names the request it is about. One is configured, and no
/// name of another is ever read: a client can send those through the proxy.
enum class OriginalForm : std::uint8_t {
    nginx,      ///< X-Original-Method, -URI, -Host, -Proto and X-Real-IP, as its operator writes
    forwarded,  ///< X-Forwarded-Method, -Uri, -Host, -Proto and -For (Traefik, Caddy)
    envoy,      ///< the request line and Host themselves, X-Forwarded-Proto and -For
};

/// The path that the forms nginx and forwarded are asked at, and envoy never.
constexpr std::string_view kDecisionPath = "/decision";

/// The request that a proxy asks about.
struct OriginalRequest {
    /// As http::check_request leaves a request's own: without the fields that named it, its Host
    /// the client's. Views into the proxy's request, and into `fields`.
    RequestHead head;
    std::vector<Field> fields;
    std::string source_ip;   ///< the proxy's client, in the usual spelling
    bool secure = false;     ///< the client's connection to the proxy is TLS
    std::uint16_t port = 0;  ///< that the client asked at
};

/// Reads the request that `asked` is about. Each name of the form must be there exactly once and
/// have a value that says one thing; the address of a list is its last, which the proxy itself
/// wrote. Then the request must pass what a direct one must (check_request). Reuses the storage of
/// `into`, whose head tells method and target as far as they are known when it fails.
/// Errc: decision_unreadable (the proxy's fault; detail: which name, and what is wrong), or that of
/// check_request (the client's)
Result<void> read_original_request(OriginalForm form,
                                   const RequestHead& asked,
                                   OriginalRequest& into);

}  // namespace gatehouse::http
