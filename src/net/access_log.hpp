#pragma once

#include "gatehouse/core/result.hpp"

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

    /// Writes whole lines. What the system does not take is lost and counted, never waited for
    /// twice.
    void write(const std::string& lines);

  private:
    int fd_ = -1;
    bool owned_ = false;
};

}  // namespace gatehouse::net
