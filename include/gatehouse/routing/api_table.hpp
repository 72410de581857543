#pragma once

#include "gatehouse/core/result.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::routing {

struct ApiSpec {
    /// Lower case, no port; empty: every host that no other API names.
    std::vector<std::string> domain_names;
    std::string base_path;  ///< "/" or "/prod"
};

struct ApiMatch {
    int api = -1;  ///< index into the specs, or -1
    /// The request path without the base path; begins with '/' ("/" when nothing is left).
    std::string_view path;
};

/// Chooses the API of a request: by Host among those that name it in domainNames (else among those
/// that name none), then by the longest basePath on a segment boundary. APIs that name a host have
/// it to themselves: a path outside all their base paths is no other API's.
class ApiTable {
  public:
    /// Errc::config_invalid when two APIs have one host and base path, or a base path can never
    /// match. A trailing slash of a base path does not count.
    static Result<ApiTable> make(std::span<const ApiSpec> specs);

    /// @param host  as in the Host field: any case, an optional port and trailing dot are ignored.
    /// No allocation.
    /// @param path  normalised, begins with '/'
    ApiMatch find(std::string_view host, std::string_view path) const noexcept;

  private:
    struct Entry {
        std::string base_path;  ///< "" for "/"
        int api;
    };

    struct Host {
        std::string name;            ///< "" for APIs that name none
        std::vector<Entry> entries;  ///< longest base path first
    };

    Result<void> add(const std::string& name, const std::string& base_path, int api);

    std::vector<Host> hosts_;  ///< sorted by name
};

}  // namespace gatehouse::routing
