#include "check.hpp"

#include "json_path.hpp"
#include "methods.hpp"
#include "pattern.hpp"
#include "util_functions.hpp"

#include <algorithm>
#include <iterator>

namespace gatehouse::templates {
namespace {

using Kind = ast::Access::Kind;

constexpr std::string_view kForeach[] = {"index", "count", "hasNext", "first", "last"};
constexpr std::string_view kRequestOverrides[] = {"header", "path", "querystring"};
constexpr std::string_view kReserved[] = {
    "input", "util", "context", "stageVariables", "foreach", "velocityCount"};

const std::string* constant_text(const ast::Expression& expression) noexcept {
    const auto* literal = std::get_if<ast::Literal>(&expression.node);
    return literal != nullptr ? std::get_if<std::string>(literal) : nullptr;
}

bool is_one_of(std::string_view name, std::span<const std::string_view> names) noexcept {
    return std::ranges::find(names, name) != names.end();
}

std::string check_input(const ast::Access* access) {
    constexpr const char* kAllowed =
        " is not supported: $input has body, json(path), path(path) and params(name)";
    if (access == nullptr) return std::string("$input alone") + kAllowed;
    if (access->kind == Kind::property && access->name == "body") return {};
    const std::size_t count = access->arguments.size();
    if (access->kind == Kind::method) {
        if (access->name == "params" && count <= 1) return {};
        if ((access->name == "json" || access->name == "path") && count == 1) {
            const std::string* path = constant_text(access->arguments.front());
            return path != nullptr ? check_path(*path) : std::string();
        }
        return "$input." + access->name + "() with " + std::to_string(count) + " arguments" +
               kAllowed;
    }
    return "$input." + access->name + kAllowed;
}

std::string check_util(const ast::Access* access) {
    const std::string allowed = " is not supported: $util has " + std::string(util_functions()) +
                                ", each with one argument";
    if (access == nullptr) return "$util alone" + allowed;
    if (access->kind == Kind::method && is_util_function(access->name) &&
        access->arguments.size() == 1) {
        return {};
    }
    return "$util." + access->name + allowed;
}

std::string check_foreach(const ast::Reference& reference) {
    auto access = reference.accesses.begin();
    while (access != reference.accesses.end() && access->kind == Kind::property &&
           access->name == "parent")
        ++access;
    const bool good = access != reference.accesses.end() && access->kind == Kind::property &&
                      is_one_of(access->name, kForeach) &&
                      std::next(access) == reference.accesses.end();
    if (good) return {};
    return reference.literal +
           " is not supported: $foreach has index, count, hasNext, first, last "
           "and parent";
}

std::string check_method(const ast::Access& access) {
    const std::size_t count = access.arguments.size();
    if (!is_method(access.name)) return "the method " + access.name + "() is not supported";
    if (!is_method(access.name, count)) {
        return "the method " + access.name + "() with " + std::to_string(count) +
               " arguments is not supported";
    }
    const bool pattern = access.name == "matches" || access.name == "replaceAll" ||
                         access.name == "replaceFirst" || access.name == "split";
    const std::string* text = pattern ? constant_text(access.arguments.front()) : nullptr;
    return text != nullptr ? check_pattern(*text) : std::string();
}

// Java's getClass() leads from any value to everything.
std::string check_access(const ast::Access& access) {
    if (access.kind == Kind::method) return check_method(access);
    if (access.kind == Kind::property && access.name == "class")
        return "the property class is not supported";
    return {};
}

}  // namespace

bool is_reserved(std::string_view variable) noexcept {
    return is_one_of(variable, kReserved);
}

std::string check_reference(const ast::Reference& reference) {
    std::size_t checked = 0;  // accesses that the root answers for itself
    std::string why;
    const ast::Access* first = reference.accesses.empty() ? nullptr : &reference.accesses.front();
    if (reference.root == ast::Root::input || reference.root == ast::Root::util) {
        why = reference.root == ast::Root::input ? check_input(first) : check_util(first);
        checked = 1;
    } else if (reference.root == ast::Root::foreach_scope) {
        return check_foreach(reference);
    }
    for (std::size_t i = checked; why.empty() && i < reference.accesses.size(); ++i)
        why = check_access(reference.accesses[i]);
    return why;
}

std::string check_target(const ast::Reference& target) {
    const auto& accesses = target.accesses;
    if (accesses.empty()) {
        return is_reserved(target.name) ? "#set cannot write to $" + target.name : std::string();
    }
    if (accesses.back().kind == Kind::method) return "#set cannot write to a method's result";
    if (target.root == ast::Root::variable) return {};
    if (target.root != ast::Root::context) return "#set cannot write to $" + target.name;
    const auto named = [&](std::size_t at) {
        return at < accesses.size() && accesses[at].kind == Kind::property
                   ? std::string_view(accesses[at].name)
                   : std::string_view();
    };
    if (named(0) == "requestOverride" && is_one_of(named(1), kRequestOverrides) &&
        accesses.size() > 2) {
        return {};
    }
    if (named(0) == "responseOverride" && named(1) == "header" && accesses.size() > 2) return {};
    if (named(0) == "responseOverride" && named(1) == "status" && accesses.size() == 2) return {};
    return "#set of " + target.literal +
           " is not supported: $context takes requestOverride.{header,path,querystring}.NAME, "
           "responseOverride.header.NAME and responseOverride.status";
}

std::string check_condition(const ast::Expression& condition) {
    if (std::holds_alternative<ast::Reference>(condition.node)) return {};
    if (const auto* literal = std::get_if<ast::Literal>(&condition.node);
        literal != nullptr && std::holds_alternative<bool>(*literal)) {
        return {};
    }
    if (const auto* negation = std::get_if<ast::Not>(&condition.node); negation != nullptr)
        return check_condition(*negation->operand);
    if (const auto* chain = std::get_if<ast::Chain>(&condition.node); chain != nullptr) {
        const ast::Operator meaning = chain->rest.front().meaning;
        if (meaning >= ast::Operator::eq && meaning <= ast::Operator::ge) return {};
        if (meaning == ast::Operator::logical_or || meaning == ast::Operator::logical_and) {
            std::string why = check_condition(*chain->first);
            for (std::size_t i = 0; why.empty() && i < chain->rest.size(); ++i)
                why = check_condition(chain->rest[i].expression);
            return why;
        }
    }
    return "a bare value or sum is no condition: compare it with something";
}

}  // namespace gatehouse::templates
