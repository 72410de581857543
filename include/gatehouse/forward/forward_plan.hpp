#pragma once

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/forward/answer_mapping.hpp"
#include "gatehouse/forward/context_headers.hpp"
#include "gatehouse/http/request_head.hpp"

#include <boost/container/small_vector.hpp>

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::forward {

/// Where an integration's requests go. Also the key of the upstream pool.
struct Endpoint {
    bool tls = false;
    std::string host;  ///< name or address literal, no brackets
    std::uint16_t port = 80;
    std::string host_header;  ///< host[:port] as the upstream's Host field
    std::string host_line;    ///< that field: "Host: …\r\n"
    std::string tls_name;     ///< in SNI and in the certificate; empty: the host

    auto operator<=>(const Endpoint&) const = default;
};

class OwnedNames;
class TailWriter;

/// What the plans of one configuration have in common, each once: of many routes most were used
/// long ago, and what they share is near all the same.
class SharedParts {
  public:
    std::shared_ptr<const Endpoint> share(Endpoint endpoint);
    std::shared_ptr<const OwnedNames> share(OwnedNames names);

  private:
    struct ByContent {
        template <class T>
        bool operator()(const std::shared_ptr<T>& a, const std::shared_ptr<T>& b) const {
            return *a < *b;
        }
    };

    std::set<std::shared_ptr<const Endpoint>, ByContent> endpoints_;
    std::set<std::shared_ptr<const OwnedNames>, ByContent> names_;
};

/// Of a URL with nothing behind its host and port: "http://10.0.0.1:8080". Errc::config_invalid
Result<Endpoint> parse_endpoint(std::string_view url);

/// Names and values that a mapping template, or a mapping of the body, gives a request: they go
/// before the plan's own mappings. Whoever writes them into a head checks them.
struct Additions {
    authz::ValueMap headers;
    authz::ValueMap querystring;
    authz::ValueMap path;
};

struct ForwardOptions {
    std::string uri;          ///< "http://127.0.0.1:3000/items/{id}?a=b"
    std::string tls_name;     ///< tlsConfig.serverNameToVerify; empty: the uri's host
    std::string http_method;  ///< empty or "ANY": the client's
    std::map<std::string, std::string> request_parameters;
    AnswerParameters answer_parameters;        ///< HTTP APIs
    std::vector<std::string> path_parameters;  ///< names of the route's template
    ContextHeaderOptions context_headers;
    bool plain_headers = false;
    bool http_api = false;             ///< request_parameters and headers are those of an HTTP API
    bool append_request_path = false;  ///< HTTP APIs: the $default route adds the path to its uri's
    /// Names and beginnings of names that are Gatehouse's on every route, also where this one
    /// writes none of them: clients' fields of such a name are removed.
    std::vector<std::string> reserved_headers;
    std::vector<std::string> reserved_prefixes;
};

/// One HTTP_PROXY integration, compiled: what reaches the upstream. Immutable, shared between
/// threads. Writing a head allocates nothing once the output string has grown.
class ForwardPlan {
  public:
    /// Errc::config_invalid, saying what is wrong
    static Result<ForwardPlan> make(const ForwardOptions& options, SharedParts& shared);
    static Result<ForwardPlan> make(const ForwardOptions& options);

    const Endpoint& endpoint() const noexcept { return *endpoint_; }

    /// The method that the upstream sees.
    std::string_view method(const authz::RequestFacts& facts) const noexcept;

    /// Appends the whole request head, the empty line included, to `out`. The head is written anew
    /// from the parsed form: one Host, one framing field (Content-Length as `framing` says, or
    /// Transfer-Encoding: chunked), hop-by-hop fields and what Connection names removed, client
    /// copies of every name that Gatehouse writes removed in every spelling (case, `_` for `-`),
    /// then mapped parameters, the grant's header block, X-Forwarded-*, X-Amzn-Trace-Id and the
    /// service's own additions (API Gateway developer guide, "Important notes", header remapping
    /// for HTTP proxy integrations).
    /// @param host_line  "Host: …\r\n" of an upstream's target; empty: the uri's own
    /// @return Errc::none, context_unusable or mapping_invalid (a mapped value with control bytes)
    Errc write_request_head(const authz::RequestFacts& facts,
                            const http::Framing& framing,
                            std::string& out,
                            std::string_view host_line = {}) const;

    /// The same for a custom integration (type HTTP): of the client's fields and query nothing goes
    /// on but what is mapped. `additions` go before the mappings.
    /// @return Errc::none, context_unusable or mapping_invalid (a value that cannot stand there, a
    /// header that only the gateway writes)
    Errc write_custom_head(const authz::RequestFacts& facts,
                           const http::Framing& framing,
                           const Additions& additions,
                           std::string& out,
                           std::string_view host_line = {}) const;

    /// Appends what another proxy is to send on in the authorizer's name: the lines of mapped
    /// headers that read its context, then those of the context headers.
    /// @return Errc::none, context_unusable
    Errc write_context_lines(const authz::RequestFacts& facts, std::string& out) const;

    /// The status that the client gets for the upstream's.
    int answer_status(int status) const noexcept {
        return status_after(answer_mapping_.find(status), status);
    }

    /// Appends the answer head for the client: status line, upstream fields by http::response_fate,
    /// Date, x-amzn-RequestId, x-amz-apigw-id, framing and Connection as told.
    /// @param date  "Tue, 24 Nov 2026 04:00:00 GMT"
    void write_response_head(const http::ResponseHead& head,
                             const authz::RequestFacts& facts,
                             const http::Framing& framing,
                             bool keep_alive,
                             std::string_view date,
                             std::string& out) const;

  private:
    struct UriPart {
        std::string text;    ///< literal, or empty
        int parameter = -1;  ///< index of the route's path parameter
        int mapping = -1;    ///< index into path_mappings_
        std::string name;    ///< of the placeholder; empty: a literal
    };

    enum class Action : std::uint8_t { set, append, remove };

    struct Mapping {
        std::string name;
        authz::Expression expression;
        http::FieldId id = http::FieldId::other;
        bool authorizer =
            false;  ///< the source is authorizer context: a bad value is the authorizer's fault
        Action action = Action::set;  ///< HTTP APIs
    };

    /// The default headers that a mapping has written already.
    struct Written {
        bool accept = false;
        bool content_type = false;
        bool user_agent = false;
        bool forwarded_for = false;
        bool forwarded_port = false;
        bool forwarded_proto = false;

        void mark(http::FieldId id) noexcept;
    };

    Result<void> set_mappings(const ForwardOptions& options);
    Result<void> set_http_mappings(const ForwardOptions& options);
    Result<void> add_http_mapping(std::string_view key,
                                  std::string_view text,
                                  const ForwardOptions& options);
    Result<Endpoint> set_uri(const ForwardOptions& options);
    OwnedNames find_owned(const ForwardOptions& options);

    Errc append_target(const authz::RequestFacts& facts, std::string& out) const;
    Errc append_path(const authz::RequestFacts& facts, std::string& out) const;
    Errc append_query(const authz::RequestFacts& facts, std::string& out) const;
    Errc append_mapped_path(const authz::RequestFacts& facts, std::string& out) const;
    void append_filtered_query(std::string_view query, std::string& out) const;
    void append_http_additions(const authz::RequestFacts& facts, std::string& out) const;
    void append_http_answer(const http::ResponseHead& head,
                            const authz::RequestFacts& facts,
                            const AnswerMapping::Rule* rule,
                            std::string& out) const;
    Errc append_part(const UriPart& part,
                     const authz::RequestFacts& facts,
                     bool query,
                     std::string& out) const;
    Errc append_host(const authz::RequestFacts& facts,
                     std::string_view host_line,
                     std::string& out) const;
    void append_client_fields(const authz::RequestFacts& facts,
                              Written& written,
                              std::string& out) const;
    Errc append_mapped_headers(const authz::RequestFacts& facts,
                               Written& written,
                               std::string& out) const;
    void append_context(const authz::RequestFacts& facts,
                        const Additions* additions,
                        std::string& out) const;
    void append_additions(const authz::RequestFacts& facts,
                          const Written& written,
                          std::string& out) const;
    void append_forwarded_for(const authz::RequestFacts& facts, TailWriter& lines) const;

    // custom_head.cpp
    Errc append_custom_path(const authz::RequestFacts& facts,
                            const Additions& additions,
                            std::string& out) const;
    Errc append_custom_part(const UriPart& part,
                            const authz::RequestFacts& facts,
                            const Additions& additions,
                            bool query,
                            std::string& out) const;
    Errc append_custom_query(const authz::RequestFacts& facts,
                             const Additions& additions,
                             std::string& out) const;
    Errc append_custom_headers(const authz::RequestFacts& facts,
                               const http::Framing& framing,
                               const Additions& additions,
                               std::string_view host_line,
                               std::string& out) const;
    Errc append_mapped_header(const Mapping& mapping,
                              const authz::RequestFacts& facts,
                              std::string& out) const;

    std::shared_ptr<const Endpoint> endpoint_;
    std::shared_ptr<const OwnedNames> owned_;  ///< what clients may not send
    std::string http_method_;
    boost::container::small_vector<UriPart, 2> path_parts_;
    std::vector<UriPart> query_parts_;
    bool has_query_ = false;
    bool check_path_ =
        false;  ///< a filled-in path needs a second look: it could hold a dot or an empty segment
    std::vector<Mapping> path_mappings_;
    std::vector<Mapping> header_mappings_;
    std::vector<Mapping> query_mappings_;
    int host_mapping_ = -1;        ///< index into header_mappings_
    bool mapped_context_ = false;  ///< a mapped header is called as a context header could be
    bool own_forwarded_for_ =
        false;  ///< X-Forwarded-For is mapped somewhere: no client may begin the list
    ContextHeaderOptions context_headers_;
    bool plain_ = false;
    bool http_ = false;
    bool append_request_path_ = false;
    bool filters_query_ = false;  ///< a mapping takes parameters out of the client's query
    std::vector<authz::Expression::Part> mapped_path_;  ///< overwrite:path; empty: none
    AnswerMapping answer_mapping_;
};

}  // namespace gatehouse::forward
