#pragma once

#include "ast.hpp"
#include "gatehouse/template/template.hpp"
#include "value.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace gatehouse::templates {

/// One rendering: the variables, the loops around, and what the gateway gives. Walks the tree;
/// depth is bounded by the parser's and by the count of #define in each other.
class Evaluator {
  public:
    Evaluator(Work& work, const Inputs& inputs) : work_(work), inputs_(inputs) {}

    void render(const ast::Program& program, std::string& out);

    /// What the template left under `$context.…Override`. Errc::template_failed for a status that
    /// is none.
    Overrides take_overrides();

  private:
    enum class Flow { next, end_loop, stop };

    struct Loop {
        std::size_t index = 0;
        std::size_t size = 0;
    };

    using Definition = std::shared_ptr<const ast::Block>;
    using Variable = std::variant<Value, Definition>;

    // evaluate_block.cpp
    Flow render_block(const ast::Block& block, std::string& out);
    Flow run(const ast::Text& text, std::string& out);
    Flow run(const ast::Output& output, std::string& out);
    Flow run(const ast::Set& set, std::string& out);
    Flow run(const ast::If& statement, std::string& out);
    Flow run(const ast::ForEach& statement, std::string& out);
    Flow run(const ast::Define& define, std::string& out);

    Flow run(const ast::Break&, std::string&) { return Flow::end_loop; }

    Flow run(const ast::Stop&, std::string&) { return Flow::stop; }

    const std::vector<Value>* find_items(const Value& sequence);
    void restore(std::string_view name, bool had, const Variable& before);
    Flow run_definition(const Definition& definition, std::string& out);
    void put(std::string_view text, std::string& out);
    void put_value(const Value& value, std::string& out);

    // evaluate_reference.cpp
    Value evaluate(const ast::Reference& reference);
    Value evaluate_root(const ast::Reference& reference, std::size_t& used);
    Value evaluate_variable(std::string_view name);
    Value evaluate_loop(const ast::Reference& reference) const;
    Value follow(const Value& value, const ast::Access& access);
    void assign(const ast::Reference& target, const Value& value);

    // inputs.cpp
    Value call_input(const ast::Access& access);
    Value payload();
    Value parameters();
    Value find_parameter(const Value& name);
    Map* context();
    Value stage_variables();
    void add_overrides(Map& context);
    void set_status(const Value& value);

    // evaluate_expression.cpp
    Value evaluate(const ast::Expression& expression);
    Value evaluate(const ast::Literal& literal);
    Value evaluate(const ast::Interpolation& interpolation);
    Value evaluate(const ast::ListLiteral& list);
    Value evaluate(const ast::MapLiteral& map);
    Value evaluate(const ast::Range& range);
    Value evaluate(const ast::Not& negation);
    Value evaluate(const ast::Chain& chain);
    Value apply(ast::Operator meaning, const Value& left, const Value& right);
    Value calculate(ast::Operator meaning, const Value& left, const Value& right);
    bool is_equal(const Value& left, const Value& right);
    bool is_true(const ast::Expression& expression);

    Work& work_;
    const Inputs& inputs_;
    std::unordered_map<std::string_view, Variable> variables_;  // names live in the tree
    std::vector<Loop> loops_;
    std::vector<const ast::Block*> running_;  // #define blocks that are being rendered
    Map* context_ = nullptr;
    Map* overrides_[4] = {};  // request header, path, querystring; response header
    Map* response_override_ = nullptr;
    std::optional<int> status_;  // set by this template
    std::optional<Value> payload_;
    std::optional<Value> parameters_;
    std::optional<Value> stage_variables_;
};

}  // namespace gatehouse::templates
