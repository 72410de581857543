#include "gatehouse/routing/route_table.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/huge_pages.hpp"
#include "gatehouse/core/prefetch.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/routing/path_template.hpp"
#include "methods.hpp"

#include <boost/unordered/unordered_flat_map.hpp>  // IWYU pragma: keep
#include <boost/unordered/unordered_flat_map_fwd.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace gatehouse::routing {
namespace {

constexpr std::int32_t kNone = -1;

using MethodRoutes = std::array<std::int32_t, kMethods.size()>;

// One cache line, with all that a step through a node with one literal child reads.
struct alignas(kCacheLine) Node {
    MethodRoutes routes;
    std::int32_t parameter = kNone;   // the node behind {name}
    std::int32_t greedy = kNone;      // the node behind {name+}
    std::int32_t only_child = kNone;  // the literal child where there is but one
    std::string_view only_text;       // of that child
    // Bit n: there is a literal child of n bytes (63: of 63 or more). Spares most look-ups of
    // parameter values.
    std::uint64_t literal_sizes = 0;

    Node() noexcept { routes.fill(kNone); }
};

static_assert(sizeof(Node) == kCacheLine);

constexpr std::uint64_t size_bit(std::string_view text) noexcept {
    return std::uint64_t{1} << std::min<std::size_t>(text.size(), 63);
}

struct ChildKey {
    std::uint32_t node;
    std::string_view text;

    bool operator==(const ChildKey&) const noexcept = default;
};

struct ChildHash {
    std::size_t operator()(const ChildKey& key) const noexcept {
        return std::hash<std::string_view>{}(key.text) ^
               (key.node * std::size_t{0x9e3779b97f4a7c15});
    }
};

}  // namespace

// One map for the literal children of all nodes that have several: a step costs one hash and mostly
// one probe, however many routes.
struct RouteTable::Impl {
    TableVector<Node> nodes{1};
    boost::unordered_flat_map<ChildKey,
                              std::uint32_t,
                              ChildHash,
                              std::equal_to<ChildKey>,
                              HugePageAllocator<std::pair<const ChildKey, std::uint32_t>>>
        literals;
    std::string texts;  // what nodes and keys view, each once and side by side; never moves
    std::vector<std::vector<std::string>> names;
    bool http = false;
    int catch_all = kNoRoute;  // $default

    template <bool kGreedy>
    int match(std::uint32_t at,
              std::string_view rest,
              std::size_t method,
              PathParameters& parameters) const noexcept;
    std::int32_t find_literal(std::uint32_t at, std::string_view segment) const noexcept;
};

std::int32_t RouteTable::Impl::find_literal(std::uint32_t at,
                                            std::string_view segment) const noexcept {
    const Node& node = nodes[at];
    if ((node.literal_sizes & size_bit(segment)) == 0) return kNone;
    if (node.only_child != kNone) return node.only_text == segment ? node.only_child : kNone;
    const auto found = literals.find(ChildKey{at, segment});
    return found == literals.end() ? kNone : static_cast<std::int32_t>(found->second);
}

// Depth first, most specific child first. A template's segment has the same place in every path, so
// a node is visited at most once, and the depth is that of the longest template, not of the
// request. INVARIANT: no branch of the tree has more parameters than PathParameters holds;
// Builder::add sees to it.
template <bool kGreedy>
int RouteTable::Impl::match(std::uint32_t at,
                            std::string_view rest,
                            std::size_t method,
                            PathParameters& parameters) const noexcept {
    const Node& node = nodes[at];
    if (rest.empty()) return node.routes[method];
    const std::size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    const std::string_view after =
        slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);

    if (const std::int32_t literal = find_literal(at, segment); literal != kNone) {
        const auto child = static_cast<std::uint32_t>(literal);
        // The nodes of a path are made one after the other.
        prefetch(&nodes[child], 3 * sizeof(Node));
        if (const int route = match<kGreedy>(child, after, method, parameters); route != kNoRoute)
            return route;
    }
    if (node.parameter != kNone && !segment.empty()) {
        parameters.push_back(segment);
        const auto child = static_cast<std::uint32_t>(node.parameter);
        if (const int route = match<kGreedy>(child, after, method, parameters); route != kNoRoute)
            return route;
        parameters.pop_back();
    }
    if (kGreedy && node.greedy != kNone) {
        const int route = nodes[static_cast<std::size_t>(node.greedy)].routes[method];
        if (route != kNone) {
            parameters.push_back(rest);
            return route;
        }
    }
    return kNoRoute;
}

