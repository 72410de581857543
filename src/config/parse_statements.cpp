#include "gatehouse/authz/jwt_authorizer.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"

#include <algorithm>

namespace gatehouse::config {
namespace {

bool is_scalar(const Json& value) {
    return value.is_string() || value.is_number() || value.is_boolean();
}

// Puts a list of statements through the compiler that will also read it for serving, so that
// nothing can load here and fail there. Returns its complaint, which begins with a JSON pointer
// below the authorizer's `jwt`, or nothing.
std::string compile(Json statements) {
    authz::JwtAuthorizerOptions options;
    options.statements = std::move(statements);
    const Result<authz::JwtAuthorizer> compiled = authz::JwtAuthorizer::make(std::move(options));
    return compiled ? std::string() : compiled.error().detail;
}

// "/statements/0/Effect: …" becomes a problem at `pointer` + "/Effect".
void report(std::string_view detail, std::string_view prefix, std::string pointer, Source& source) {
    if (detail.starts_with(prefix)) {
        detail.remove_prefix(prefix.size());
        constexpr std::string_view kEnd = ": ";  // a colon alone is in "aws:SourceIp"
        const std::size_t end = std::min(detail.find(kEnd), detail.size());
        pointer += detail.substr(0, end);
        detail.remove_prefix(std::min(end + kEnd.size(), detail.size()));
    }
    source.problem(std::move(pointer),
                   detail.empty() ? "is no valid statement" : std::string(detail));
}

class StatementCheck {
  public:
    StatementCheck(const Json& statement, const std::string& pointer, Source& source)
        : reader_(statement, pointer, keys::kStatement, source), statement_(statement) {}

    void run() {
        if (!statement_.is_object()) return;
        if (reader_.has("when")) check_when();
        check_policy();
    }

  private:
    void check_when() {
        const Json& when = *reader_.find("when");
        if (when.is_object() && when.empty())
            reader_.problem("when", "names no claim; leave it out if the statement always holds");
        reader_.each_member(
            "when",
            [this](const std::string& claim, const Json& wanted, const std::string& pointer) {
                const std::string fault = fault_in_claim(claim);
                if (!fault.empty()) reader_.source().problem(pointer, "the claim's name " + fault);
                if (!reader_.source().unresolved.contains(&wanted)) check_wanted(wanted, pointer);
            });
    }

    void check_wanted(const Json& wanted, const std::string& pointer) {
        Source& source = reader_.source();
        if (is_scalar(wanted)) return;
        constexpr std::string_view kForms =
            "allowed: a string, number or boolean, {\"in\": […]}, {\"exists\": true|false} or "
            "{\"matches\": \"RE2\"}";
        const bool form = wanted.is_object() && wanted.size() == 1;
        const std::string name = form ? wanted.begin().key() : std::string();
        if (name != "in" && name != "exists" && name != "matches") {
            return source.problem(pointer, "is no condition on a claim; " + std::string(kForms));
        }
        const Json& operand = wanted.begin().value();
        const std::string at = append_pointer(pointer, name);
        if (source.unresolved.contains(&operand)) return;
        if (name == "exists" && !operand.is_boolean()) source.problem(at, "must be true or false");
        if (name == "in" &&
            (!operand.is_array() || operand.empty() || !std::ranges::all_of(operand, is_scalar))) {
            source.problem(at, "must be a list of at least one string, number or boolean");
        }
        if (name != "matches") return;
        if (!operand.is_string())
            return source.problem(at, "must be a regular expression in a string");
        std::string fault = fault_in_regex(operand.get_ref<const std::string&>());
        if (!fault.empty()) source.problem(at, std::move(fault));
    }

    // Each statement by itself, so that every bad one is named; what the reader has reported is
    // left out.
    void check_policy() {
        Json statement = statement_;
        statement.erase("when");
        for (auto it = statement.begin(); it != statement.end();) {
            const bool known = std::ranges::find(keys::kStatement, std::string_view(it.key())) !=
                               keys::kStatement.end();
            it = known ? std::next(it) : statement.erase(it);
        }
        Json list = Json::array();
        list.push_back(std::move(statement));
        const std::string complaint = compile(std::move(list));
        if (!complaint.empty())
            report(complaint, "/statements/0", reader_.pointer(), reader_.source());
    }

    ObjectReader reader_;
    const Json& statement_;
};

}  // namespace

void check_statements(const Json& value, const std::string& pointer, Source& source) {
    if (!value.is_array()) {
        return source.problem(
            pointer, "must be a list of IAM statements, not " + std::string(name_type(value)));
    }
    if (value.empty()) source.warning(pointer, "is empty: every request will be refused with 403");
    const std::size_t problems = source.problems.size();
    std::size_t index = 0;
    for (const Json& statement : value) {
        StatementCheck(statement, append_pointer(pointer, std::to_string(index++)), source).run();
    }
    // Each may be right and the policy as a whole too large.
    if (source.problems.size() != problems) return;
    const std::string complaint = compile(value);
    if (!complaint.empty()) report(complaint, "/statements", pointer, source);
}

}  // namespace gatehouse::config
