#pragma once

#include "file_stamps.hpp"

#include <map>
#include <string>
#include <vector>

namespace gatehouse::net {

/// Tells when files have changed, by looking: every half second or so costs next to nothing, sees a
/// symbolic link that points elsewhere (Kubernetes swaps one to change a ConfigMap), an editor that
/// renames a new file into place, and file systems that send no events.
class FileWatch {
  public:
    /// Watches these from now on. Those that were watched before are compared with what was seen of
    /// them last.
    void watch(const std::vector<std::string>& paths);

    /// True once per change, when all files are there and have stayed the same since the look
    /// before: a file that is being written is not read half.
    bool look();

    /// Takes what is there now as seen: before the files are read.
    void mark();

  private:
    using Seen = std::map<std::string, FileStamp>;

    Seen stamp_all() const;

    Seen seen_;    ///< as they were when they were read
    Seen latest_;  ///< at the last look
};

}  // namespace gatehouse::net
