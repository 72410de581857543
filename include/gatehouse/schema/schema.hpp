#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Models of request bodies: JSON Schema, draft 4, which is what API Gateway takes ("Data models for
// REST APIs"). Written here because the validators that Debian has match with std::regex, which is
// exponential and recursive on what clients send, and bound neither work nor depth.
namespace gatehouse::schema {

struct Program;

/// One thing that does not fit.
struct Failure {
    std::string pointer;       ///< of the value
    std::string_view keyword;  ///< of the schema: "required"
    std::string message;       ///< as the service words it; holds values of the client's
};

/// A compiled model. Immutable; cheap to copy; may be used by several threads at once.
class Schema {
  public:
    explicit Schema(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

    /// What does not fit, limits::kSchemaFailures at most; empty when all does. Bounded by
    /// limits::kSchema…: what would cost more does not fit.
    std::vector<Failure> validate(const Json& instance) const;

  private:
    std::shared_ptr<const Program> program_;  // shared: by a configuration and its snapshots
};

/// Reads the model `name` of `models`. A `$ref` leads into the same model ("#/definitions/…") or to
/// another one ("https://apigateway.amazonaws.com/restapis/{id}/models/{name}"). A keyword that
/// would not be enforced is refused by name.
/// @return the model, or Errc::config_invalid, detail: JSON pointer below the model, ": ", reason
Result<Schema> compile(const std::map<std::string, Json>& models, const std::string& name);

}  // namespace gatehouse::schema
