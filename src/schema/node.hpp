#pragma once

#include "formats.hpp"
#include "gatehouse/core/json.hpp"

#include <re2/re2.h>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// What the compiler makes and the validator walks. Nodes point at each other, in circles too: the
// program owns them all.
namespace gatehouse::schema {

/// The seven types of JSON Schema, as bits.
constexpr unsigned kArray = 1;
constexpr unsigned kBoolean = 2;
constexpr unsigned kInteger = 4;
constexpr unsigned kNull = 8;
constexpr unsigned kNumber = 16;
constexpr unsigned kObject = 32;
constexpr unsigned kString = 64;

using Expression = std::shared_ptr<const re2::RE2>;

struct Node;

/// `additionalItems`, `additionalProperties`: true, false or a schema.
struct Rest {
    bool allowed = true;
    const Node* schema = nullptr;
};

struct Dependency {
    std::string property;
    std::vector<std::string> required;
    const Node* schema = nullptr;
};

struct Node {
    const Node* reference = nullptr;          ///< $ref: nothing else counts then
    unsigned types = 0;                       ///< 0: any
    std::optional<std::vector<Json>> values;  ///< enum

    std::optional<Json> minimum;
    std::optional<Json> maximum;
    std::optional<Json> multiple_of;
    bool exclusive_minimum = false;
    bool exclusive_maximum = false;

    std::optional<std::size_t> min_length;
    std::optional<std::size_t> max_length;
    Expression pattern;
    const Format* format = nullptr;

    std::optional<std::size_t> min_items;
    std::optional<std::size_t> max_items;
    bool unique_items = false;
    const Node* items = nullptr;
    std::optional<std::vector<const Node*>> tuple;
    Rest additional_items;

    std::optional<std::size_t> min_properties;
    std::optional<std::size_t> max_properties;
    std::vector<std::string> required;
    std::map<std::string, const Node*, std::less<>> properties;
    std::vector<std::pair<Expression, const Node*>> pattern_properties;
    Rest additional_properties;
    std::vector<Dependency> dependencies;

    std::vector<const Node*> all_of;
    std::vector<const Node*> any_of;
    std::vector<const Node*> one_of;
    const Node* negated = nullptr;
};

struct Program {
    std::vector<std::unique_ptr<Node>> nodes;  ///< the first is the root
};

}  // namespace gatehouse::schema
