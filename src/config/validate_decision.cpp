#include "validate_decision.hpp"

#include "text_rules.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace gatehouse::config {
namespace {

bool is_any(std::string_view address) {
    return address == "0.0.0.0" || address == "::";
}

bool is_signed(const Api& api, const Route& route) {
    const auto found = std::ranges::find(api.authorizers, route.authorizer, &Authorizer::name);
    return found != api.authorizers.end() && found->type == "AWS_IAM";
}

// What is refused to every proxy that asks, so that nobody finds out by a 500.
void warn_of_undecidable(const Model& model, std::vector<Problem>& warnings) {
    for (const Api& api : model.apis) {
        if (api.method_override)
            warnings.push_back({api.pointer + "/methodOverride",
                                0,
                                "cannot be done for another proxy: the decision service refuses "
                                "requests with X-HTTP-Method-Override"});
        for (const Route& route : api.routes) {
            if (!is_signed(api, route)) continue;
            warnings.push_back({route.pointer + "/authorizer",
                                0,
                                "\"AWS_IAM\" looks at the content, which other proxies do not "
                                "show: the decision service refuses this route"});
        }
    }
}

}  // namespace

bool overlap(const Listener& a, const Listener& b) {
    if (a.port != b.port || a.port == 0) return false;
    return a.address == b.address || is_any(a.address) || is_any(b.address);
}

void validate_decision(const Model& model,
                       std::vector<Problem>& problems,
                       std::vector<Problem>& warnings) {
    if (!model.decision) return;
    const Listener own{model.decision->address, model.decision->port};
    const auto clashes = [&](const Listener& listener) { return overlap(own, listener); };
    if (std::ranges::any_of(model.listeners, clashes))
        problems.push_back(
            {"/decision/port", 0, "is the port of a listener; decisions need one of their own"});
    if (clashes({model.admin.address, model.admin.port}))
        problems.push_back(
            {"/decision/port", 0, "is the port of the admin API; decisions need one of their own"});
    if (!is_loopback(own.address))
        warnings.push_back({"/decision/address",
                            0,
                            "\"" + own.address +
                                "\" is reachable from other machines: whoever reaches it can ask "
                                "what any token may do, and names the client's address; let only "
                                "the proxies in"});
    warn_of_undecidable(model, warnings);
}

}  // namespace gatehouse::config
