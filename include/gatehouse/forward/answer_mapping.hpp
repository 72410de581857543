#pragma once

#include "gatehouse/authz/expression.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/http/request_head.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::forward {

/// `responseParameters` of an HTTP API: by the backend's status, then by destination.
using AnswerParameters = std::map<std::string, std::map<std::string, std::string>>;

/// What an HTTP API makes of its backends' answers, compiled (API Gateway developer guide,
/// "Transforming API requests and responses"). Immutable, shared between threads.
class AnswerMapping {
  public:
    struct Header {
        enum class Action : std::uint8_t { remove, set, append };
        Action action = Action::set;
        std::string name;
        authz::Expression value;
    };

    struct Rule {
        int status = 0;   ///< of the backend
        int becomes = 0;  ///< overwrite:statuscode; 0: it stays
        std::vector<Header> headers;
    };

    /// Errc::config_invalid, detail begins with a pointer below responseParameters
    static Result<AnswerMapping> make(const AnswerParameters& parameters);

    /// nullptr: answers with this status go on as they are.
    const Rule* find(int status) const noexcept;

  private:
    std::vector<Rule> rules_;
};

/// The status that the client gets.
int status_after(const AnswerMapping::Rule* rule, int status) noexcept;

/// True when the backend's field of this name does not go on.
bool replaces(const AnswerMapping::Rule& rule, std::string_view name) noexcept;

/// Appends the mapped fields. A value that is not there, or that cannot stand in a field, makes
/// none.
void append_answer_fields(const AnswerMapping::Rule& rule,
                          const http::ResponseHead& head,
                          const authz::RequestFacts& facts,
                          std::string& out);

}  // namespace gatehouse::forward
