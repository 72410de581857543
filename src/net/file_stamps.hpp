#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace gatehouse::net {

/// What tells a file from its successor, however that was put in place: written over, moved there,
/// or behind a link that leads elsewhere now. A file that is not there has a stamp too.
struct FileStamp {
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t modified = 0;
    std::int64_t changed = 0;

    bool operator==(const FileStamp&) const = default;
};

std::vector<FileStamp> stamp_files(const std::vector<std::filesystem::path>& paths);

}  // namespace gatehouse::net
