#pragma once

#include "gatehouse/core/result.hpp"

#include <cstdint>
#include <string>

namespace gatehouse::net {

/// The access log's file: stdout for "-". Written by the control thread alone.
class AccessLogFile {
  public:
    AccessLogFile() = default;
    ~AccessLogFile();
    AccessLogFile(const AccessLogFile&) = delete;
    AccessLogFile& operator=(const AccessLogFile&) = delete;

    /// Errc::config_unreadable, detail: path and the system's reason
    Result<void> open(const std::string& path);

    /// Writes whole lines. What the system does not take at once (a pipe whose reader is slow) is
    /// kept for the next call, within a bound; what is beyond it, or meets a full disk, is lost and
    /// counted. The control thread fetches keys too, and waits for no log.
    void write(const std::string& lines);

    /// Writes what was kept, waiting for its reader for a moment: at the end.
    void finish();

    /// Lines lost so far.
    std::uint64_t lost() const noexcept { return lost_; }

  private:
    bool takes_more(int wait_ms) const noexcept;
    void flush(int wait_ms);

    int fd_ = -1;
    bool owned_ = false;
    std::uint64_t lost_ = 0;
    std::string kept_;
};

}  // namespace gatehouse::net
