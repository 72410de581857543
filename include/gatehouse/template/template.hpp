#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Mapping templates: the part of Velocity 1.7 that API Gateway's own documents use, for
// requestTemplates and responseTemplates. (`template` is a keyword, hence the namespace's name.)
namespace gatehouse::templates {

namespace ast {
struct Program;
}

/// A compiled template. Immutable; cheap to copy; may be rendered by several threads at once.
class Template {
  public:
    explicit Template(std::shared_ptr<const ast::Program> program) : program_(std::move(program)) {}

    const ast::Program& program() const noexcept { return *program_; }

  private:
    std::shared_ptr<const ast::Program> program_;  // shared: by a configuration and its snapshots
};

/// Reads a template. Whatever Gatehouse cannot do as the service does it is refused here, by name.
/// @return the template, or Errc::config_invalid with a detail such as
/// "line 3, column 5: #macro is not supported"; limits::kTemplateBytes, kTemplateDepth
Result<Template> compile(std::string_view text);

/// One request parameter, as the integration sees it (decoded, last value of a repeated one).
struct Parameter {
    std::string_view name;
    std::string_view value;
};

/// One `$context.requestOverride.….NAME` or `$context.responseOverride.header.NAME`. A list gives
/// several values, everything else one.
struct Override {
    std::string name;
    std::vector<std::string> values;
};

/// What a template set under `$context.requestOverride` and `$context.responseOverride`, in the
/// order of the assignments. The values are a template's: whoever writes them into a head checks
/// them as any other mapped value.
struct Overrides {
    std::vector<Override> request_headers;
    std::vector<Override> request_path;
    std::vector<Override> request_querystring;
    std::vector<Override> response_headers;
    std::optional<int> response_status;
};

/// What a template can read. Views and pointers outlive the call to render(); none is kept.
struct Inputs {
    std::string_view body;  ///< the payload as text; an empty one reads as `{}`
    std::span<const Parameter> path;
    std::span<const Parameter> querystring;
    std::span<const Parameter> header;
    const Json* context = nullptr;          ///< `$context`, an object; members as section 20 names
    const Json* stage_variables = nullptr;  ///< `$stageVariables`, an object
    /// What the request template set: a response template can read it, and what it leaves alone is
    /// in its own result again.
    const Overrides* overrides = nullptr;
};

struct Rendered {
    std::string text;
    Overrides overrides;
};

/// Renders. Bounded in time, memory and stack whatever the template and the payload
/// (limits::kTemplate…).
/// @return the text and the overrides, or
/// Errc::json_… when `$input.json` or `$input.path` meets a payload that is not JSON (the client's
/// fault in a request, the backend's in a response), Errc::limit_exceeded, Errc::template_failed
/// (an exception in the service: index out of range, an override set twice, …); detail: where and
/// why
Result<Rendered> render(const Template& compiled, const Inputs& inputs);

}  // namespace gatehouse::templates
