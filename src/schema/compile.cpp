#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json_pointer.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/schema/schema.hpp"
#include "node.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace gatehouse::schema {
namespace {

constexpr std::string_view kModels = "https://apigateway.amazonaws.com/restapis/";

struct TypeName {
    std::string_view name;
    unsigned bit;
};

constexpr TypeName kTypes[] = {{"array", kArray},
                               {"boolean", kBoolean},
                               {"integer", kInteger},
                               {"null", kNull},
                               {"number", kNumber},
                               {"object", kObject},
                               {"string", kString}};

// Words that ask for nothing: draft 4's own, OpenAPI's, which the service ignores too.
constexpr std::string_view kAnnotations[] = {"$schema",
                                             "default",
                                             "definitions",
                                             "description",
                                             "discriminator",
                                             "example",
                                             "externalDocs",
                                             "readOnly",
                                             "title",
                                             "xml"};

// What people write who know a later draft or OpenAPI 3: named, so that they see why.
constexpr std::string_view kLater[] = {"$anchor",
                                       "$defs",
                                       "$dynamicRef",
                                       "$id",
                                       "const",
                                       "contains",
                                       "dependentRequired",
                                       "dependentSchemas",
                                       "else",
                                       "if",
                                       "maxContains",
                                       "minContains",
                                       "nullable",
                                       "prefixItems",
                                       "propertyNames",
                                       "then",
                                       "unevaluatedItems",
                                       "unevaluatedProperties",
                                       "writeOnly"};

bool is_one_of(std::string_view word, std::span<const std::string_view> words) noexcept {
    return std::ranges::find(words, word) != words.end();
}

std::string in_quotes(std::string_view text) {
    return '"' + printable(text, 60) + '"';
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high < 0 ? -1 : hex_value(text[i + 2]);
        if (low >= 0) {
            decoded += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

class Compiler {
  public:
    Compiler(const std::map<std::string, Json>& models, Program& program)
        : models_(models), program_(program) {}

    /// The node of a place, compiled once however often it is referred to.
    const Node* compile(const std::string& model, const Json& value, const std::string& pointer) {
        const auto [known, fresh] = known_.try_emplace(model + '#' + pointer, nullptr);
        if (!fresh) return known->second;
        if (!value.is_object()) return refuse(pointer, "a schema is an object");
        if (++depth_ > limits::kTemplateValueDepth)
            return refuse(pointer, "schemas are nested too deeply");
        program_.nodes.push_back(std::make_unique<Node>());
        Node& node = *program_.nodes.back();
        known->second = &node;
        const Place place{model, value, pointer};
        if (value.contains("$ref")) {
            read_reference(place, node);
        } else {
            read_keywords(place, node);
        }
        --depth_;
        return &node;
    }

    const std::string& fault() const noexcept { return fault_; }

  private:
    struct Place {
        const std::string& model;
        const Json& schema;
        const std::string& pointer;

        std::string at(std::string_view keyword) const { return pointer + pointer_step(keyword); }
    };

    // The first fault is the one that is told.
    std::nullptr_t refuse(const std::string& pointer, const std::string& why) {
        if (fault_.empty()) fault_ = pointer + ": " + why;
        return nullptr;
    }

    void read_reference(const Place& place, Node& node) {
        for (const auto& [word, value] : place.schema.items()) {
            if (word == "$ref" || is_one_of(word, kAnnotations)) continue;
            refuse(place.at(word), "would be ignored: beside \"$ref\" nothing counts (draft 4)");
        }
        const Json& target = place.schema["$ref"];
        const auto* text = target.get_ptr<const Json::string_t*>();
        if (text == nullptr) {
            refuse(place.at("$ref"), "must be a string");
            return;
        }
        std::string_view rest = *text;
        std::string model = place.model;
        if (!rest.starts_with('#')) {
            const std::string_view whole = rest.substr(0, rest.find('#'));
            const std::size_t name = whole.find("/models/");
            if (!whole.starts_with(kModels) || name == std::string_view::npos) {
                refuse(place.at("$ref"),
                       in_quotes(*text) + " is not supported; allowed: \"#/definitions/…\" and \"" +
                           std::string(kModels) + "{api}/models/{model}\"");
                return;
            }
            model = whole.substr(name + 8);
            rest.remove_prefix(whole.size());
        }
        const auto document = models_.find(model);
        if (document == models_.end()) {
            refuse(place.at("$ref"), "there is no model " + in_quotes(model));
            return;
        }
        follow(place, document->first, document->second, rest, node);
    }

    void follow(const Place& place,
                const std::string& model,
                const Json& document,
                std::string_view fragment,
                Node& node) {
        if (fragment.starts_with('#')) fragment.remove_prefix(1);
        const std::string pointer = percent_decoded(fragment);
        const Json* target = &document;
        if (!pointer.empty()) {
            // The pointer's own syntax is checked by hand: nlohmann's parser throws.
            std::string_view rest = pointer;
            while (target != nullptr && rest.starts_with('/')) {
                rest.remove_prefix(1);
                const std::string name = unescaped(rest.substr(0, rest.find('/')));
                rest.remove_prefix(std::min(rest.find('/'), rest.size()));
                target = member_of(*target, name);
            }
            if (!rest.empty()) target = nullptr;
        }
        if (target == nullptr) {
            refuse(place.at("$ref"), "there is nothing at " + in_quotes(pointer));
            return;
        }
        node.reference = compile(model, *target, pointer);
    }

    static std::string unescaped(std::string_view token) {
        std::string name;
        for (std::size_t i = 0; i < token.size(); ++i) {
            const bool escape = token[i] == '~' && i + 1 < token.size();
            if (escape) ++i;
            name += !escape ? token[i] : token[i] == '0' ? '~' : '/';
        }
        return name;
    }

    static const Json* member_of(const Json& value, const std::string& name) {
        if (value.is_object()) return find_member(value, name);
        if (!value.is_array() || name.empty() || name.size() > 6 ||
            !std::ranges::all_of(name, is_digit))
            return nullptr;
        const auto index = static_cast<std::size_t>(std::stoul(name));
        return index < value.size() ? &value[index] : nullptr;
    }

    void read_keywords(const Place& place, Node& node) {
        for (const auto& [word, value] : place.schema.items()) {
            if (read_value(place, word, value, node) || read_array(place, word, value, node) ||
                read_object(place, word, value, node) || read_combination(place, word, value, node))
                continue;
            read_annotation(place, word, value);
        }
        if (node.exclusive_minimum && !node.minimum)
            refuse(place.at("exclusiveMinimum"), "would be ignored without \"minimum\"");
        if (node.exclusive_maximum && !node.maximum)
            refuse(place.at("exclusiveMaximum"), "would be ignored without \"maximum\"");
        if (node.additional_items.schema != nullptr || !node.additional_items.allowed) {
            if (!node.tuple)
                refuse(place.at("additionalItems"), "would be ignored unless \"items\" is a list");
        }
    }

    void read_annotation(const Place& place, const std::string& word, const Json& value) {
        if (word == "$schema" && value.is_string()) {
            const std::string& draft = value.get_ref<const std::string&>();
            if (draft.find("//json-schema.org/draft-04/schema") == std::string::npos &&
                draft.find("//json-schema.org/schema") == std::string::npos)
                refuse(place.at(word), in_quotes(draft) + ": models are of draft 4");
            return;
        }
        // At the root it names the model; deeper it would change what "$ref" means.
        if (word == "id" && place.pointer.empty() && value.is_string()) return;
        if (is_one_of(word, kAnnotations) || word.starts_with("x-")) return;
        refuse(place.at(word),
               is_one_of(word, kLater)
                   ? "belongs to a later draft or to OpenAPI 3: models are of JSON Schema draft 4"
                   : "is no keyword of JSON Schema draft 4 that would be enforced");
    }

    // ---- any value, numbers and strings

    bool read_value(const Place& place, const std::string& word, const Json& value, Node& node) {
        if (word == "type") {
            read_type(place, value, node);
        } else if (word == "enum") {
            if (!value.is_array() || value.empty()) {
                refuse(place.at(word), "must be a list of at least one value");
            } else {
                node.values = std::vector<Json>(value.begin(), value.end());
            }
        } else if (word == "minimum" || word == "maximum" || word == "multipleOf") {
            if (!value.is_number() || (word == "multipleOf" && !(value.get<double>() > 0))) {
                refuse(place.at(word),
                       word == "multipleOf" ? "must be a number above 0" : "must be a number");
            } else {
                (word == "minimum"   ? node.minimum
                 : word == "maximum" ? node.maximum
                                     : node.multiple_of) = value;
            }
        } else if (word == "exclusiveMinimum" || word == "exclusiveMaximum") {
            if (!value.is_boolean()) {
                refuse(place.at(word), "must be true or false in draft 4");
            } else {
                (word == "exclusiveMinimum" ? node.exclusive_minimum : node.exclusive_maximum) =
                    value.get<bool>();
            }
        } else if (word == "minLength" || word == "maxLength") {
            read_count(place, word, value, word == "minLength" ? node.min_length : node.max_length);
        } else if (word == "pattern") {
            node.pattern = read_expression(place.at(word), value);
        } else if (word == "format") {
            read_format(place, value, node);
        } else {
            return false;
        }
        return true;
    }

    void read_type(const Place& place, const Json& value, Node& node) {
        const auto add = [&](const Json& name) {
            const auto* text = name.get_ptr<const Json::string_t*>();
            const auto* found = text == nullptr ? std::end(kTypes)
                                                : std::ranges::find(kTypes, *text, &TypeName::name);
            if (found == std::end(kTypes)) {
                refuse(place.at("type"),
                       "allowed: array, boolean, integer, null, number, object, string");
            } else {
                node.types |= found->bit;
            }
        };
        if (!value.is_array()) return add(value);
        if (value.empty()) refuse(place.at("type"), "is an empty list");
        for (const Json& name : value)
            add(name);
    }

    void read_count(const Place& place,
                    const std::string& word,
                    const Json& value,
                    std::optional<std::size_t>& into) {
        if (value.is_number_unsigned()) {
            into = value.get<std::size_t>();
        } else {
            refuse(place.at(word), "must be a whole number, 0 or more");
        }
    }

    Expression read_expression(const std::string& pointer, const Json& value) {
        const auto* text = value.get_ptr<const Json::string_t*>();
        if (text == nullptr) return refuse(pointer, "must be a string");
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(limits::kExpressionBytes);
        auto made = std::make_shared<const re2::RE2>(*text, options);
        if (!made->ok()) {
            return refuse(pointer,
                          "is no regular expression that can be matched in linear time (RE2): " +
                              printable(made->error(), 100));
        }
        return made;
    }

    void read_format(const Place& place, const Json& value, Node& node) {
        const auto* text = value.get_ptr<const Json::string_t*>();
        if (text == nullptr) {
            refuse(place.at("format"), "must be a string");
        } else if (!is_annotation_format(*text)) {
            node.format = find_format(*text);
            if (node.format == nullptr) {
                refuse(place.at("format"),
                       in_quotes(*text) +
                           " would not be checked; allowed: " + std::string(format_names()) +
                           ", and int32, int64, float, double, byte, binary, password, which ask "
                           "for nothing");
            }
        }
    }

    // ---- arrays

    bool read_array(const Place& place, const std::string& word, const Json& value, Node& node) {
        if (word == "minItems" || word == "maxItems") {
            read_count(place, word, value, word == "minItems" ? node.min_items : node.max_items);
        } else if (word == "uniqueItems") {
            if (!value.is_boolean()) refuse(place.at(word), "must be true or false");
            node.unique_items = value == Json(true);
        } else if (word == "items") {
            if (value.is_array()) {
                node.tuple = read_list(place, word, value, true);
            } else {
                node.items = compile(place.model, value, place.at(word));
            }
        } else if (word == "additionalItems") {
            node.additional_items = read_rest(place, word, value);
        } else {
            return false;
        }
        return true;
    }

    Rest read_rest(const Place& place, const std::string& word, const Json& value) {
        if (value.is_boolean()) return {value.get<bool>(), nullptr};
        return {true, compile(place.model, value, place.at(word))};
    }

    std::vector<const Node*> read_list(const Place& place,
                                       const std::string& word,
                                       const Json& value,
                                       bool may_be_empty = false) {
        std::vector<const Node*> list;
        if (!value.is_array() || (value.empty() && !may_be_empty)) {
            refuse(place.at(word), "must be a list of at least one schema");
            return list;
        }
        for (std::size_t i = 0; i < value.size(); ++i)
            list.push_back(compile(place.model, value[i], place.at(word) + pointer_step(i)));
        return list;
    }

    // ---- objects

    bool read_object(const Place& place, const std::string& word, const Json& value, Node& node) {
        if (word == "minProperties" || word == "maxProperties") {
            read_count(place,
                       word,
                       value,
                       word == "minProperties" ? node.min_properties : node.max_properties);
        } else if (word == "required") {
            node.required = read_names(place.at(word), value);
        } else if (word == "properties" || word == "patternProperties") {
            read_properties(place, word, value, node);
        } else if (word == "additionalProperties") {
            node.additional_properties = read_rest(place, word, value);
        } else if (word == "dependencies") {
            read_dependencies(place, value, node);
        } else {
            return false;
        }
        return true;
    }

    std::vector<std::string> read_names(const std::string& pointer, const Json& value) {
        std::vector<std::string> names;
        if (!value.is_array() || value.empty()) {
            refuse(pointer, "must be a list of at least one name");
            return names;
        }
        for (const Json& name : value) {
            const auto* text = name.get_ptr<const Json::string_t*>();
            if (text == nullptr) {
                refuse(pointer, "must be a list of names");
            } else {
                names.push_back(*text);
            }
        }
        return names;
    }

    void read_properties(const Place& place,
                         const std::string& word,
                         const Json& value,
                         Node& node) {
        if (!value.is_object()) {
            refuse(place.at(word), "must be an object of schemas");
            return;
        }
        for (const auto& [name, schema] : value.items()) {
            const std::string pointer = place.at(word) + pointer_step(name);
            const Node* child = compile(place.model, schema, pointer);
            if (word == "properties") {
                node.properties.emplace(name, child);
            } else {
                node.pattern_properties.emplace_back(read_expression(pointer, Json(name)), child);
            }
        }
    }

    void read_dependencies(const Place& place, const Json& value, Node& node) {
        if (!value.is_object()) {
            refuse(place.at("dependencies"), "must be an object");
            return;
        }
        for (const auto& [name, needs] : value.items()) {
            const std::string pointer = place.at("dependencies") + pointer_step(name);
            Dependency dependency{name, {}, nullptr};
            if (needs.is_array()) {
                dependency.required = read_names(pointer, needs);
            } else {
                dependency.schema = compile(place.model, needs, pointer);
            }
            node.dependencies.push_back(std::move(dependency));
        }
    }

    // ---- combinations

    bool read_combination(const Place& place,
                          const std::string& word,
                          const Json& value,
                          Node& node) {
        if (word == "allOf") {
            node.all_of = read_list(place, word, value);
        } else if (word == "anyOf") {
            node.any_of = read_list(place, word, value);
        } else if (word == "oneOf") {
            node.one_of = read_list(place, word, value);
        } else if (word == "not") {
            node.negated = compile(place.model, value, place.at(word));
        } else {
            return false;
        }
        return true;
    }

    const std::map<std::string, Json>& models_;
    Program& program_;
    std::map<std::string, const Node*> known_;
    int depth_ = 0;
    std::string fault_;
};

}  // namespace

Result<Schema> compile(const std::map<std::string, Json>& models, const std::string& name) {
    const auto model = models.find(name);
    if (model == models.end()) return fail(Errc::config_invalid, ": there is no such model");
    auto program = std::make_shared<Program>();
    Compiler compiler(models, *program);
    compiler.compile(name, model->second, "");
    if (!compiler.fault().empty()) return fail(Errc::config_invalid, compiler.fault());
    return Schema(std::move(program));
}

}  // namespace gatehouse::schema
