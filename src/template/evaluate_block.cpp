#include "evaluator.hpp"
#include "gatehouse/core/limits.hpp"
#include "parser.hpp"
#include "value_text.hpp"

#include <algorithm>

namespace gatehouse::templates {
namespace {

// Velocity's define.maxdepth: a block that uses itself prints nothing from here on.
constexpr int kDefinitionDepth = 2;
// Blocks that use other blocks: Velocity has no bound, a stack has.
constexpr int kDefinitions = 16;

}  // namespace

void Evaluator::render(const ast::Program& program, std::string& out) {
    render_block(program.body, out);
}

void Evaluator::put(std::string_view text, std::string& out) {
    if (out.size() + text.size() > limits::kTemplateOutputBytes)
        work_.fail(Errc::limit_exceeded, "the template's output is too long");
    if (work_.spend(text.size())) out += text;
}

void Evaluator::put_value(const Value& value, std::string& out) {
    if (const auto* text = std::get_if<std::string_view>(&value); text != nullptr)
        return put(*text, out);
    std::string made;
    append_text(work_, value, made);
    put(made, out);
}

Evaluator::Flow Evaluator::render_block(const ast::Block& block, std::string& out) {
    for (const ast::Statement& statement : block) {
        if (!work_.spend()) return Flow::stop;
        const Flow flow =
            std::visit([&](const auto& node) { return run(node, out); }, statement.node);
        work_.locate(at_position(statement.position, ""));
        if (flow != Flow::next || !work_.ok()) return work_.ok() ? flow : Flow::stop;
    }
    return Flow::next;
}

Evaluator::Flow Evaluator::run(const ast::Text& text, std::string& out) {
    put(text.text, out);
    return Flow::next;
}

// An escaped reference prints itself: without a backslash when it has a value, with it when it has
// none. Even backslashes escape each other, again only before a value.
Evaluator::Flow Evaluator::run(const ast::Output& output, std::string& out) {
    const ast::Reference& reference = output.reference;
    const std::string half(output.backslashes / 2, '\\');
    const bool escaped = output.backslashes % 2 != 0;
    if (reference.accesses.empty() && !escaped) {
        const auto found = variables_.find(reference.name);
        if (found != variables_.end()) {
            if (const auto* block = std::get_if<Definition>(&found->second); block != nullptr) {
                put(half, out);
                const Definition definition = *block;
                return run_definition(definition, out);
            }
        }
    }
    const Value value = evaluate(reference);
    if (!work_.ok()) return Flow::stop;
    if (is_null(value)) {
        put(std::string(output.backslashes, '\\'), out);
        if (!reference.quiet || escaped) put(reference.literal, out);
    } else if (escaped) {
        put(half, out);
        put(reference.literal, out);
    } else {
        put(half, out);
        put_value(value, out);
    }
    return Flow::next;
}

// A null on the right leaves the left as it was: Velocity's directive.set.null.allowed is false.
Evaluator::Flow Evaluator::run(const ast::Set& set, std::string&) {
    const Value value = evaluate(set.value);
    if (work_.ok() && !is_null(value)) assign(set.target, value);
    return Flow::next;
}

Evaluator::Flow Evaluator::run(const ast::If& statement, std::string& out) {
    for (const ast::Branch& branch : statement.branches) {
        if (is_true(branch.condition)) return render_block(branch.body, out);
        if (!work_.spend()) return Flow::stop;
    }
    return render_block(statement.otherwise, out);
}

const std::vector<Value>* Evaluator::find_items(const Value& sequence) {
    if (auto* const* list = std::get_if<List*>(&sequence); list != nullptr) return &(*list)->items;
    auto* const* map = std::get_if<Map*>(&sequence);
    if (map == nullptr) return nullptr;  // nothing to walk: no iteration, no fault
    List* values = work_.make_list();
    for (const Entry& entry : (*map)->entries()) {
        if (!work_.append(*values, entry.value)) break;
    }
    return &values->items;
}

void Evaluator::restore(std::string_view name, bool had, const Variable& before) {
    if (had) {
        variables_.insert_or_assign(name, before);
    } else {
        variables_.erase(name);
    }
}

Evaluator::Flow Evaluator::run(const ast::ForEach& statement, std::string& out) {
    const Value sequence = evaluate(statement.sequence);
    const std::vector<Value>* items = work_.ok() ? find_items(sequence) : nullptr;
    if (items == nullptr) return Flow::next;
    const auto found = variables_.find(statement.variable);
    const bool had = found != variables_.end();
    const Variable before = had ? found->second : Variable(Value(Null{}));
    loops_.emplace_back();
    Flow flow = Flow::next;
    for (std::size_t i = 0; i < items->size() && flow == Flow::next && work_.ok(); ++i) {
        if (i == limits::kTemplateLoops) {
            work_.fail(Errc::limit_exceeded,
                       "#foreach goes round more than " + std::to_string(limits::kTemplateLoops) +
                           " times");
            break;
        }
        loops_.back() = {i, items->size()};
        if (is_null((*items)[i])) {
            variables_.erase(statement.variable);
        } else {
            variables_.insert_or_assign(statement.variable, (*items)[i]);
        }
        flow = render_block(statement.body, out);
    }
    loops_.pop_back();
    restore(statement.variable, had, before);
    return flow == Flow::stop ? Flow::stop : Flow::next;
}

Evaluator::Flow Evaluator::run(const ast::Define& define, std::string&) {
    variables_.insert_or_assign(define.variable, define.body);
    return Flow::next;
}

Evaluator::Flow Evaluator::run_definition(const Definition& definition, std::string& out) {
    const auto depth = std::ranges::count(running_, definition.get());
    if (depth >= kDefinitionDepth) return Flow::next;
    if (running_.size() >= kDefinitions) {
        work_.fail(Errc::limit_exceeded, "#define blocks use each other too deeply");
        return Flow::stop;
    }
    running_.push_back(definition.get());
    const Flow flow = render_block(*definition, out);
    running_.pop_back();
    return flow;
}

}  // namespace gatehouse::templates