namespace {

std::string describe(std::span<const RouteSpec> specs, std::size_t index) {
    return "routes[" + std::to_string(index) + "] \"" + printable(specs[index].method) + ' ' +
           printable(specs[index].path) + '"';
}

}  // namespace

// Grows the tree, and keeps what only building needs: who made which route, and how parameters are
// called.
class RouteTable::Builder {
  public:
    Builder(std::span<const RouteSpec> specs, Precedence precedence) : specs_(specs), made_(1) {
        impl_->http = precedence == Precedence::http;
        std::size_t most = 0;
        for (const RouteSpec& spec : specs)
            most += spec.path.size();
        impl_->texts.reserve(most);
    }

    Result<void> add(std::size_t index);
    std::unique_ptr<const Impl> finish();

  private:
    struct Made {
        std::int32_t any = kNone;
        std::uint32_t literals = 0;
        std::string parameter;  // what {x} below this node is called
        std::string greedy;
    };

    Result<std::uint32_t> descend(std::uint32_t at, const Segment& segment);
    std::uint32_t literal_child(std::uint32_t at, const std::string& text);
    std::string_view keep(std::string_view text);
    Result<std::uint32_t> variable_child(std::uint32_t at, const Segment& segment);
    Error refuse(std::size_t index, const std::string& why) const;

    std::uint32_t new_node() {
        impl_->nodes.emplace_back();
        made_.emplace_back();
        return static_cast<std::uint32_t>(impl_->nodes.size() - 1);
    }

    std::span<const RouteSpec> specs_;
    std::unique_ptr<Impl> impl_ = std::make_unique<Impl>();
    std::vector<Made> made_;  // beside impl_->nodes
    std::unordered_set<std::string_view> kept_;
};

Error RouteTable::Builder::refuse(std::size_t index, const std::string& why) const {
    return fail(Errc::config_invalid, describe(specs_, index) + ": " + why);
}

Result<void> RouteTable::Builder::add(std::size_t index) {
    const RouteSpec& spec = specs_[index];
    if (impl_->http && spec.path == kDefaultRoute) {
        if (impl_->catch_all != kNoRoute) return refuse(index, "a second $default route");
        impl_->catch_all = static_cast<int>(index);
        impl_->names.emplace_back();
        return {};
    }
    // Read as a route key, so that a bad method gets the same message here and there.
    if (const Result<RouteKey> key = parse_route_key(spec.method + ' ' + spec.path); !key) {
        return refuse(index, key.error().detail);
    }
    const Result<std::vector<Segment>> segments = parse_template(spec.path);
    if (!segments) return refuse(index, segments.error().detail);

    std::uint32_t at = 0;
    std::vector<std::string>& names = impl_->names.emplace_back();
    for (const Segment& segment : *segments) {
        const Result<std::uint32_t> child = descend(at, segment);
        if (!child) return refuse(index, child.error().detail);
        at = *child;
        if (segment.kind != Segment::Kind::literal) names.push_back(segment.text);
    }
    if (names.size() > kMostPathParameters) {
        return refuse(index,
                      "more than " + std::to_string(kMostPathParameters) + " path parameters");
    }
    const int method = find_method(spec.method);
    std::int32_t& slot = method == kNoMethod
                             ? made_[at].any
                             : impl_->nodes[at].routes[static_cast<std::size_t>(method)];
    if (slot != kNone) {
        return refuse(
            index, "same method and path as " + describe(specs_, static_cast<std::size_t>(slot)));
    }
    slot = static_cast<std::int32_t>(index);
    return {};
}

Result<std::uint32_t> RouteTable::Builder::descend(std::uint32_t at, const Segment& segment) {
    if (segment.kind == Segment::Kind::literal) return literal_child(at, segment.text);
    return variable_child(at, segment);
}

