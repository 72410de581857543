#pragma once

#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/gateway_response.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/forward/forward_plan.hpp"
#include "gatehouse/http/request_head.hpp"
#include "gatehouse/template/template.hpp"

#include <re2/re2.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Integrations that map: HTTP and MOCK. Requests go through a request template, answers through the
// integration response that fits their status (API Gateway developer guide, "Data transformations
// for REST APIs").
namespace gatehouse::mapping {

/// What becomes of content that no request template fits.
enum class Passthrough : std::uint8_t { when_no_match, when_no_templates, never };

struct ResponseSpec {
    std::string key;  ///< for traces
    int status_code = 200;
    std::string selection_pattern;                           ///< RE2; empty: the default
    std::map<std::string, std::string> response_parameters;  ///< method.response.header.X -> source
    std::map<std::string, std::string> response_templates;   ///< MIME type -> template
};

struct IntegrationSpec {
    bool mock = false;
    std::map<std::string, std::string> request_templates;  ///< MIME type or "$default" -> template
    Passthrough passthrough = Passthrough::when_no_match;
    /// Those of requestParameters that read the body: integration.request.… -> method.request.body…
    std::map<std::string, std::string> body_parameters;
    std::vector<ResponseSpec> responses;
    bool plain_headers = false;
    /// Client headers that no template sees: names that Gatehouse writes, as in events of
    /// functions.
    std::vector<std::string> reserved_headers;
    std::vector<std::string> reserved_prefixes;
};

/// A request as the backend is to get it.
struct MappedRequest {
    std::string body;
    templates::Overrides overrides;
    forward::Additions additions;
    std::string_view chosen;  ///< key of the template; empty: the content passed through
    int status = 0;           ///< MOCK: the statusCode that the template gave; 0: none was asked
};

/// What a backend answered; of a MOCK its status alone.
struct BackendAnswer {
    int status = 0;
    std::span<const http::Field> fields;
    std::string_view content;
};

struct MappedAnswer {
    authz::RenderedResponse response;
    std::string_view key;     ///< of the integration response
    std::string_view chosen;  ///< MIME type of the template; empty: the content passed through
};

/// The value of a body, or of a place in it: `body`, `body.JSONPATH`.
class BodySource {
  public:
    /// @param path  what stands behind `…body`: nothing, or `.JSONPATH`. Errc::config_invalid
    static Result<BodySource> make(std::string_view path);

    /// The value as text; nullopt where there is none. Errc::json_… when the body is no JSON.
    Result<std::optional<std::string>> read(std::string_view body) const;

  private:
    std::optional<templates::Template> path_;  ///< nothing: the whole body
};

class Integration {
  public:
    /// Errc::config_invalid, detail: JSON pointer below `integration`, ": ", reason
    static Result<Integration> make(IntegrationSpec spec);

    bool is_mock() const noexcept { return spec_.mock; }

    /// Chooses the request template by Content-Type and renders it.
    /// @return the request, or Errc::media_type_unsupported, request_body_not_json,
    /// template_failed, mock_status_invalid
    Result<MappedRequest> map_request(const authz::RequestFacts& facts,
                                      std::string_view content) const;

    /// Chooses the integration response by status, and its template by Accept.
    /// @return the client's answer (headers as whole lines without Date, Connection and
    /// Content-Length), or Errc::integration_response_unmatched, template_failed, mapping_invalid
    Result<MappedAnswer> map_response(const authz::RequestFacts& facts,
                                      const templates::Overrides& earlier,
                                      const BackendAnswer& answer) const;

  private:
    using Templates = std::vector<std::pair<std::string, templates::Template>>;

    /// The right-hand side of a response parameter.
    struct Source {
        enum class Kind : std::uint8_t { expression, header, multi_header, body };
        Kind kind = Kind::expression;
        std::string name;  ///< of the backend's header
        std::optional<authz::Expression> expression;
        std::optional<BodySource> body;
    };

    struct Response {
        std::string key;
        int status_code = 200;
        std::shared_ptr<const re2::RE2> pattern;  ///< null: the default
        std::vector<std::pair<std::string, Source>> headers;
        Templates templates;
    };

    struct BodyParameter {
        enum class Place : std::uint8_t { header, querystring, path };
        Place place = Place::header;
        std::string name;
        BodySource source;
    };

    static Result<Templates> compile_templates(const std::map<std::string, std::string>& texts,
                                               const std::string& pointer);
    static Result<Source> compile_source(std::string_view text);
    static Result<Response> compile_response(const ResponseSpec& spec);
    Result<void> compile_body_parameters();

    const Templates::value_type* choose_request(std::string_view type) const noexcept;
    Result<void> add_body_parameters(std::string_view content, MappedRequest& mapped) const;
    const Response* choose_response(int status) const;
    Result<std::vector<std::string>> read_source(const Source& source,
                                                 const authz::RequestFacts& facts,
                                                 const BackendAnswer& answer) const;
    Result<authz::ValueMap> read_headers(const Response& response,
                                         const authz::RequestFacts& facts,
                                         const BackendAnswer& answer) const;
    Result<void> write_headers(const authz::ValueMap& headers,
                               std::string_view content_type,
                               const authz::RequestFacts& facts,
                               std::string& out) const;

    IntegrationSpec spec_;  ///< without its texts
    Templates request_templates_;
    std::vector<BodyParameter> body_parameters_;
    std::vector<Response> responses_;
};

}  // namespace gatehouse::mapping
