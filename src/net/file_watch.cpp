#include "file_watch.hpp"

#include <algorithm>
#include <utility>

namespace gatehouse::net {

namespace {

FileStamp stamp(const std::string& path) {
    return stamp_files({path}).front();
}

}  // namespace

FileWatch::Seen FileWatch::stamp_all() const {
    Seen now;
    for (const auto& [path, seen] : seen_)
        now.emplace(path, stamp(path));
    return now;
}

void FileWatch::watch(const std::vector<std::string>& paths) {
    Seen seen;
    for (const std::string& path : paths) {
        const auto known = seen_.find(path);
        seen.emplace(path, known == seen_.end() ? stamp(path) : known->second);
    }
    seen_ = std::move(seen);
    latest_ = stamp_all();
}

bool FileWatch::look() {
    Seen now = stamp_all();
    const bool settled = now == latest_;
    latest_ = std::move(now);
    if (!settled || latest_ == seen_) return false;
    const bool whole =
        std::ranges::all_of(latest_, [](const auto& entry) { return entry.second.size >= 0; });
    if (!whole) return false;
    seen_ = latest_;
    return true;
}

void FileWatch::mark() {
    latest_ = seen_ = stamp_all();
}

}  // namespace gatehouse::net