std::uint32_t RouteTable::Builder::literal_child(std::uint32_t at, const std::string& text) {
    const auto found = impl_->literals.find(ChildKey{at, text});
    if (found != impl_->literals.end()) return found->second;
    const std::uint32_t child = new_node();
    impl_->nodes[at].literal_sizes |= size_bit(text);
    ++made_[at].literals;
    impl_->literals.emplace(ChildKey{at, keep(text)}, child);
    return child;
}

std::string_view RouteTable::Builder::keep(std::string_view text) {
    if (const auto found = kept_.find(text); found != kept_.end()) return *found;
    const std::size_t start = impl_->texts.size();
    impl_->texts += text;
    return *kept_.insert(std::string_view(impl_->texts).substr(start)).first;
}

// API Gateway allows one {x} and one {x+} at a place, since requests cannot tell two names apart.
Result<std::uint32_t> RouteTable::Builder::variable_child(std::uint32_t at,
                                                          const Segment& segment) {
    const bool is_greedy = segment.kind == Segment::Kind::greedy;
    const std::int32_t child = is_greedy ? impl_->nodes[at].greedy : impl_->nodes[at].parameter;
    const std::string& taken = is_greedy ? made_[at].greedy : made_[at].parameter;
    if (child != kNone) {
        if (taken == segment.text) return static_cast<std::uint32_t>(child);
        const std::string_view plus = is_greedy ? "+}" : "}";
        std::string why = "siblings {" + taken;
        why.append(plus).append(" and {").append(segment.text).append(plus);
        why += " match the same requests; give them one name";
        return fail(Errc::config_invalid, std::move(why));
    }
    const std::uint32_t made = new_node();
    (is_greedy ? impl_->nodes[at].greedy : impl_->nodes[at].parameter) =
        static_cast<std::int32_t>(made);
    (is_greedy ? made_[at].greedy : made_[at].parameter) = segment.text;
    return made;
}

// An explicit method beats ANY, so ANY fills the slots that are left. An only child moves from the
// map into its parent.
std::unique_ptr<const RouteTable::Impl> RouteTable::Builder::finish() {
    for (std::size_t at = 0; at < made_.size(); ++at) {
        for (std::int32_t& route : impl_->nodes[at].routes) {
            if (route == kNone) route = made_[at].any;
        }
    }
    boost::unordered::erase_if(impl_->literals, [this](const auto& literal) {
        const ChildKey& key = literal.first;
        if (made_[key.node].literals != 1) return false;
        impl_->nodes[key.node].only_child = static_cast<std::int32_t>(literal.second);
        impl_->nodes[key.node].only_text = key.text;
        return true;
    });
    return std::move(impl_);
}

RouteTable::RouteTable() : impl_(std::make_unique<Impl>()) {}

RouteTable::RouteTable(RouteTable&&) noexcept = default;
RouteTable& RouteTable::operator=(RouteTable&&) noexcept = default;
RouteTable::~RouteTable() = default;

Result<RouteTable> RouteTable::make(std::span<const RouteSpec> specs, Precedence precedence) {
    Builder builder(specs, precedence);
    for (std::size_t index = 0; index < specs.size(); ++index) {
        if (Result<void> added = builder.add(index); !added) return std::move(added).error();
    }
    RouteTable table;
    table.impl_ = builder.finish();
    return table;
}

int RouteTable::find(std::string_view method,
                     std::string_view path,
                     PathParameters& parameters) const noexcept {
    parameters.clear();
    const int index = find_method(method);
    if (!path.starts_with('/')) return kNoRoute;
    if (index == kNoMethod) return impl_->catch_all;
    path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    const auto slot = static_cast<std::size_t>(index);
    if (impl_->http) {
        const int exact = impl_->match<false>(0, path, slot, parameters);
        if (exact != kNoRoute) return exact;
    }
    const int route = impl_->match<true>(0, path, slot, parameters);
    return route == kNoRoute ? impl_->catch_all : route;
}

std::span<const std::string> RouteTable::parameter_names(int route) const noexcept {
    return impl_->names[static_cast<std::size_t>(route)];
}

}  // namespace gatehouse::routing
