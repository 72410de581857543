#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json_pointer.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/schema/schema.hpp"
#include "node.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

// Applying a model. The messages are those of the validator that the service uses (as they were
// seen in $context.error.validationErrorString), as far as they are known.
namespace gatehouse::schema {
namespace {

constexpr std::size_t kBytesPerStep = 64;

unsigned type_of(const Json& value) noexcept {
    switch (value.type()) {
        case Json::value_t::array:
            return kArray;
        case Json::value_t::boolean:
            return kBoolean;
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
            return kInteger;
        case Json::value_t::number_float:
            return kNumber;
        case Json::value_t::object:
            return kObject;
        case Json::value_t::string:
            return kString;
        default:
            return kNull;
    }
}

std::string_view type_name(unsigned type) noexcept {
    switch (type) {
        case kArray:
            return "array";
        case kBoolean:
            return "boolean";
        case kInteger:
            return "integer";
        case kNumber:
            return "number";
        case kObject:
            return "object";
        case kString:
            return "string";
        default:
            return "null";
    }
}

std::string list_types(unsigned types) {
    std::string list;
    for (unsigned bit = kArray; bit <= kString; bit <<= 1) {
        if ((types & bit) == 0) continue;
        if (!list.empty()) list += ',';
        ((list += '"') += type_name(bit)) += '"';
    }
    return list;
}

std::string list_names(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) {
        if (list.size() > limits::kSchemaMessageBytes) break;
        if (!list.empty()) list += ',';
        list += quote_json(name.substr(0, limits::kSchemaMessageBytes));
    }
    return '[' + list + ']';
}

// A scalar as it stands in a message; of the others only the kind.
std::string show(const Json& value) {
    if (value.is_structured()) return std::string(type_name(type_of(value)));
    if (const auto* text = value.get_ptr<const Json::string_t*>())
        return quote_json(text->substr(0, limits::kSchemaMessageBytes));
    return dump_json(value);
}

// Code points: what a string's length is (RFC 8259, draft 4 5.2.1).
std::size_t length_of(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_multiple(const Json& value, const Json& divisor) noexcept {
    if (value.is_number_integer() && divisor.is_number_integer()) {
        if (value.is_number_unsigned() && divisor.is_number_unsigned())
            return value.get<std::uint64_t>() % divisor.get<std::uint64_t>() == 0;
        // A negative value. Divisors are above 0; one beyond int64 divides none.
        const auto bound = divisor.get<std::uint64_t>();
        return bound <= static_cast<std::uint64_t>(INT64_MAX) &&
               value.get<std::int64_t>() % static_cast<std::int64_t>(bound) == 0;
    }
    // 0.3 is a multiple of 0.1 to whoever writes it: the quotient is whole to within what a double
    // can tell.
    const double quotient = value.get<double>() / divisor.get<double>();
    return std::isfinite(quotient) &&
           std::abs(quotient - std::round(quotient)) <= 1e-9 * std::max(1.0, std::abs(quotient));
}

int compare(const Json& a, const Json& b);

// On every machine that Gatehouse runs on a long double holds each int64, uint64 and double.
int compare_numbers(const Json& a, const Json& b) {
    const auto exact = [](const Json& number) {
        if (number.is_number_float()) return static_cast<long double>(number.get<double>());
        if (number.is_number_unsigned())
            return static_cast<long double>(number.get<std::uint64_t>());
        return static_cast<long double>(number.get<std::int64_t>());
    };
    const long double left = exact(a);
    const long double right = exact(b);
    return left < right ? -1 : left > right ? 1 : 0;
}

int compare_structured(const Json& a, const Json& b) {
    if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
    for (auto left = a.begin(), right = b.begin(); left != a.end(); ++left, ++right) {
        if (a.is_object()) {
            if (const int order = left.key().compare(right.key()); order != 0) return order;
        }
        if (const int order = compare(*left, *right); order != 0) return order;
    }
    return 0;
}

// A total order, in which 1 and 1.0 are one. (nlohmann's own is none: an integer and a double are
// compared as doubles, so that two integers can both equal a third number and not each other, and
// a sort that trusts it can leave its range.)
int compare(const Json& a, const Json& b) {
    const auto kind = [](const Json& value) {
        return value.is_number() ? unsigned{kNumber} : type_of(value);
    };
    if (kind(a) != kind(b)) return kind(a) < kind(b) ? -1 : 1;
    if (a.is_number()) return compare_numbers(a, b);
    if (a.is_structured()) return compare_structured(a, b);
    if (a.is_string())
        return a.get_ref<const std::string&>().compare(b.get_ref<const std::string&>());
    if (a.is_boolean()) return static_cast<int>(a.get<bool>()) - static_cast<int>(b.get<bool>());
    return 0;
}

class Validator {
  public:
    std::vector<Failure> run(const Node& root, const Json& instance) {
        bool fits = apply(root, instance, "");
        if (steps_ > limits::kSchemaSteps) {
            fits = false;
            failures_.clear();
            failures_.push_back({"", "", "the body needs more work to validate than is allowed"});
        }
        if (fits) {
            failures_.clear();
        } else if (failures_.empty()) {
            // A refusal without a reason is a bug, and still a refusal.
            failures_.push_back({"", "", "the body does not fit its model"});
        }
        return std::move(failures_);
    }

  private:
    // False: more work than is allowed, and everything fails from here on.
    bool spend(std::size_t steps) noexcept {
        steps_ += steps;
        return steps_ <= limits::kSchemaSteps;
    }

    bool failed(const std::string& pointer, std::string_view keyword, std::string message) {
        if (quiet_ == 0 && failures_.size() < limits::kSchemaFailures) {
            if (message.size() > limits::kSchemaMessageBytes) {
                message.resize(limits::kSchemaMessageBytes);
                while (!message.empty() && !is_utf8(message))
                    message.pop_back();
            }
            failures_.push_back({pointer, keyword, std::move(message)});
        }
        return false;
    }

    bool apply(const Node& node, const Json& value, const std::string& pointer) {
        if (!spend(1)) return false;
        // A $ref that leads back to itself, or a model that is deeper than any body.
        // Not a plain false: inside "not" that would pass.
        if (depth_ >= limits::kSchemaDepth) return spend(limits::kSchemaSteps + 1);
        ++depth_;
        bool fits = true;
        if (node.reference != nullptr) {
            fits = apply(*node.reference, value, pointer);
        } else {
            fits = check_any(node, value, pointer);
            if (value.is_number()) fits = check_number(node, value, pointer) && fits;
            if (value.is_string()) fits = check_string(node, value, pointer) && fits;
            if (value.is_array()) fits = check_array(node, value, pointer) && fits;
            if (value.is_object()) fits = check_object(node, value, pointer) && fits;
            fits = check_combinations(node, value, pointer) && fits;
        }
        --depth_;
        return fits;
    }

    bool fits_quietly(const Node& node, const Json& value, const std::string& pointer) {
        ++quiet_;
        const bool fits = apply(node, value, pointer);
        --quiet_;
        return fits;
    }

    bool check_any(const Node& node, const Json& value, const std::string& pointer) {
        bool fits = true;
        const unsigned type = type_of(value);
        // An integer is a number. 1.0 is no integer (draft 4, 3.5).
        const unsigned wanted = node.types | ((node.types & kNumber) != 0 ? kInteger : 0U);
        if (node.types != 0 && (wanted & type) == 0) {
            fits = failed(pointer,
                          "type",
                          "instance type (" + std::string(type_name(type)) +
                              ") does not match any allowed primitive type (allowed: [" +
                              list_types(node.types) + "])");
        }
        if (node.values && !is_listed(*node.values, value)) {
            std::string possible;
            for (const Json& one : *node.values) {
                if (possible.size() > limits::kSchemaMessageBytes) break;
                if (!possible.empty()) possible += ',';
                possible += show(one);
            }
            fits = failed(pointer,
                          "enum",
                          "instance value (" + show(value) +
                              ") not found in enum (possible values: [" + possible + "])");
        }
        return fits;
    }

    bool is_listed(const std::vector<Json>& values, const Json& value) {
        return std::ranges::any_of(values, [&](const Json& one) {
            return spend(1 + (value.is_string()
                                  ? value.get_ref<const std::string&>().size() / kBytesPerStep
                                  : value.size())) &&
                   compare(one, value) == 0;
        });
    }

    bool check_number(const Node& node, const Json& value, const std::string& pointer) {
        bool fits = true;
        const auto complain = [&](std::string_view keyword, std::string_view what, const Json& at) {
            fits = failed(pointer,
                          keyword,
                          "numeric instance is " + std::string(what) + " (" + std::string(keyword) +
                              ": " + show(at) + ", found: " + show(value) + ")");
        };
        if (node.minimum && compare_numbers(value, *node.minimum) < 0)
            complain("minimum", "lower than the required minimum", *node.minimum);
        if (node.maximum && compare_numbers(value, *node.maximum) > 0)
            complain("maximum", "greater than the required maximum", *node.maximum);
        if (node.minimum && node.exclusive_minimum && compare_numbers(value, *node.minimum) == 0)
            complain("minimum", "not strictly greater than the required minimum", *node.minimum);
        if (node.maximum && node.exclusive_maximum && compare_numbers(value, *node.maximum) == 0)
            complain("maximum", "not strictly lower than the required maximum", *node.maximum);
        if (node.multiple_of && !is_multiple(value, *node.multiple_of))
            complain("multipleOf", "not a multiple", *node.multiple_of);
        return fits;
    }

    bool check_string(const Node& node, const Json& value, const std::string& pointer) {
        const auto& text = value.get_ref<const std::string&>();
        if (!spend(text.size() / kBytesPerStep)) return false;
        bool fits = true;
        if (node.min_length || node.max_length) {
            const std::size_t length = length_of(text);
            const auto complain =
                [&](std::string_view keyword, std::string_view what, std::size_t bound) {
                    fits = failed(pointer,
                                  keyword,
                                  "string " + show(value) + " is too " + std::string(what) +
                                      std::to_string(bound) + ")");
                };
            const std::string found = " (length: " + std::to_string(length);
            if (node.min_length && length < *node.min_length)
                complain("minLength", "short" + found + ", required minimum: ", *node.min_length);
            if (node.max_length && length > *node.max_length)
                complain("maxLength", "long" + found + ", maximum allowed: ", *node.max_length);
        }
        if (node.pattern && !matches(*node.pattern, text)) {
            fits = failed(pointer,
                          "pattern",
                          "ECMA 262 regex " + quote_json(node.pattern->pattern()) +
                              " does not match input string " + show(value));
        }
        if (node.format != nullptr && !node.format->holds(text)) {
            fits = failed(pointer,
                          "format",
                          "string " + show(value) + " is no " + std::string(node.format->name));
        }
        return fits;
    }

    bool matches(const re2::RE2& pattern, std::string_view text) {
        return spend(1 + text.size() / kBytesPerStep) &&
               re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
    }

    bool check_array(const Node& node, const Json& value, const std::string& pointer) {
        bool fits = true;
        const std::size_t size = value.size();
        if (node.min_items && size < *node.min_items) {
            fits =
                failed(pointer,
                       "minItems",
                       "array is too short: must have at least " + std::to_string(*node.min_items) +
                           " elements but instance has " + std::to_string(size) + " elements");
        }
        if (node.max_items && size > *node.max_items) {
            fits =
                failed(pointer,
                       "maxItems",
                       "array is too long: must have at most " + std::to_string(*node.max_items) +
                           " elements but instance has " + std::to_string(size) + " elements");
        }
        if (node.unique_items && !is_unique(value)) {
            fits = failed(pointer, "uniqueItems", "array must not contain duplicate elements");
        }
        if (node.tuple && !node.additional_items.allowed && size > node.tuple->size()) {
            fits = failed(pointer,
                          "additionalItems",
                          "array only allows " + std::to_string(node.tuple->size()) +
                              " elements but instance has " + std::to_string(size));
        }
        if (node.items == nullptr && !node.tuple) return fits;
        for (std::size_t i = 0; i < size; ++i) {
            const bool listed = node.tuple && i < node.tuple->size();
            const Node* element = listed       ? (*node.tuple)[i]
                                  : node.tuple ? node.additional_items.schema
                                               : node.items;
            if (element == nullptr) break;
            fits = apply(*element, value[i], pointer + pointer_step(i)) && fits;
            if (steps_ > limits::kSchemaSteps) return false;
        }
        return fits;
    }

    // By sorting: comparing each with each would be a client's lever. Every comparison is paid for.
    bool is_unique(const Json& array) {
        std::vector<const Json*> sorted;
        std::size_t cost = 0;
        for (const Json& element : array) {
            sorted.push_back(&element);
            cost += weight_of(element);
        }
        std::size_t rounds = 1;
        for (std::size_t n = array.size(); n > 1; n /= 2)
            ++rounds;
        if (!spend(cost * rounds)) return false;
        std::ranges::sort(sorted, [](const Json* a, const Json* b) { return compare(*a, *b) < 0; });
        return std::ranges::adjacent_find(sorted, [](const Json* a, const Json* b) {
                   return compare(*a, *b) == 0;
               }) == sorted.end();
    }

    static std::size_t weight_of(const Json& value) {
        std::size_t weight = 1;
        if (value.is_string()) weight += value.get_ref<const std::string&>().size() / kBytesPerStep;
        if (value.is_structured()) {
            for (const Json& member : value)  // as deep as the parser let it be
                weight += weight_of(member);
        }
        return weight;
    }

    bool check_object(const Node& node, const Json& value, const std::string& pointer) {
        bool fits = check_counts(node, value, pointer);
        std::vector<std::string> missing;
        for (const std::string& name : node.required) {
            if (!value.contains(name)) missing.push_back(name);
        }
        if (!spend(node.required.size())) return false;
        if (!missing.empty()) {
            fits = failed(pointer,
                          "required",
                          "object has missing required properties (" + list_names(missing) + ")");
        }
        std::vector<std::string> surplus;
        for (const auto& [name, member] : value.items()) {
            fits = check_member(node, name, member, pointer, surplus) && fits;
            if (steps_ > limits::kSchemaSteps) return false;
        }
        if (!surplus.empty()) {
            fits = failed(pointer,
                          "additionalProperties",
                          "object instance has properties which are not allowed by the schema: " +
                              list_names(surplus));
        }
        return check_dependencies(node, value, pointer) && fits;
    }

    bool check_counts(const Node& node, const Json& value, const std::string& pointer) {
        const std::string found = std::to_string(value.size());
        bool fits = true;
        if (node.min_properties && value.size() < *node.min_properties) {
            fits = failed(pointer,
                          "minProperties",
                          "object has too few properties (found " + found +
                              " but schema requires at least " +
                              std::to_string(*node.min_properties) + ")");
        }
        if (node.max_properties && value.size() > *node.max_properties) {
            fits = failed(pointer,
                          "maxProperties",
                          "object has too many properties (found " + found +
                              " but schema requires at most " +
                              std::to_string(*node.max_properties) + ")");
        }
        return fits;
    }

    bool check_member(const Node& node,
                      const std::string& name,
                      const Json& member,
                      const std::string& pointer,
                      std::vector<std::string>& surplus) {
        if (!spend(1)) return false;
        bool fits = true;
        bool known = false;
        if (const auto found = node.properties.find(name); found != node.properties.end()) {
            known = true;
            fits = apply(*found->second, member, pointer + pointer_step(printable(name, 60)));
        }
        for (const auto& [pattern, schema] : node.pattern_properties) {
            if (!matches(*pattern, name)) continue;
            known = true;
            fits = apply(*schema, member, pointer + pointer_step(printable(name, 60))) && fits;
        }
        if (known) return fits;
        if (node.additional_properties.schema != nullptr)
            return apply(*node.additional_properties.schema,
                         member,
                         pointer + pointer_step(printable(name, 60)));
        if (!node.additional_properties.allowed) {
            if (surplus.size() < limits::kSchemaFailures) surplus.push_back(name);
            return false;
        }
        return true;
    }

    bool check_dependencies(const Node& node, const Json& value, const std::string& pointer) {
        bool fits = true;
        for (const Dependency& dependency : node.dependencies) {
            if (!spend(1 + dependency.required.size())) return false;
            if (!value.contains(dependency.property)) continue;
            std::vector<std::string> missing;
            for (const std::string& name : dependency.required) {
                if (!value.contains(name)) missing.push_back(name);
            }
            if (!missing.empty()) {
                fits = failed(pointer,
                              "dependencies",
                              "property " + quote_json(dependency.property) +
                                  " of object has missing property dependencies (schema requires " +
                                  list_names(dependency.required) +
                                  "; missing: " + list_names(missing) + ")");
            }
            if (dependency.schema != nullptr)
                fits = apply(*dependency.schema, value, pointer) && fits;
        }
        return fits;
    }

    std::size_t count_fits(const std::vector<const Node*>& schemas,
                           const Json& value,
                           const std::string& pointer) {
        std::size_t matched = 0;
        for (const Node* schema : schemas)
            matched += fits_quietly(*schema, value, pointer) ? 1U : 0U;
        return matched;
    }

    bool check_combinations(const Node& node, const Json& value, const std::string& pointer) {
        bool fits = true;
        if (!node.all_of.empty()) {
            const std::size_t matched = count_fits(node.all_of, value, pointer);
            if (matched != node.all_of.size()) {
                fits = failed(pointer,
                              "allOf",
                              "instance failed to match all required schemas (matched only " +
                                  std::to_string(matched) + " out of " +
                                  std::to_string(node.all_of.size()) + ")");
            }
        }
        if (!node.any_of.empty() && count_fits(node.any_of, value, pointer) == 0) {
            fits = failed(pointer,
                          "anyOf",
                          "instance failed to match at least one required schema among " +
                              std::to_string(node.any_of.size()));
        }
        if (!node.one_of.empty()) {
            const std::size_t matched = count_fits(node.one_of, value, pointer);
            if (matched != 1) {
                fits = failed(pointer,
                              "oneOf",
                              "instance failed to match exactly one schema (matched " +
                                  std::to_string(matched) + " out of " +
                                  std::to_string(node.one_of.size()) + ")");
            }
        }
        // Where the work is used up nothing "does not fit": run() refuses the whole.
        if (node.negated != nullptr && fits_quietly(*node.negated, value, pointer))
            fits = failed(pointer, "not", "instance matched a schema which it should not have");
        return fits;
    }

    std::vector<Failure> failures_;
    std::size_t steps_ = 0;
    int depth_ = 0;
    int quiet_ = 0;
};

}  // namespace

std::vector<Failure> Schema::validate(const Json& instance) const {
    return Validator().run(*program_->nodes.front(), instance);
}

}  // namespace gatehouse::schema
