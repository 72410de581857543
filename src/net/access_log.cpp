#include "access_log.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
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

bool AccessLogFile::takes_more() const noexcept {
    pollfd poll{fd_, POLLOUT, 0};
    return ::poll(&poll, 1, 0) == 1 && (poll.revents & POLLOUT) != 0;
}

void AccessLogFile::write(const std::string& lines) {
    if (fd_ < 0) return;
    std::string_view rest = lines;
    while (!rest.empty()) {
        // A pipe that is ready takes PIPE_BUF bytes without blocking (pipe(7)), so whole lines of
        // together that size go at once.
        std::string_view part = rest.substr(0, PIPE_BUF);
        if (const std::size_t end = part.rfind('\n'); end != std::string_view::npos)
            part = part.substr(0, end + 1);
        const ssize_t written = takes_more() ? ::write(fd_, part.data(), part.size()) : -1;
        if (written <= 0) {
            lost_ += static_cast<std::uint64_t>(std::ranges::count(rest, '\n'));
            return;
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace gatehouse::net
