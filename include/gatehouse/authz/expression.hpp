#pragma once

#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::authz {

/// The right-hand side of a parameter mapping: `method.request.{header,querystring,path}.X`,
/// `method.request.multivalue….X`, `context.X`, `stageVariables.X`, or `'literal'`.
class Expression {
  public:
    /// Errc::config_invalid, saying what is allowed. Names that Gatehouse does not know are
    /// refused: a mapping that can never have a value is a slip.
    static Result<Expression> make(std::string_view text);

    /// The right-hand side of an HTTP API's mapping: `$request.{header,querystring,path}.X`,
    /// `$request.path`, `$context.X`, `$stageVariables.X`, or text with `${…}` of these in it (API
    /// Gateway developer guide, "Transforming API requests and responses").
    /// Errc::config_invalid, saying what is allowed
    static Result<Expression> make_for_http(std::string_view text);

    /// The same for answers: `$response.header.X` in place of what is the request's. A part of that
    /// name is the caller's to fill in: append() has no value for it.
    static Result<Expression> make_for_http_answer(std::string_view text);

    /// Appends the value; false when there is none. Of a text with variables in it, those without a
    /// value are left out.
    bool append(const RequestFacts& facts, std::string& out) const;

    const std::string& text() const noexcept { return text_; }

    bool is_literal() const noexcept { return literal_; }

    /// The variable's name, e.g. "context.authorizer.userId"; of a literal, its text; of a text
    /// with variables in it, nothing.
    const std::string& value() const noexcept { return value_; }

    /// True when the value comes, at least in part, from a variable whose name begins so.
    bool reads(std::string_view prefix) const noexcept;

    struct Part {
        std::string text;  ///< as it stands, or a variable's name
        bool variable = false;
    };

    /// Text and variables, in order; one part for what is only one of them.
    std::vector<Part> parts() const;

  private:
    static Expression make_of_parts(std::string_view text, std::vector<Part> parts);

    std::string text_;   ///< as written
    std::string value_;  ///< the literal, or the variable's name
    bool literal_ = false;
    std::vector<Part> parts_;  ///< of a text with variables in it
};

/// What becomes of a variable's value on its way into a text.
enum class Escape {
    none,
    log,  ///< quotes, backslashes and controls as JSON writes them, so that no value can break out
          ///< of a string or a line
};

/// A text with `$context.x`, `$stageVariables.x` and `$method.request.….x` in it: gateway-response
/// bodies and access-log lines. Not VTL.
/// `${context.x}` is taken too. A name ends before a character that cannot be in one; a trailing
/// dot belongs to the text.
class Template {
  public:
    /// @param known_only  for access-log lines: `$context` names alone, and only known ones, since
    /// headers and queries hold secrets Errc::config_invalid
    static Result<Template> make(std::string_view text, bool known_only = false);

    /// @param missing  what stands for a variable without a value: "" in bodies, "-" in access logs
    std::string render(const RequestFacts& facts, std::string_view missing) const;

    /// The same, appended to `out`.
    void append(const RequestFacts& facts,
                std::string_view missing,
                Escape escape,
                std::string& out) const;

  private:
    struct Part {
        std::string text;
        bool variable = false;
        /// Of a `$context` name that no authorizer gives a value; else it is looked up by its text.
        bool (*append)(const RequestFacts& facts, std::string& out) = nullptr;
        bool plain = false;  ///< its value never needs an escape, or is a JSON string already
    };

    void add_text(std::string_view text);

    std::vector<Part> parts_;
};

}  // namespace gatehouse::authz
