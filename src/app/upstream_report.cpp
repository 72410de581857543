#include "gatehouse/app/upstream_report.hpp"

#include "gatehouse/app/snapshot.hpp"

#include <algorithm>

namespace gatehouse::app {

Json upstream_report(const Snapshot& snapshot, SteadyTime now) {
    Json rows = Json::array();
    for (const auto& upstream : snapshot.upstreams) {
        const upstream::Rules& rules = upstream->rules();
        Json targets = Json::array();
        for (std::size_t i = 0; i < upstream->targets().size(); ++i) {
            const upstream::Target& target = *upstream->targets()[i];
            targets.push_back({{"target", target.url()},
                               {"up", target.is_up(now)},
                               {"unhealthy", target.is_unhealthy()},
                               {"ejected", target.is_ejected(now)},
                               {"requests", upstream->requests(i)},
                               {"failures", target.failures()},
                               {"ejections", target.ejections()},
                               {"connections", target.connections()}});
        }
        rows.push_back(
            {{"name", rules.name},
             {"balance",
              rules.balance == upstream::Balance::least_requests ? "leastRequests" : "roundRobin"},
             {"targets", std::move(targets)}});
    }
    return rows;
}

std::vector<std::string> describe_missing_targets(const Snapshot& snapshot, SteadyTime now) {
    std::vector<std::string> lines;
    for (const auto& upstream : snapshot.upstreams) {
        std::string line;
        std::size_t out = 0;
        for (const auto& target : upstream->targets()) {
            if (target->is_up(now)) continue;
            ++out;
            line += (line.empty() ? "" : ", ") + target->url() +
                    (target->is_unhealthy() ? " fails its checks" : " is ejected");
        }
        if (out == 0) continue;
        if (out == upstream->targets().size()) line += "; none is left, so all get requests";
        lines.push_back("upstream " + upstream->rules().name + ": " + line);
    }
    return lines;
}

}  // namespace gatehouse::app
