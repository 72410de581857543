#include "gatehouse/policy/document.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"
#include "heap.hpp"
#include "json_path.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace gatehouse::policy {
namespace {

constexpr std::string_view kInvoke = "execute-api:invoke";
constexpr std::string_view kDocumentKeys[] = {"Version", "Id", "Statement"};
constexpr std::string_view kStatementKeys[] = {
    "Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"};

Error malformed(std::string path, std::string_view what) {
    path += ": ";
    path += what;
    return fail(Errc::policy_invalid, std::move(path));
}

std::string hint_of(std::span<const std::string_view> known, std::string_view key) {
    for (const std::string_view name : known) {
        if (equals_ignoring_case(name, key)) {
            return "unknown element, keys are case-sensitive: write " + std::string(name);
        }
    }
    return "unknown element";
}

Result<void> check_keys(const Json& object,
                        std::span<const std::string_view> known,
                        const std::string& path) {
    for (const auto& [key, value] : object.items()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            return malformed(path + step(key), hint_of(known, key));
        }
    }
    return {};
}

// An element of which either the plain or the Not form stands in a statement, never both or none.
struct Element {
    const Json* value = nullptr;
    std::string path;
    bool negated = false;
};

Result<Element> find_element(const Json& statement,
                             const std::string& path,
                             const std::string& name) {
    const std::string not_name = "Not" + name;
    const Json* plain = find_member(statement, name);
    const Json* negated = find_member(statement, not_name);
    if (plain != nullptr && negated != nullptr) {
        return malformed(path, name + " and " + not_name + " exclude each other");
    }
    // A statement without a Resource is malformed: it is not one about everything.
    if (plain == nullptr && negated == nullptr) {
        return malformed(path, name + " or " + not_name + " is missing");
    }
    if (plain != nullptr) return Element{plain, path + step(name), false};
    return Element{negated, path + step(not_name), true};
}

struct Text {
    std::string_view text;
    std::string path;
};

// One string or a list of strings, none empty.
Result<std::vector<Text>> read_texts(const Element& element) {
    const Json& value = *element.value;
    if (!value.is_string() && !value.is_array()) {
        return malformed(element.path, "not a string or a list of strings");
    }
    std::vector<Text> texts;
    const std::size_t count = value.is_array() ? value.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
        const Json& item = value.is_array() ? value[i] : value;
        std::string path = element.path + (value.is_array() ? step(i) : std::string());
        const auto* text = item.get_ptr<const Json::string_t*>();
        if (text == nullptr) return malformed(std::move(path), "not a string");
        if (text->empty()) return malformed(std::move(path), "empty");
        texts.push_back({*text, std::move(path)});
    }
    return texts;
}

// Reads one document. Paths of faults are built as it goes down; the first fault ends it.
class Reader {
  public:
    Result<Document> read(const Json& json);

  private:
    Result<void> read_version(const Json& json);
    Result<void> add_statement(const Json& json, const std::string& path);
    Result<void> read_labels(const Json& json, const std::string& path, Statement& statement);
    Result<void> read_effect(const Json& json, const std::string& path, Statement& statement);
    Result<void> read_actions(const Json& json, const std::string& path, Statement& statement);
    Result<void> read_resources(const Json& json, const std::string& path, Statement& statement);
    Result<void> read_conditions(const Json& json, const std::string& path, Statement& statement);
    Result<void> check_variables(const Json& value, const std::string& path) const;
    Result<void> count_patterns(std::size_t count, const std::string& path);
    Document finish();

    Document document_;
    std::size_t patterns_ = 0;
    bool variables_ = false;  // the Version has "${…}"
};

