#pragma once

#include "gatehouse/core/result.hpp"

#include <boost/container/static_vector.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::routing {

constexpr std::size_t kMostPathParameters = 16;

/// Values of a matched template's parameters, in template order, as they stand in the path (still
/// percent-encoded). A greedy value keeps inner slashes and loses a trailing one, as the
/// service was seen to do.
using PathParameters = boost::container::static_vector<std::string_view, kMostPathParameters>;

/// The catch-all route of an HTTP API, in place of a path.
constexpr std::string_view kDefaultRoute = "$default";

struct RouteSpec {
    std::string method;  ///< a method, or "ANY"
    std::string path;    ///< "/pets/{id}", "/files/{proxy+}"; HTTP APIs: kDefaultRoute
};

enum class Precedence : std::uint8_t { rest, http };

/// Routes of one API as a trie of segments: a look-up costs a hash per segment, however many
/// routes there are.
/// Precedence per segment: literal, {name}, {proxy+}; a resource that lacks the
/// method falls through to a less specific one that has it, with backtracking; an explicit method
/// beats ANY; a trailing slash is ignored; {proxy+} needs at least one character.
/// HEAD is never derived from GET. No method but ANY's seven is routed.
/// HTTP APIs (API Gateway developer guide, "Create routes for HTTP APIs"): a match without {proxy+}
/// goes before every match with one, and what nothing matches is $default's, whatever its method.
class RouteTable {
  public:
    static constexpr int kNoRoute = -1;

    RouteTable();
    RouteTable(RouteTable&&) noexcept;
    RouteTable& operator=(RouteTable&&) noexcept;
    ~RouteTable();

    /// Errc::config_invalid, detail: which spec and why: a bad template, two routes with one method
    /// and an equivalent path, parameters of two names at one place.
    static Result<RouteTable> make(std::span<const RouteSpec> specs,
                                   Precedence precedence = Precedence::rest);

    /// @param path  normalised (http/target.hpp), base path already removed, begins with '/'
    /// @return index into `specs`, or kNoRoute; `parameters` is filled for a match. No allocation.
    int find(std::string_view method,
             std::string_view path,
             PathParameters& parameters) const noexcept;

    /// Names of a route's path parameters, in template order ("proxy" for {proxy+}).
    /// @param route  an index that find() gave
    std::span<const std::string> parameter_names(int route) const noexcept;

  private:
    struct Impl;
    class Builder;
    std::unique_ptr<const Impl> impl_;
};

}  // namespace gatehouse::routing
