#include "process_facts.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace gatehouse::net {
namespace {

double to_seconds(const timeval& time) noexcept {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::optional<app::ProcessUsage> read_process_usage() {
    app::ProcessUsage usage;
    std::ifstream statm("/proc/self/statm");  // proc(5): size, resident, …, in pages
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (!(statm >> size >> resident)) return std::nullopt;
    usage.resident_bytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::error_code error;
    const std::filesystem::directory_iterator files("/proc/self/fd", error);
    if (error) return std::nullopt;
    // Less the one that lists them.
    const auto open = std::distance(begin(files), end(files)) - 1;
    usage.open_files = static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(open, 0));
    rlimit limit{};
    rusage used{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || ::getrusage(RUSAGE_SELF, &used) != 0)
        return std::nullopt;
    usage.most_files = limit.rlim_cur;
    usage.cpu_seconds = to_seconds(used.ru_utime) + to_seconds(used.ru_stime);
    return usage;
}

}  // namespace gatehouse::net
