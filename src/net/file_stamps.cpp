#include "file_stamps.hpp"

#include <sys/stat.h>

namespace gatehouse::net {
namespace {

std::int64_t nanoseconds(const timespec& time) noexcept {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::vector<FileStamp> stamp_files(const std::vector<std::filesystem::path>& paths) {
    std::vector<FileStamp> all;
    for (const std::filesystem::path& path : paths) {
        struct stat found {};

        FileStamp& stamp = all.emplace_back();
        if (::stat(path.c_str(), &found) != 0) continue;
        stamp.inode = found.st_ino;
        stamp.size = found.st_size;
        stamp.modified = nanoseconds(found.st_mtim);
        stamp.changed = nanoseconds(found.st_ctim);
    }
    return all;
}

}  // namespace gatehouse::net
