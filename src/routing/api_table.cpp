#include "gatehouse/routing/api_table.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/http/target.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatehouse::routing {
namespace {

std::string_view without_trailing_dot(std::string_view name) noexcept {
    if (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

// The name in a Host value: without port, and without the dot of a fully qualified one.
std::string_view name_of(std::string_view host) noexcept {
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
    return without_trailing_dot(host.substr(0, host.find(':')));
}

// Orders as std::less does on the lower-case forms; `name` is lower case already.
int compare_ignoring_case(std::string_view name, std::string_view host) noexcept {
    const std::size_t common = std::min(name.size(), host.size());
    for (std::size_t i = 0; i < common; ++i) {
        const auto a = static_cast<unsigned char>(name[i]);
        const auto b = static_cast<unsigned char>(ascii_lower(host[i]));
        if (a != b) return a < b ? -1 : 1;
    }
    if (name.size() == host.size()) return 0;
    return name.size() < host.size() ? -1 : 1;
}

// "" for "/"; normalised as request paths are, or it could never be found at the start of one.
Result<std::string> normalise_base_path(std::string_view text) {
    std::string scratch;
    const Result<http::Target> target = http::parse_target(text, scratch);
    const std::string where = "basePath \"" + printable(text) + "\" ";
    if (!target || !text.starts_with('/') || target->has_query || target->path_parameter) {
        const std::string why =
            target ? "it is not a plain path" : std::string(reason_text(target.error().errc()));
        return fail(Errc::config_invalid, where + "can never match: " + why);
    }
    std::string_view path = target->path;
    if (path.ends_with('/')) path.remove_suffix(1);
    return std::string(path);
}

bool is_under(std::string_view path, std::string_view base) noexcept {
    return path.starts_with(base) && (path.size() == base.size() || path[base.size()] == '/');
}

}  // namespace

Result<ApiTable> ApiTable::make(std::span<const ApiSpec> specs) {
    ApiTable table;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        Result<std::string> base_path = normalise_base_path(specs[i].base_path);
        if (!base_path) return std::move(base_path).error();
        std::vector<std::string> names;
        for (const std::string& name : specs[i].domain_names) {
            names.push_back(to_lower(without_trailing_dot(name)));
        }
        if (names.empty()) names.emplace_back();
        for (const std::string& name : names) {
            if (Result<void> added = table.add(name, *base_path, static_cast<int>(i)); !added) {
                return std::move(added).error();
            }
        }
    }
    for (Host& host : table.hosts_) {
        std::sort(host.entries.begin(), host.entries.end(), [](const Entry& a, const Entry& b) {
            return a.base_path.size() > b.base_path.size();
        });
    }
    return table;
}

Result<void> ApiTable::add(const std::string& name, const std::string& base_path, int api) {
    auto host = std::lower_bound(
        hosts_.begin(), hosts_.end(), name, [](const Host& a, const std::string& b) {
            return a.name < b;
        });
    if (host == hosts_.end() || host->name != name) host = hosts_.insert(host, Host{name, {}});
    for (const Entry& entry : host->entries) {
        if (entry.base_path != base_path) continue;
        if (entry.api == api) return {};  // one API that lists a name twice
        return fail(Errc::config_invalid,
                    "apis[" + std::to_string(entry.api) + "] and apis[" + std::to_string(api) +
                        "] have the same basePath \"" + (base_path.empty() ? "/" : base_path) +
                        "\" on " +
                        (name.empty() ? "every host" : "host \"" + printable(name) + '"'));
    }
    host->entries.push_back(Entry{base_path, api});
    return {};
}

ApiMatch ApiTable::find(std::string_view host, std::string_view path) const noexcept {
    if (!path.starts_with('/')) return {};
    const std::string_view name = name_of(host);
    auto found =
        std::lower_bound(hosts_.begin(), hosts_.end(), name, [](const Host& a, std::string_view b) {
            return compare_ignoring_case(a.name, b) < 0;
        });
    // APIs that name this host have it to themselves: what is outside their base paths is not
    // another API's.
    if (found == hosts_.end() || compare_ignoring_case(found->name, name) != 0) {
        // "" sorts first.
        if (hosts_.empty() || !hosts_.front().name.empty()) return {};
        found = hosts_.begin();
    }
    for (const Entry& entry : found->entries) {
        if (!is_under(path, entry.base_path)) continue;
        const std::string_view rest = path.substr(entry.base_path.size());
        return {entry.api, rest.empty() ? std::string_view("/") : rest};
    }
    return {};
}

}  // namespace gatehouse::routing
