#include "gatehouse/policy/evaluate.hpp"

#include "gatehouse/core/ascii.hpp"

#include <utility>

namespace gatehouse::policy {
namespace {

enum class Step : unsigned char { action, resource, condition, matched };

// How far one statement came with one ARN.
struct Match {
    Step step = Step::action;  // what it failed at
    int resource = -1;         // the pattern that matched, or that NotResource lists
    bool alternate = false;    // with the other form of the trailing slash

    bool matched() const noexcept { return step == Step::matched; }
};

int find_resource(const Statement& statement, std::string_view arn) noexcept {
    for (std::size_t i = 0; i < statement.resources.size(); ++i) {
        if (statement.resources[i].matches(arn)) return static_cast<int>(i);
    }
    return -1;
}

Match match_arn(const Statement& statement, std::string_view arn, const ConditionContext& context) {
    if (!statement.covers_invoke) return {};
    Match match{Step::resource, find_resource(statement, arn), false};
    const bool listed = match.resource >= 0;
    if (listed == statement.not_resource) return match;
    match.step = statement.conditions.hold(context) ? Step::matched : Step::condition;
    return match;
}

// DIVERGES: the routes ignore a trailing slash, so a client must not shake off a Deny by adding or
// leaving it. An Allow is judged by the request's own form alone.
//
// Resource: a Deny that names either form denies both. NotResource: "/pets/" is denied as "/pets"
// would be, also when only "/pets/" is listed. The other way round "/pets" is judged alone: its
// slashed form is rarely listed, and denying for its sake would deny what the author exempted.
Match match_alternate(const Statement& statement,
                      const MethodArn& arn,
                      const ConditionContext& context) {
    const bool slash_removed = arn.alternate.size() < arn.text.size();
    if (arn.alternate.empty() || (statement.not_resource && !slash_removed)) return {};
    ConditionContext plain = context;
    // aws:SourceArn is the ARN too, and one of the ways to write such a Deny.
    if (slash_removed && context.source_arn == arn.text) plain.source_arn = arn.alternate;
    Match match = match_arn(statement, arn.alternate, plain);
    match.alternate = true;
    return match;
}

Match match_statement(const Statement& statement,
                      const MethodArn& arn,
                      const ConditionContext& context) {
    const Match match = match_arn(statement, arn.text, context);
    if (match.matched() || statement.effect == Effect::allow) return match;
    const Match other = match_alternate(statement, arn, context);
    return other.matched() ? other : match;
}

std::string describe_actions(const Statement& statement) {
    std::string text = statement.not_action ? "NotAction " : "Action ";
    text += printable(statement.actions.empty() ? std::string_view() : statement.actions.front());
    if (statement.actions.size() > 1) text += ", …";
    return text +
           (statement.not_action ? " names execute-api:Invoke" : " is not execute-api:Invoke");
}

std::string describe_resource(const Statement& statement, const Match& match) {
    const std::string name = statement.not_resource ? "NotResource" : "Resource";
    if (match.resource < 0) {
        return statement.not_resource ? "no NotResource lists the ARN" : "no Resource matches";
    }
    const Wildcard& pattern = statement.resources[static_cast<std::size_t>(match.resource)];
    return name + " " + printable(pattern.pattern(), 512) +
           (statement.not_resource ? " lists the ARN" : " matches");
}

std::string describe(const Statement& statement,
                     const Match& match,
                     const ConditionContext& context) {
    switch (match.step) {
        case Step::action:
            return describe_actions(statement);
        case Step::resource:
            return describe_resource(statement, match);
        case Step::condition: {
            std::string failed;
            statement.conditions.hold(context, &failed);
            return "Condition " + failed;
        }
        case Step::matched:
            break;
    }
    std::string text = describe_resource(statement, match);
    if (match.alternate) text += " but for the trailing slash";
    return text;
}

}  // namespace

Decision evaluate(const Document& policy,
                  const MethodArn& arn,
                  const ConditionContext& context,
                  std::vector<StatementTrail>* trail) {
    Decision allowed;
    Decision denied;
    for (std::size_t i = 0; i < policy.statements.size(); ++i) {
        const Statement& statement = policy.statements[i];
        const bool deny = statement.effect == Effect::deny;
        Decision& first = deny ? denied : allowed;
        const bool settled = first.statement >= 0;
        if (settled && trail == nullptr) continue;
        const Match match = match_statement(statement, arn, context);
        const int index = static_cast<int>(i);
        if (match.matched() && !settled) {
            const Outcome outcome = deny ? Outcome::explicit_deny : Outcome::allow;
            first = {outcome, index, match.resource};
            if (deny && trail == nullptr) return denied;
        }
        if (trail != nullptr) {
            trail->push_back({index,
                              statement.effect,
                              statement.sid,
                              match.matched(),
                              describe(statement, match, context)});
        }
    }
    return denied.statement >= 0 ? denied : allowed;
}

}  // namespace gatehouse::policy
