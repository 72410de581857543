#include "access_log.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace gatehouse::net {
namespace {

constexpr std::size_t kMostWaiting = 4 * 1024 * 1024;
constexpr std::size_t kLeastSpareBytes = 4 * 1024;
constexpr std::size_t kMostSpareBytes = 1024 * 1024;
constexpr std::size_t kMostSpares = 64;
constexpr int kPatienceMillis = 200;  // between two writes at the end

Result<int> open_file(const std::string& path, int flags = 0) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0640);
    if (fd < 0)
        return fail(Errc::config_unreadable, "access log " + path + ": " + std::strerror(errno));
    return fd;
}

std::uint64_t count_lines(std::string_view text) noexcept {
    return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

AccessLogFile::~AccessLogFile() {
    if (owned_) ::close(fd_);
}

Result<void> AccessLogFile::open(const std::string& path, bool running) {
    const bool file = path != "-";
    // Once it runs, a pipe without a reader holds up nobody.
    const int flags = running ? O_NONBLOCK : 0;
    Result<int> opened = file ? open_file(path, flags) : Result<int>(STDOUT_FILENO);
    if (!opened) return opened.error();
    // Lines that were made for the one before belong there.
    finish();
    end_line();
    mid_line_ = false;
    take(*opened, file);
    path_ = file ? path : std::string();
    return {};
}

void AccessLogFile::take(int fd, bool owned) noexcept {
    if (owned_) ::close(fd_);
    fd_ = fd;
    owned_ = owned;

    struct stat facts {};

    regular_ = ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
}

Result<bool> AccessLogFile::reopen() {
    if (!owned_) return false;
    auto opened = open_file(path_, O_NONBLOCK);  // a pipe without a reader holds up nobody
    if (!opened) return opened.error();
    end_line();
    take(*opened, true);
    mid_line_ = false;
    flush(0);
    return true;
}

// The rest of a line that was begun belongs to the file that has its beginning. Where that takes no
// more (a pipe that nobody reads, a full disk) the line is lost, and its half stays.
void AccessLogFile::end_line() {
    if (!mid_line_) return;
    const std::string_view line = std::string_view(kept_).substr(0, kept_.find('\n') + 1);
    std::size_t written = 0;
    while (written < line.size() && takes_more(kPatienceMillis)) {
        const std::size_t more = write_some(line.substr(written));
        if (more == 0) break;
        written += more;
    }
    if (written < line.size()) ++lost_;
    kept_.erase(0, line.size());
}

bool AccessLogFile::takes_more(int wait_ms) const noexcept {
    pollfd poll{fd_, POLLOUT, 0};
    return ::poll(&poll, 1, wait_ms) == 1 && (poll.revents & POLLOUT) != 0;
}

std::string AccessLogFile::write(std::string lines) {
    if (fd_ < 0) return {};
    if (kept_.size() + lines.size() > kMostWaiting) {
        lost_ += count_lines(lines);
    } else if (kept_.empty()) {
        kept_.swap(lines);
    } else {
        kept_ += lines;
    }
    lines.clear();
    flush(0);
    if (kept_.empty()) kept_.swap(lines);
    return lines;
}

void AccessLogFile::finish() {
    if (fd_ >= 0) flush(kPatienceMillis);
}

// Bytes that the system took; 0: none now, or never (then errno is neither EINTR nor EAGAIN).
std::size_t AccessLogFile::write_some(std::string_view part) {
    const ssize_t written = ::write(fd_, part.data(), part.size());
    if (written <= 0) return 0;
    mid_line_ = part[static_cast<std::size_t>(written) - 1] != '\n';
    return static_cast<std::size_t>(written);
}

void AccessLogFile::flush(int wait_ms) {
    std::string_view rest = kept_;
    while (!rest.empty() && takes_more(wait_ms)) {
        // A pipe that is ready takes PIPE_BUF bytes without blocking (pipe(7)), so whole lines of
        // together that size go at once.
        std::string_view part = regular_ ? rest : rest.substr(0, PIPE_BUF);
        if (const std::size_t end = part.rfind('\n'); end != std::string_view::npos)
            part = part.substr(0, end + 1);
        errno = 0;
        const std::size_t written = write_some(part);
        if (written == 0 && (errno == EINTR || errno == EAGAIN)) break;
        if (written == 0) {
            lost_ += count_lines(rest);
            rest = {};
            mid_line_ = false;  // its other half is lost
            break;
        }
        rest.remove_prefix(written);
    }
    kept_.erase(0, kept_.size() - rest.size());
}

std::string LogBuffers::take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return {};
    std::string buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
}

void LogBuffers::give_back(std::string buffer) {
    // What a burst made large, and what nothing was written in, is not worth keeping.
    if (buffer.capacity() > kMostSpareBytes || buffer.capacity() < kLeastSpareBytes) return;
    const std::lock_guard lock(mutex_);
    if (spare_.size() < kMostSpares) spare_.push_back(std::move(buffer));
}

}  // namespace gatehouse::net
