#pragma once

#include "gatehouse/config/model.hpp"
#include "gatehouse/core/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::config {

/// One route as `gatehouse check`, the start-up log and GET /report show it.
struct RouteReport {
    std::string api;
    std::string method;
    std::string path;
    std::string authorizer;       ///< name, or "NONE"; never blank
    std::string authorizer_type;  ///< "TOKEN gatehouse:jwt", or "open"
    std::string validation;       ///< "all: parameters, body"; empty: none
    std::string integration;      ///< "HTTP_PROXY http://127.0.0.1:3000/items", "MOCK 200"
    std::vector<std::string>
        differences;  ///< empty: exact; else each "differs from the service: …" without that prefix
};

/// Reports every route of a model that loaded without problems, in file order.
std::vector<RouteReport> make_report(const Model& model);

/// "exact", or "differs from the service: " and what does.
std::string describe_differences(const std::vector<std::string>& differences);

/// The word for it in the file.
std::string_view to_string(http::OriginalForm form) noexcept;

/// The decision service's line of `gatehouse check`, with its newline; empty: there is none.
std::string describe_decision(const Model& model);

/// A line for each upstream, likewise.
std::string describe_upstreams(const Model& model);

/// The table of `gatehouse check`: one line per route.
std::string to_text(const std::vector<RouteReport>& report);

Json to_json(const std::vector<RouteReport>& report);

}  // namespace gatehouse::config
