#include "gatehouse/forward/answer_mapping.hpp"

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/http_mapping.hpp"
#include "gatehouse/core/ascii.hpp"
#include "text.hpp"

#include <algorithm>
#include <utility>

namespace gatehouse::forward {
namespace {

using Action = AnswerMapping::Header::Action;
using authz::HttpDestination;

constexpr std::string_view kStatus = "overwrite:statuscode";
constexpr std::string_view kField = "response.header.";

Error bad_answer(const std::string& pointer, std::string_view why) {
    return fail(Errc::config_invalid, pointer + ": " + std::string(why));
}

Action action_of(HttpDestination::Action action) noexcept {
    if (action == HttpDestination::Action::remove) return Action::remove;
    return action == HttpDestination::Action::append ? Action::append : Action::set;
}

// Several fields of one name are one list (RFC 9110 5.3).
bool append_field(const http::ResponseHead& head, std::string_view name, std::string& out) {
    bool found = false;
    for (const http::Field& field : head.fields) {
        if (!equals_ignoring_case(field.name, name)) continue;
        if (found) out += ", ";
        out += field.value;
        found = true;
    }
    return found;
}

Result<AnswerMapping::Header> compile_header(const std::string& pointer,
                                             std::string_view destination,
                                             std::string_view text) {
    auto where = authz::parse_http_answer_destination(destination);
    if (!where) return bad_answer(pointer, where.error().detail);
    AnswerMapping::Header header;
    header.action = action_of(where->action);
    header.name = std::move(where->name);
    const bool removes = header.action == Action::remove;
    if (removes && !text.empty() && text != "''") return bad_answer(pointer, "takes no value");
    auto value = authz::Expression::make_for_http_answer(removes ? std::string_view() : text);
    if (!value) return bad_answer(pointer, value.error().detail);
    header.value = std::move(value).value();
    return header;
}

}  // namespace

Result<AnswerMapping> AnswerMapping::make(const AnswerParameters& parameters) {
    AnswerMapping made;
    for (const auto& [status, mappings] : parameters) {
        const std::string pointer = "/" + status;
        Rule rule;
        rule.status = authz::parse_answer_status(status);
        if (rule.status == 0) return bad_answer(pointer, "a status is 200 to 599");
        for (const auto& [destination, text] : mappings) {
            std::string at = pointer + "/";
            at += destination;
            if (destination == kStatus) {
                const auto becomes = authz::parse_new_status(text);
                if (!becomes) return bad_answer(at, becomes.error().detail);
                rule.becomes = *becomes;
                continue;
            }
            auto header = compile_header(at, destination, text);
            if (!header) return std::move(header).error();
            const bool twice = std::ranges::any_of(rule.headers, [&](const Header& other) {
                return other.action == header->action &&
                       equals_ignoring_case(other.name, header->name);
            });
            if (twice) return bad_answer(at, "this header is mapped twice");
            rule.headers.push_back(std::move(header).value());
        }
        // In which order the service works is not known: as for requests.
        std::ranges::stable_sort(
            rule.headers, [](const Header& a, const Header& b) { return a.action < b.action; });
        made.rules_.push_back(std::move(rule));
    }
    return made;
}

const AnswerMapping::Rule* AnswerMapping::find(int status) const noexcept {
    const auto found = std::ranges::find(rules_, status, &Rule::status);
    return found == rules_.end() ? nullptr : &*found;
}

int status_after(const AnswerMapping::Rule* rule, int status) noexcept {
    return rule == nullptr || rule->becomes == 0 ? status : rule->becomes;
}

bool replaces(const AnswerMapping::Rule& rule, std::string_view name) noexcept {
    return std::ranges::any_of(rule.headers, [&](const AnswerMapping::Header& header) {
        return header.action != Action::append && equals_ignoring_case(header.name, name);
    });
}

void append_answer_fields(const AnswerMapping::Rule& rule,
                          const http::ResponseHead& head,
                          const authz::RequestFacts& facts,
                          std::string& out) {
    for (const AnswerMapping::Header& header : rule.headers) {
        if (header.action == Action::remove) continue;
        std::string value;
        bool found = false;
        for (const authz::Expression::Part& part : header.value.parts()) {
            if (!part.variable) {
                value += part.text;
                found = true;
            } else if (part.text.starts_with(kField)) {
                found |=
                    append_field(head, std::string_view(part.text).substr(kField.size()), value);
            } else {
                found |= authz::append_variable(facts, part.text, value);
            }
        }
        if (found && !has_control(value)) add_line(out, header.name, trim(value));
    }
}

}  // namespace gatehouse::forward
