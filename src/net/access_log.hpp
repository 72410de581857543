#pragma once

#include "gatehouse/core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::net {

/// The access log's file: stdout for "-". Written by the control thread alone.
class AccessLogFile {
  public:
    AccessLogFile() = default;
    ~AccessLogFile();
    AccessLogFile(const AccessLogFile&) = delete;
    AccessLogFile& operator=(const AccessLogFile&) = delete;

    /// Errc::config_unreadable, detail: path and the system's reason
    /// @param running  in the place of the file before, which gets what was made for it
    Result<void> open(const std::string& path, bool running = false);

    /// Opens the path anew, for whoever has moved the file away (log rotation). A line that was
    /// begun ends in the old file; all others that were not written yet go to the new one.
    /// @return false: there is nothing to reopen (stdout, or no log);
    ///         Errc::config_unreadable, and the old file stays
    Result<bool> reopen();

    /// Writes whole lines. What the system does not take at once (a pipe whose reader is slow) is
    /// kept for the next call, within a bound; what is beyond it, or meets a full disk, is lost and
    /// counted. The control thread fetches keys too, and waits for no log.
    /// @return memory for other lines: `lines`, emptied, where nothing had to be kept
    std::string write(std::string lines);

    /// Writes what was kept, waiting for its reader for a moment: at the end.
    void finish();

    /// Lines lost so far.
    std::uint64_t lost() const noexcept { return lost_; }

  private:
    void take(int fd, bool owned) noexcept;
    bool takes_more(int wait_ms) const noexcept;
    void flush(int wait_ms);
    std::size_t write_some(std::string_view part);
    void end_line();

    int fd_ = -1;
    bool owned_ = false;
    bool regular_ = false;   ///< a file of a disk: what it takes, it takes at once
    bool mid_line_ = false;  ///< the last byte written ended no line
    std::string path_;
    std::uint64_t lost_ = 0;
    std::string kept_;
};

/// Buffers of lines that were written, for the next ones. Thread-safe.
class LogBuffers {
  public:
    /// An empty text, with memory where some was given back.
    std::string take();

    void give_back(std::string buffer);

  private:
    std::mutex mutex_;
    std::vector<std::string> spare_;
};

}  // namespace gatehouse::net
