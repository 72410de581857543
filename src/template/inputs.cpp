#include "evaluator.hpp"
#include "gatehouse/core/ascii.hpp"
#include "json_path.hpp"
#include "json_value.hpp"
#include "value_text.hpp"

#include <charconv>
#include <iterator>

// What the gateway gives a template: `$input`, `$context`, `$stageVariables`. Made when first used.
namespace gatehouse::templates {
namespace {

// What an empty payload reads as, in $input.body too. [ls: recorded 2025-03, pull request 12413]
constexpr std::string_view kNoPayload = "{}";

constexpr std::string_view kOverrideParts[] = {"header", "path", "querystring"};

Map* make_parameters(Work& work, std::span<const Parameter> parameters) {
    Map* map = work.make_map(Map::Kind::constant);
    for (const Parameter& parameter : parameters)
        work.put(*map, parameter.name, parameter.value);
    return map;
}

// What an earlier template set can be set anew by this one: "once" counts within a template.
Map* make_override(Work& work, const std::vector<Override>* earlier) {
    Map* map = work.make_map(Map::Kind::override);
    if (earlier == nullptr) return map;
    for (const Override& item : *earlier) {
        if (item.values.size() == 1) {
            work.put(*map, item.name, std::string_view(item.values.front()));
            continue;
        }
        List* list = work.make_list();
        for (const std::string& value : item.values)
            work.append(*list, std::string_view(value));
        work.put(*map, item.name, list);
    }
    return map;
}

std::vector<Override> read_override(Work& work, const Map* map) {
    std::vector<Override> read;
    if (map == nullptr) return read;
    for (const Entry& entry : map->entries()) {
        Override made{std::string(entry.key), {}};
        if (auto* const* list = std::get_if<List*>(&entry.value); list != nullptr) {
            for (const Value& value : (*list)->items)
                made.values.emplace_back(to_text(work, value));
        } else {
            made.values.emplace_back(to_text(work, entry.value));
        }
        read.push_back(std::move(made));
    }
    return read;
}

}  // namespace

Value Evaluator::payload() {
    if (!payload_) payload_ = parse_value(work_, inputs_.body.empty() ? kNoPayload : inputs_.body);
    return *payload_;
}

Value Evaluator::parameters() {
    if (!parameters_) {
        Map* map = work_.make_map(Map::Kind::constant);
        work_.put(*map, "path", make_parameters(work_, inputs_.path));
        work_.put(*map, "querystring", make_parameters(work_, inputs_.querystring));
        work_.put(*map, "header", make_parameters(work_, inputs_.header));
        parameters_ = map;
    }
    return *parameters_;
}

// Path, then query string, then header; "" when there is none. Names are case-sensitive (13.4).
Value Evaluator::find_parameter(const Value& name) {
    const std::string_view wanted = to_text(work_, name);
    const Value groups = parameters();
    for (const Entry& group : std::get<Map*>(groups)->entries()) {
        const Value* found = std::get<Map*>(group.value)->find(wanted);
        if (found != nullptr) return *found;
    }
    return std::string_view();
}

Value Evaluator::call_input(const ast::Access& access) {
    if (access.name == "body") return inputs_.body.empty() ? kNoPayload : inputs_.body;
    if (access.arguments.empty()) return parameters();
    const Value argument = evaluate(access.arguments.front());
    if (!work_.ok() || is_null(argument)) return Null{};
    if (access.name == "params") return find_parameter(argument);
    const Value root = payload();
    const auto found = find_path(work_, root, to_text(work_, argument));
    if (!work_.ok()) return Null{};
    // UNCONFIRMED: a path that finds nothing is "", and so is its JSON: `""`. Field evidence:
    // templates test `$input.json('$.x') != '""'`, and #if($elem.missing) holds.
    const Value nothing = std::string_view();
    if (access.name == "path") return found && !is_null(*found) ? *found : nothing;
    std::string text;
    append_json(work_, found.value_or(nothing), text);
    return work_.keep(std::move(text));
}

Value Evaluator::stage_variables() {
    if (!stage_variables_) {
        stage_variables_ = inputs_.stage_variables != nullptr
                               ? make_value(work_, *inputs_.stage_variables, Map::Kind::constant)
                               : Value(work_.make_map(Map::Kind::constant));
    }
    return *stage_variables_;
}

Map* Evaluator::context() {
    if (context_ != nullptr) return context_;
    const Value made = inputs_.context != nullptr && inputs_.context->is_object()
                           ? make_value(work_, *inputs_.context, Map::Kind::constant)
                           : Value(Null{});
    auto* const* map = std::get_if<Map*>(&made);
    context_ = map != nullptr ? *map : work_.make_map(Map::Kind::constant);
    add_overrides(*context_);
    return context_;
}

void Evaluator::add_overrides(Map& context) {
    const Overrides* earlier = inputs_.overrides;
    const std::vector<Override>* const values[] = {
        earlier != nullptr ? &earlier->request_headers : nullptr,
        earlier != nullptr ? &earlier->request_path : nullptr,
        earlier != nullptr ? &earlier->request_querystring : nullptr,
        earlier != nullptr ? &earlier->response_headers : nullptr};
    for (std::size_t i = 0; i < std::size(values); ++i)
        overrides_[i] = make_override(work_, values[i]);
    Map* request = work_.make_map(Map::Kind::constant);
    for (std::size_t i = 0; i < std::size(kOverrideParts); ++i)
        work_.put(*request, kOverrideParts[i], overrides_[i]);
    response_override_ = work_.make_map(Map::Kind::constant);
    work_.put(*response_override_, "header", overrides_[3]);
    if (earlier != nullptr && earlier->response_status)
        work_.put(*response_override_, "status", std::int64_t{*earlier->response_status});
    work_.put(context, "requestOverride", request);
    work_.put(context, "responseOverride", response_override_);
}

void Evaluator::set_status(const Value& value) {
    context();
    const std::string_view text = to_text(work_, value);
    int status = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), status);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || status < 200 ||
        status > 599) {
        work_.fail(Errc::template_failed, "responseOverride.status is no status from 200 to 599");
    } else if (status_) {
        work_.fail(Errc::template_failed, "the override status is set twice");
    } else {
        status_ = status;
        work_.put(*response_override_, "status", std::int64_t{status});
    }
}

Overrides Evaluator::take_overrides() {
    Overrides made;
    if (context_ == nullptr) return inputs_.overrides != nullptr ? *inputs_.overrides : made;
    made.request_headers = read_override(work_, overrides_[0]);
    made.request_path = read_override(work_, overrides_[1]);
    made.request_querystring = read_override(work_, overrides_[2]);
    made.response_headers = read_override(work_, overrides_[3]);
    made.response_status = status_;
    if (!status_ && inputs_.overrides != nullptr)
        made.response_status = inputs_.overrides->response_status;
    return made;
}

}  // namespace gatehouse::templates
