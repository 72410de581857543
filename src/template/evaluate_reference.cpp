#include "evaluator.hpp"
#include "methods.hpp"
#include "util_functions.hpp"

namespace gatehouse::templates {

Value Evaluator::evaluate_variable(std::string_view name) {
    const auto found = variables_.find(name);
    if (found != variables_.end()) {
        if (const auto* value = std::get_if<Value>(&found->second); value != nullptr) return *value;
        const Definition definition = std::get<Definition>(found->second);
        std::string text;
        run_definition(definition, text);
        return work_.keep(std::move(text));
    }
    // Velocity's older name of $foreach.count.
    if (name == "velocityCount" && !loops_.empty())
        return static_cast<std::int64_t>(loops_.back().index + 1);
    return Null{};
}

// `$foreach.parent.index`: check_reference() has seen that nothing else can stand here.
Value Evaluator::evaluate_loop(const ast::Reference& reference) const {
    const std::size_t up = reference.accesses.size() - 1;
    if (up >= loops_.size()) return Null{};
    const Loop& loop = loops_[loops_.size() - 1 - up];
    const std::string_view name = reference.accesses.back().name;
    if (name == "index") return static_cast<std::int64_t>(loop.index);
    if (name == "count") return static_cast<std::int64_t>(loop.index + 1);
    if (name == "first") return loop.index == 0;
    const bool last = loop.index + 1 >= loop.size;
    return name == "last" ? last : !last;
}

// The root's value; `used` tells how many accesses the root has answered itself.
Value Evaluator::evaluate_root(const ast::Reference& reference, std::size_t& used) {
    switch (reference.root) {
        case ast::Root::input:
            used = 1;
            return call_input(reference.accesses.front());
        case ast::Root::util: {
            used = 1;
            const ast::Access& call = reference.accesses.front();
            const Value argument = evaluate(call.arguments.front());
            return work_.ok() ? call_util(work_, call.name, argument) : Value(Null{});
        }
        case ast::Root::context:
            return context();
        case ast::Root::stage_variables:
            return stage_variables();
        case ast::Root::foreach_scope:
            used = reference.accesses.size();
            return evaluate_loop(reference);
        case ast::Root::variable:
            break;
    }
    return evaluate_variable(reference.name);
}

Value Evaluator::follow(const Value& value, const ast::Access& access) {
    if (access.kind == ast::Access::Kind::property) return read_property(work_, value, access.name);
    if (access.kind == ast::Access::Kind::index)
        return read_index(work_, value, evaluate(access.arguments.front()));
    std::vector<Value> arguments;
    arguments.reserve(access.arguments.size());
    for (const ast::Expression& argument : access.arguments)
        arguments.push_back(evaluate(argument));
    if (!work_.ok()) return Null{};
    return call_method({work_, value, arguments}, access.name);
}

Value Evaluator::evaluate(const ast::Reference& reference) {
    if (!work_.spend()) return Null{};
    std::size_t used = 0;
    Value value = evaluate_root(reference, used);
    for (; used < reference.accesses.size() && work_.ok() && !is_null(value); ++used)
        value = follow(value, reference.accesses[used]);
    return value;
}

void Evaluator::assign(const ast::Reference& target, const Value& value) {
    if (target.accesses.empty()) {
        variables_.insert_or_assign(target.name, value);
        return;
    }
    const ast::Access& last = target.accesses.back();
    if (target.root == ast::Root::context && last.name == "status" && target.accesses.size() == 2)
        return set_status(value);
    Value holder =
        target.root == ast::Root::context ? Value(context()) : evaluate_variable(target.name);
    for (std::size_t i = 0; i + 1 < target.accesses.size() && work_.ok(); ++i)
        holder = follow(holder, target.accesses[i]);
    if (!work_.ok()) return;
    if (last.kind == ast::Access::Kind::property) {
        write_property(work_, holder, last.name, value);
    } else {
        write_index(work_, holder, evaluate(last.arguments.front()), value);
    }
}

}  // namespace gatehouse::templates
