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

    /// Writes whole lines. What the system does not take at once (a pipe that nobody reads, a full
    /// disk) is lost and counted: the control thread fetches keys too, and waits for no log.
    void write(const std::string& lines);

    /// Lines lost so far.
    std::uint64_t lost() const noexcept { return lost_; }

  private:
    bool takes_more() const noexcept;

    int fd_ = -1;
    bool owned_ = false;
    std::uint64_t lost_ = 0;
};

}  // namespace gatehouse::net
