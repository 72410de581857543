#pragma once

#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/result.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

/// The identity sources of a REQUEST authorizer of a REST API, in the order of the configuration:
/// headers, query parameters, stage variables and context variables (API Gateway developer guide,
/// "Configure an API Gateway Lambda authorizer"). Immutable, shared between threads.
class RequestIdentity {
  public:
    /// @param sources  names with commas between them, spaces allowed; empty: none
    /// Errc::config_invalid, saying what is allowed
    static Result<RequestIdentity> make(std::string_view sources);

    /// The same of an HTTP API: a list of $request.header.NAME, $request.querystring.NAME,
    /// $context.NAME and $stageVariables.NAME.
    static Result<RequestIdentity> make_for_http(std::span<const std::string> sources);

    /// The values that an identity was made of, in order.
    static std::vector<std::string> values_of(std::string_view identity);

    bool empty() const noexcept { return sources_.empty(); }

    struct Found {
        std::string_view identity;  ///< all values: the cache key. Views into `scratch`
        std::string_view first;     ///< the first value: where gatehouse:jwt finds its token
        Errc error = Errc::none;
        std::string_view source = {};  ///< with an error: the source that is at fault
    };

    /// Reads the sources of one request. Each value stands in the identity behind its length and a
    /// colon, so that no two lists of values look alike. Without sources both are empty.
    /// INVARIANT: headers and parameters are read as the function's event shows them. If the cache
    /// told callers apart by anything else, one policy could be had by showing the function less.
    /// Errc: identity_missing, identity_empty, identity_repeated (a second value of a header or a
    /// query parameter)
    Found find(const RequestFacts& facts, std::string& scratch) const;

  private:
    struct Source {
        enum class Kind { header, query, variable };
        Kind kind;
        std::string name;       ///< of the header or the parameter
        Expression expression;  ///< of a variable
    };

    void add(std::string_view name, Expression expression);

    std::vector<Source> sources_;
};

}  // namespace gatehouse::authz
