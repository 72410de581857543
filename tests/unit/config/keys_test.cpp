#include "gatehouse/config/keys.hpp"

#include "fixture.hpp"

#include <set>

namespace keys_test {

using namespace gatehouse;
using namespace gatehouse::config;
using namespace gatehouse::config::testing;

namespace {

std::set<std::string> names_of(const Json& object) {
    std::set<std::string> names;
    for (const auto& [name, value] : object.items())
        names.insert(name);
    return names;
}

}  // namespace

TEST_SUITE("config/keys") {
    TEST_CASE("the schema has the loader's keys and no others") {
        const Json schema = parse_document(read_file("config/gatehouse.schema.json"));
        std::set<std::string> places;
        for (const keys::Place& place : keys::kPlaces) {
            CAPTURE(place.name);
            places.insert(std::string(place.name));
            const Json& object =
                place.name.empty() ? schema : schema["definitions"][std::string(place.name)];
            REQUIRE(object.contains("properties"));
            CHECK(names_of(object["properties"]) ==
                  std::set<std::string>(place.keys.begin(), place.keys.end()));
            CHECK(object["additionalProperties"] == false);
        }
        for (const auto& [name, definition] : schema["definitions"].items()) {
            CAPTURE(name);
            CHECK(definition.contains("properties") == places.contains(name));
        }
    }

    TEST_CASE("the schema describes every key") {
        const Json schema = parse_document(read_file("config/gatehouse.schema.json"));
        for (const keys::Place& place : keys::kPlaces) {
            const Json& object =
                place.name.empty() ? schema : schema["definitions"][std::string(place.name)];
            for (const auto& [key, property] : object["properties"].items()) {
                CAPTURE(place.name);
                CAPTURE(key);
                const bool referred = property.contains("$ref");
                const std::string target =
                    referred ? property["$ref"].get<std::string>().substr(1) : "";
                const Json& described = referred ? schema[Json::json_pointer(target)] : property;
                CHECK(described.contains("description"));
            }
        }
    }

    TEST_CASE("no key is both built and kept for later") {
        for (const keys::Place& place : keys::kPlaces) {
            for (const std::string_view key : place.keys) {
                CAPTURE(key);
                const bool later =
                    std::find(keys::kLater.begin(), keys::kLater.end(), key) != keys::kLater.end();
                CHECK_FALSE(later);
            }
        }
    }
}

}  // namespace keys_test