Result<Document> Reader::read(const Json& json) {
    if (!json.is_object()) return malformed("", "not an object");
    document_.text = dump_json(json);
    if (document_.text.size() > limits::kPolicyBytes) {
        return fail(Errc::policy_too_large,
                    ": " + std::to_string(document_.text.size()) + " bytes, at most " +
                        std::to_string(limits::kPolicyBytes));
    }
    if (auto checked = check_keys(json, kDocumentKeys, ""); !checked)
        return std::move(checked).error();
    if (auto version = read_version(json); !version) return std::move(version).error();
    const Json* id = find_member(json, "Id");
    if (id != nullptr && !id->is_string()) return malformed("/Id", "not a string");
    const Json* statements = find_member(json, "Statement");
    if (statements == nullptr) return malformed("", "Statement is missing");
    if (statements->is_object()) {
        if (auto added = add_statement(*statements, "/Statement"); !added)
            return std::move(added).error();
        return finish();
    }
    if (!statements->is_array()) return malformed("/Statement", "not an object or a list of them");
    if (statements->size() > kPolicyStatements) {
        return fail(Errc::policy_too_large,
                    "/Statement: more than " + std::to_string(kPolicyStatements) + " statements");
    }
    document_.statements.reserve(statements->size());
    for (std::size_t i = 0; i < statements->size(); ++i) {
        auto added = add_statement((*statements)[i], "/Statement" + step(i));
        if (!added) return std::move(added).error();
    }
    return finish();
}

Document Reader::finish() {
    document_.index = StatementIndex(document_.statements);
    return std::move(document_);
}

Result<void> Reader::read_version(const Json& json) {
    const Json* version = find_member(json, "Version");
    // IAM User Guide, "Version": without one, a policy is of 2008-10-17.
    if (version == nullptr || *version == "2008-10-17") return {};
    if (*version != "2012-10-17") return malformed("/Version", "neither 2012-10-17 nor 2008-10-17");
    variables_ = true;
    return {};
}

Result<void> Reader::add_statement(const Json& json, const std::string& path) {
    if (!json.is_object()) return malformed(path, "not an object");
    if (auto checked = check_keys(json, kStatementKeys, path); !checked) return checked;
    Statement statement;
    if (auto read = read_labels(json, path, statement); !read) return read;
    if (auto read = read_effect(json, path, statement); !read) return read;
    if (auto read = read_actions(json, path, statement); !read) return read;
    if (auto read = read_resources(json, path, statement); !read) return read;
    if (auto read = read_conditions(json, path, statement); !read) return read;
    document_.statements.push_back(std::move(statement));
    return {};
}

Result<void> Reader::read_labels(const Json& json, const std::string& path, Statement& statement) {
    if (const Json* sid = find_member(json, "Sid")) {
        if (!sid->is_string()) return malformed(path + "/Sid", "not a string");
        statement.sid = sid->get_ref<const std::string&>();
    }
    const Json* principal = find_member(json, "Principal");
    if (principal != nullptr && !principal->is_string() && !principal->is_object()) {
        return malformed(path + "/Principal", "not a string or an object");
    }
    return {};
}

Result<void> Reader::read_effect(const Json& json, const std::string& path, Statement& statement) {
    const Json* effect = find_member(json, "Effect");
    if (effect == nullptr) return malformed(path, "Effect is missing");
    if (*effect != "Allow" && *effect != "Deny") {
        return malformed(path + "/Effect", "neither \"Allow\" nor \"Deny\"");
    }
    statement.effect = *effect == "Deny" ? Effect::deny : Effect::allow;
    return {};
}

// IAM: "*" alone, or vendor and name with a colon between. An action of another service is fine,
// and never matches.
bool is_action(std::string_view text) noexcept {
    if (text.find_first_not_of('*') == std::string_view::npos) return true;
    const std::size_t colon = text.find(':');
    return colon != std::string_view::npos && colon > 0 && colon + 1 < text.size();
}

Result<void> Reader::read_actions(const Json& json, const std::string& path, Statement& statement) {
    auto element = find_element(json, path, "Action");
    if (!element) return std::move(element).error();
    auto texts = read_texts(*element);
    if (!texts) return std::move(texts).error();
    if (texts->empty()) return malformed(element->path, "empty list");
    if (auto counted = count_patterns(texts->size(), element->path); !counted) return counted;
    bool named = false;
    for (const Text& action : *texts) {
        if (!is_action(action.text))
            return malformed(action.path, "not \"service:Action\" or \"*\"");
        // IAM User Guide, "Action": prefix and name are not case-sensitive.
        const auto pattern = Wildcard::make(to_lower(action.text));
        if (!pattern) return malformed(action.path, pattern.error().detail);
        named = named || pattern->matches(kInvoke);
        statement.actions.emplace_back(action.text);
    }
    statement.not_action = element->negated;
    statement.covers_invoke = named != element->negated;
    return {};
}

