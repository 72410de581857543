#include "gatehouse/net/server.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sched.h>
#include <string>

namespace gatehouse::net {
namespace {

// "max 100000" or "150000 100000": quota and period in microseconds (Linux, cgroup v2).
int container_limit() {
    std::ifstream file("/sys/fs/cgroup/cpu.max");
    std::string quota;
    double period = 0;
    if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
    const double cpus = std::strtod(quota.c_str(), nullptr) / period;
    return cpus > 0 ? static_cast<int>(std::ceil(cpus)) : 0;
}

}  // namespace

int usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    int cpus = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    if (const int limit = container_limit(); limit > 0) cpus = std::min(cpus, limit);
    return std::max(cpus, 1);
}

}  // namespace gatehouse::net
