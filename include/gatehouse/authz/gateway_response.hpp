#pragma once

#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/authz/response_type.hpp"
#include "gatehouse/authz/verdict.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/core/result.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::authz {

/// A gateway error before rendering: what the service would say by default.
struct GatewayError {
    ResponseType type = ResponseType::default_5xx;
    int status = 500;
    std::optional<std::string> message;  ///< nullopt renders as JSON null
    std::string_view error_type;         ///< x-amzn-ErrorType
    std::string_view key = "message";    ///< ACCESS_DENIED: "Message"
    bool spaced = false;      ///< errors raised during execution have a space after the colon
    bool plain_text = false;  ///< 413 of the front end: text, not JSON
    std::string validation;   ///< $context.error.validationErrorString; empty: none
};

/// The error of a refused verdict. `authorization` is the client's Authorization value (empty:
/// none), which the service's SigV4 parser comments on for unrouted requests; its SHA-256 only is
/// ever shown.
GatewayError make_error(const Verdict& verdict,
                        std::string_view authorization,
                        bool deny_messages_2015);

/// The error of a request that did not pass validation. `text`: the names of the missing parameters
/// (`[divisor, dividend]`), or what is wrong with the body.
GatewayError make_validation_error(Errc reason, std::string text);

/// The error of a request that could not be read or forwarded: reading errors
/// (http::status_of_read_error), body_too_large, upstream_*, overloaded, draining, mapping_invalid,
/// internal.
/// @param body_limit  what the text of body_too_large names: `limits.bodyBytes`
GatewayError make_error(Errc reason, std::uint64_t body_limit = limits::kBodyBytes);

struct GatewayResponseSpec {
    std::optional<int> status_code;
    std::vector<std::pair<std::string, std::string>>
        response_parameters;  ///< gatewayresponse.header.X -> expression
    std::map<std::string, std::string> response_templates;
};

/// An answer of the gateway's own. `headers` are whole lines in order, without Date, Connection and
/// Content-Length.
struct RenderedResponse {
    int status = 500;
    std::string headers;
    std::string body;
};

/// An API's gatewayResponses, compiled. Lookup: the type's own, else DEFAULT_4XX or DEFAULT_5XX by
/// the default status (with the type's own status when the default has none), else built in.
/// Immutable, shared between threads.
class GatewayResponses {
  public:
    GatewayResponses() = default;

    /// Errc::config_invalid, detail begins with a JSON pointer below `gatewayResponses`
    static Result<GatewayResponses> make(const std::map<std::string, GatewayResponseSpec>& specs);

    /// Renders body and headers to the byte as the service does: Content-Type, x-amzn-ErrorType,
    /// x-amzn-RequestId, x-amz-apigw-id, then configured headers (a configured name replaces a
    /// default one). Header values that hold controls are left out.
    RenderedResponse render(const GatewayError& error, RequestFacts facts) const;

  private:
    struct Compiled {
        std::optional<int> status_code;
        std::vector<std::pair<std::string, Expression>> headers;
        std::vector<std::pair<std::string, Template>> templates;  ///< MIME type -> body
    };

    const Compiled* find(const GatewayError& error) const noexcept;

    std::map<ResponseType, Compiled> specs_;
};

}  // namespace gatehouse::authz
