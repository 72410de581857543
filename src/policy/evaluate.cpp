#include "gatehouse/policy/evaluate.hpp"

#include "gatehouse/core/ascii.hpp"

#include <cstdint>
#include <span>
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

// A statement, and those of its patterns that are worth a look.
struct Subject {
    const Statement& statement;
    std::span<const PatternId> patterns;  // empty: all of them
};

int find_resource(const Subject& subject, std::string_view arn) noexcept {
    const std::vector<Wildcard>& resources = subject.statement.resources;
    for (const PatternId pattern : subject.patterns) {
        const std::size_t i = resource_of(pattern);
        if (resources[i].matches(arn)) return static_cast<int>(i);
    }
    if (!subject.patterns.empty()) return -1;
    for (std::size_t i = 0; i < resources.size(); ++i) {
        if (resources[i].matches(arn)) return static_cast<int>(i);
    }
    return -1;
}

Match match_arn(const Subject& subject, std::string_view arn, const ConditionContext& context) {
    const Statement& statement = subject.statement;
    if (!statement.covers_invoke) return {};
    Match match{Step::resource, find_resource(subject, arn), false};
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
Match match_alternate(const Subject& subject,
                      const MethodArn& arn,
                      const ConditionContext& context) {
    const bool slash_removed = arn.alternate.size() < arn.text.size();
    if (arn.alternate.empty() || (subject.statement.not_resource && !slash_removed)) return {};
    ConditionContext plain = context;
    // aws:SourceArn is the ARN too, and one of the ways to write such a Deny.
    if (slash_removed && context.source_arn == arn.text) plain.source_arn = arn.alternate;
    Match match = match_arn(subject, arn.alternate, plain);
    match.alternate = true;
    return match;
}

Match match_statement(const Subject& subject,
                      const MethodArn& arn,
                      const ConditionContext& context) {
    const Match match = match_arn(subject, arn.text, context);
    if (match.matched() || subject.statement.effect == Effect::allow) return match;
    const Match other = match_alternate(subject, arn, context);
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

// Only what the index finds is looked at, in whatever order: what settles a decision is the first
// statement in the author's.
class IndexedJudge {
  public:
    IndexedJudge(const Document& policy, const MethodArn& arn, const ConditionContext& context)
        : policy_(policy), arn_(arn), context_(context) {}

    /// False: the index cannot help.
    bool find() noexcept {
        const StatementIndex& index = policy_.index;
        return index.find(policy_.statements, arn_.text, candidates_) &&
               (arn_.alternate.empty() ||
                index.find(policy_.statements, arn_.alternate, candidates_));
    }

    Decision judge() {
        candidates_.sort();
        for (std::span<const PatternId> left = candidates_.all(); !left.empty();) {
            const std::size_t statement = statement_of(left.front());
            std::size_t count = 1;
            while (count < left.size() && statement_of(left[count]) == statement)
                ++count;
            consider(statement, left.first(count));
            left = left.subspan(count);
        }
        for (const std::uint32_t statement : policy_.index.negated())
            consider(statement, {});
        return denied_.statement >= 0 ? denied_ : allowed_;
    }

  private:
    void consider(std::size_t at, std::span<const PatternId> patterns) {
        const Statement& statement = policy_.statements[at];
        const bool deny = statement.effect == Effect::deny;
        Decision& first = deny ? denied_ : allowed_;
        const int index = static_cast<int>(at);
        if (first.statement >= 0 && first.statement < index) return;
        const Match match = match_statement({statement, patterns}, arn_, context_);
        if (!match.matched()) return;
        first = {deny ? Outcome::explicit_deny : Outcome::allow, index, match.resource};
    }

    const Document& policy_;
    const MethodArn& arn_;
    const ConditionContext& context_;
    Candidates candidates_;
    Decision allowed_;
    Decision denied_;
};

}  // namespace

Decision evaluate(const Document& policy,
                  const MethodArn& arn,
                  const ConditionContext& context,
                  std::vector<StatementTrail>* trail) {
    if (trail == nullptr && policy.index.is_made()) {
        IndexedJudge indexed(policy, arn, context);
        if (indexed.find()) return indexed.judge();
    }
    Decision allowed;
    Decision denied;
    for (std::size_t i = 0; i < policy.statements.size(); ++i) {
        const Statement& statement = policy.statements[i];
        const bool deny = statement.effect == Effect::deny;
        Decision& first = deny ? denied : allowed;
        const bool settled = first.statement >= 0;
        if (settled && trail == nullptr) continue;
        const Match match = match_statement({statement, {}}, arn, context);
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
