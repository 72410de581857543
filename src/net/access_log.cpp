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
namespace {

constexpr std::size_t kMostKept = 4 * 1024 * 1024;
constexpr int kPatienceMillis = 200;  // between two writes at the end

std::uint64_t count_lines(std::string_view text) noexcept {
    return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

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

bool AccessLogFile::takes_more(int wait_ms) const noexcept {
    pollfd poll{fd_, POLLOUT, 0};
    return ::poll(&poll, 1, wait_ms) == 1 && (poll.revents & POLLOUT) != 0;
}

void AccessLogFile::write(const std::string& lines) {
    if (fd_ < 0) return;
    if (kept_.size() + lines.size() > kMostKept) {
        lost_ += count_lines(lines);
    } else {
        kept_ += lines;
    }
    flush(0);
}

void AccessLogFile::finish() {
    if (fd_ >= 0) flush(kPatienceMillis);
}

void AccessLogFile::flush(int wait_ms) {
    std::string_view rest = kept_;
    while (!rest.empty() && takes_more(wait_ms)) {
        // A pipe that is ready takes PIPE_BUF bytes without blocking (pipe(7)), so whole lines of
        // together that size go at once.
        std::string_view part = rest.substr(0, PIPE_BUF);
        if (const std::size_t end = part.rfind('\n'); end != std::string_view::npos)
            part = part.substr(0, end + 1);
        const ssize_t written = ::write(fd_, part.data(), part.size());
        if (written < 0 && (errno == EINTR || errno == EAGAIN)) break;
        if (written <= 0) {
            lost_ += count_lines(rest);
            rest = {};
            break;
        }
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    kept_.erase(0, kept_.size() - rest.size());
}

}  // namespace gatehouse::net