Result<void> Reader::read_resources(const Json& json,
                                    const std::string& path,
                                    Statement& statement) {
    auto element = find_element(json, path, "Resource");
    if (!element) return std::move(element).error();
    if (auto checked = check_variables(*element->value, element->path); !checked) return checked;
    auto texts = read_texts(*element);
    if (!texts) return std::move(texts).error();
    // An empty Resource list was seen to be taken by API Gateway and to match nothing. Of an empty
    // NotResource list nothing is known, and it would match everything: refused.
    if (texts->empty() && element->negated) return malformed(element->path, "empty list");
    if (auto counted = count_patterns(texts->size(), element->path); !counted) return counted;
    statement.resources.reserve(texts->size());
    for (const Text& resource : *texts) {
        if (resource.text.size() > limits::kPolicyResourceBytes) {
            return malformed(
                resource.path,
                "longer than " + std::to_string(limits::kPolicyResourceBytes) + " bytes");
        }
        auto pattern = Wildcard::make(resource.text);
        if (!pattern) return malformed(resource.path, pattern.error().detail);
        statement.resources.push_back(std::move(*pattern));
    }
    statement.not_resource = element->negated;
    return {};
}

Result<void> Reader::read_conditions(const Json& json,
                                     const std::string& path,
                                     Statement& statement) {
    const Json* block = find_member(json, "Condition");
    if (block == nullptr) return {};
    const std::string block_path = path + "/Condition";
    if (auto checked = check_variables(*block, block_path); !checked) return checked;
    auto conditions = Conditions::make(*block);
    if (!conditions) {
        return Error{conditions.error().code, block_path + conditions.error().detail};
    }
    statement.conditions = std::move(*conditions);
    return {};
}

// IAM User Guide, "Version": before 2012-10-17 "${*}" is not a star but four characters, the star
// among them a wildcard. Hardly ever meant, so refused instead of read either way.
Result<void> Reader::check_variables(const Json& value, const std::string& path) const {
    if (variables_) return {};
    if (const auto* text = value.get_ptr<const Json::string_t*>()) {
        if (text->find("${") == std::string::npos) return {};
        return malformed(path, "${ needs \"Version\": \"2012-10-17\"");
    }
    if (!value.is_structured()) return {};
    for (const auto& [key, item] : value.items()) {
        if (auto checked = check_variables(item, path + step(key)); !checked) return checked;
    }
    return {};
}

Result<void> Reader::count_patterns(std::size_t count, const std::string& path) {
    patterns_ += count;
    if (patterns_ <= kPolicyPatterns) return {};
    return fail(
        Errc::policy_too_large,
        path + ": more than " + std::to_string(kPolicyPatterns) + " Action and Resource patterns");
}

}  // namespace

Result<Document> parse_document(const Json& document) {
    return Reader().read(document);
}

const DocumentPtr& no_statements() {
    static const DocumentPtr kNone = std::make_shared<Document>();
    return kNone;
}

std::size_t Document::heap_bytes() const noexcept {
    std::size_t bytes =
        heap_of(text) + statements.capacity() * sizeof(Statement) + index.heap_bytes();
    for (const Statement& statement : statements) {
        bytes += heap_of(statement.sid) + statement.conditions.heap_bytes();
        bytes += statement.actions.capacity() * sizeof(std::string);
        for (const std::string& action : statement.actions)
            bytes += heap_of(action);
        bytes += statement.resources.capacity() * sizeof(Wildcard);
        for (const Wildcard& resource : statement.resources)
            bytes += resource.heap_bytes();
    }
    return bytes;
}

}  // namespace gatehouse::policy
