#include "gatehouse/template/template.hpp"

#include "evaluator.hpp"
#include "gatehouse/core/limits.hpp"
#include "parser.hpp"

namespace gatehouse::templates {

Result<Template> compile(std::string_view text) {
    if (text.size() > limits::kTemplateBytes) {
        return fail(Errc::config_invalid,
                    "a template has at most " + std::to_string(limits::kTemplateBytes) +
                        " bytes, this one has " + std::to_string(text.size()));
    }
    Parser parser(text);
    auto body = parser.parse();
    if (!body) return std::move(body).error();
    return Template(std::make_shared<const ast::Program>(ast::Program{std::move(*body)}));
}

Result<Rendered> render(const Template& compiled, const Inputs& inputs) {
    Work work;
    Evaluator evaluator(work, inputs);
    Rendered made;
    evaluator.render(compiled.program(), made.text);
    if (work.ok()) made.overrides = evaluator.take_overrides();
    if (!work.ok()) return work.error();
    return made;
}

}  // namespace gatehouse::templates
