#pragma once

#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/schema/schema.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::mapping {

struct ValidatorSpec {
    bool parameters = false;
    bool body = false;
    std::map<std::string, bool> request_parameters;     ///< method.request.… -> required
    std::map<std::string, std::string> request_models;  ///< MIME type or "$default" -> model
};

/// What is wrong with a body.
struct BodyFault {
    std::string message;  ///< $context.error.validationErrorString: holds values of the client's
    std::string place;    ///< for traces, without any: "/pets/0/name: minLength"
};

/// Validation of the method request (API Gateway developer guide, "Request validation for REST
/// APIs").
class RequestValidator {
  public:
    /// @param models  those of the API and the service's own (built_in_models)
    /// Errc::config_invalid, detail: JSON pointer below the route, ": ", reason
    static Result<RequestValidator> make(const ValidatorSpec& spec,
                                         const std::map<std::string, Json>& models);

    bool validates_body() const noexcept { return !models_.empty(); }

    /// The names of required parameters that are missing or blank, "[divisor, dividend]"; empty
    /// when none is.
    std::string missing_parameters(const authz::RequestFacts& facts) const;

    /// Nothing when the body fits its model, or when its Content-Type has none.
    std::optional<BodyFault> check_body(const authz::RequestFacts& facts,
                                        std::string_view content) const;

  private:
    std::vector<std::string> required_;  ///< "method.request.header.X", sorted
    std::vector<std::pair<std::string, schema::Schema>> models_;
};

/// "Empty" and "Error", which each API has from the start.
const std::map<std::string, Json>& built_in_models();

}  // namespace gatehouse::mapping
