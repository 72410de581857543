#include "access_log.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace gatehouse::net {

AccessLogFile::~AccessLogFile() {
    if (owned_) ::close(fd_);
}

Result<void> AccessLogFile::open(const std::string& path) {
    if (path == "-") {
        fd_ = STDOUT_FILENO;
        return {};
    }
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd_ < 0)
        return fail(Errc::config_unreadable, "access log " + path + ": " + std::strerror(errno));
    owned_ = true;
    return {};
}

void AccessLogFile::write(const std::string& lines) {
    std::string_view rest = lines;
    while (!rest.empty() && fd_ >= 0) {
        const ssize_t written = ::write(fd_, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace gatehouse::net
