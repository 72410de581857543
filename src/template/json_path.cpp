#include "json_path.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"

#include <charconv>
#include <utility>
#include <vector>

namespace gatehouse::templates {
namespace {

struct Step {
    enum class Kind { member, element, all };

    Kind kind = Kind::member;
    bool deep = false;  // `..`: here and everywhere below
    std::string_view name;
    std::int64_t index = 0;
};

/// Reads a path. The first fault wins.
class PathReader {
  public:
    explicit PathReader(std::string_view path) : path_(path), rest_(path) {}

    std::vector<Step> read() {
        std::vector<Step> steps;
        if (rest_.empty()) refuse("it is empty");
        if (rest_.starts_with('$')) {
            rest_.remove_prefix(1);
        } else if (!rest_.empty() && rest_.front() != '.' && rest_.front() != '[') {
            steps.push_back(read_name(false));  // `name` is `$.name`
        }
        while (why_.empty() && !rest_.empty())
            steps.push_back(read_step());
        return steps;
    }

    const std::string& why() const noexcept { return why_; }

  private:
    Step read_step() {
        const bool deep = take("..");
        if (rest_.starts_with('[')) return read_bracket(deep);
        if (!deep && !take(".")) {
            refuse("expected . or [");
            return {};
        }
        return read_name(deep);
    }

    Step read_name(bool deep) {
        Step step;
        step.deep = deep;
        const std::size_t end = std::min(rest_.find_first_of(".[]()'\"?@, \t\r\n"), rest_.size());
        step.name = rest_.substr(0, end);
        rest_.remove_prefix(end);
        if (rest_.starts_with('(')) {
            refuse("functions such as " + printable(step.name) + "() are not supported");
        } else if (step.name.empty()) {
            refuse("a name is missing");
        } else if (step.name == "*") {
            step.kind = Step::Kind::all;
        }
        return step;
    }

    Step read_bracket(bool deep) {
        Step step;
        step.deep = deep;
        rest_.remove_prefix(1);
        if (rest_.starts_with('?')) return refused("filters [?(…)] are not supported");
        if (rest_.starts_with('(')) return refused("scripts [(…)] are not supported");
        const char quote = rest_.empty() ? '\0' : rest_.front();
        if (quote == '\'' || quote == '"') {
            const std::size_t end = rest_.find(quote, 1);
            if (end == std::string_view::npos) return refused("a name has no closing quote");
            step.name = rest_.substr(1, end - 1);
            if (step.name.find('\\') != std::string_view::npos)
                return refused("backslashes in names are not supported");
            rest_.remove_prefix(end + 1);
        } else if (take("*")) {
            step.kind = Step::Kind::all;
        } else {
            step.kind = Step::Kind::element;
            const auto read =
                std::from_chars(rest_.data(), rest_.data() + rest_.size(), step.index);
            if (read.ec != std::errc()) {
                return refused(rest_.starts_with(':') ? "slices [a:b] are not supported"
                                                      : "expected a name in quotes, a number or *");
            }
            rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
        }
        if (rest_.starts_with(':')) return refused("slices [a:b] are not supported");
        if (rest_.starts_with(',')) return refused("unions [a,b] are not supported");
        if (!take("]")) return refused("expected ]");
        return step;
    }

    bool take(std::string_view text) {
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }

    Step refused(std::string_view why) {
        refuse(why);
        return {};
    }

    void refuse(std::string_view why) {
        if (why_.empty()) why_ = "the JSONPath " + printable(path_) + ": " + std::string(why);
    }

    std::string_view path_;
    std::string_view rest_;
    std::string why_;
};

const Value* find_element(const List& list, std::int64_t index) noexcept {
    const auto size = static_cast<std::int64_t>(list.items.size());
    if (index < 0) index += size;
    return index >= 0 && index < size ? &list.items[static_cast<std::size_t>(index)] : nullptr;
}

// Follows one step from one value.
void follow(Work& work, const Value& from, const Step& step, std::vector<Value>& found) {
    if (!work.spend()) return;
    auto* const* map = std::get_if<Map*>(&from);
    auto* const* list = std::get_if<List*>(&from);
    if (step.kind == Step::Kind::all) {
        if (map != nullptr) {
            for (const Entry& entry : (*map)->entries())
                if (work.spend()) found.push_back(entry.value);
        }
        if (list != nullptr && work.spend((*list)->items.size() * limits::kTemplateStepBytes))
            found.insert(found.end(), (*list)->items.begin(), (*list)->items.end());
    } else if (step.kind == Step::Kind::member && map != nullptr) {
        if (const Value* value = (*map)->find(step.name); value != nullptr) found.push_back(*value);
    } else if (step.kind == Step::Kind::element && list != nullptr) {
        if (const Value* value = find_element(**list, step.index); value != nullptr)
            found.push_back(*value);
    }
}

// The value itself and all below, parents first. The payload's depth is bounded, and it cannot hold
// itself unless a template made it so: the steps end that.
void follow_deep(
    Work& work, const Value& from, const Step& step, std::vector<Value>& found, int depth) {
    if (depth > limits::kTemplateValueDepth) work.fail(Errc::limit_exceeded, "a value is too deep");
    if (!work.spend()) return;
    follow(work, from, step, found);
    if (auto* const* map = std::get_if<Map*>(&from); map != nullptr) {
        for (const Entry& entry : (*map)->entries())
            follow_deep(work, entry.value, step, found, depth + 1);
    } else if (auto* const* list = std::get_if<List*>(&from); list != nullptr) {
        for (const Value& item : (*list)->items)
            follow_deep(work, item, step, found, depth + 1);
    }
}

}  // namespace

std::string check_path(std::string_view path) {
    PathReader reader(path);
    reader.read();
    return reader.why();
}

std::optional<Value> find_path(Work& work, const Value& root, std::string_view path) {
    if (!work.spend(path.size())) return {};
    PathReader reader(path);
    const std::vector<Step> steps = reader.read();
    if (!reader.why().empty()) {
        work.fail(Errc::template_failed, reader.why());
        return {};
    }
    std::vector<Value> at{root};
    bool many = false;
    for (const Step& step : steps) {
        many = many || step.deep || step.kind == Step::Kind::all;
        std::vector<Value> next;
        for (const Value& value : at) {
            if (!work.ok()) return {};
            step.deep ? follow_deep(work, value, step, next, 0) : follow(work, value, step, next);
        }
        at = std::move(next);
    }
    if (!many) return at.empty() ? std::nullopt : std::optional(at.front());
    List* list = work.make_list(true);
    for (const Value& value : at)
        work.append(*list, value);
    return list;
}

}  // namespace gatehouse::templates
