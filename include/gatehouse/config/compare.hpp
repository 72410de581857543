#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/core/json.hpp"

#include <string>
#include <vector>

namespace gatehouse::config {

/// Names of what one configuration has and another has not, or has otherwise.
struct Difference {
    std::vector<std::string> added;
    std::vector<std::string> removed;
    std::vector<std::string> changed;

    bool empty() const noexcept { return added.empty() && removed.empty() && changed.empty(); }
};

/// What a reload changes. What belongs to an API is named with it: "users: GET /items".
struct Changes {
    Difference apis;
    Difference routes;
    Difference authorizers;
    Difference policies;   ///< authorizers with other `statements`, or another `resource`
    Difference functions;  ///< entries of `functions`
    Difference upstreams;  ///< entries of `upstreams`
    Difference settings;   ///< every other key: "limits", "users: gatewayResponses"

    bool empty() const noexcept;
};

/// Compares two documents (Model::document). APIs are told apart by their names, routes by their
/// keys. Values are never shown: they may be secrets.
Changes compare(const Json& before, const Json& after);

/// {"routes": {"added": ["users: GET /items"]}, …}; what did not change is left out.
Json to_json(const Changes& changes);

/// "routes: +users: GET /items; authorizers: ~users: jwt", or "nothing".
std::string to_text(const Changes& changes);

/// Keys whose change takes a restart, since what they name is bound or running: empty when the
/// second can follow the first as it runs.
std::vector<std::string> find_fixed_changes(const Model& before, const Model& after);

}  // namespace gatehouse::config
