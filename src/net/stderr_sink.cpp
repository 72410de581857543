#include "stderr_sink.hpp"

#include <algorithm>
#include <climits>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace gatehouse::net {

void StderrSink::sink_it_(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (lost_ > 0 &&
        write("gatehouse: " + std::to_string(lost_) + " lines of this log were lost: not read\n"))
        lost_ = 0;
    if (lost_ > 0 || !write({line.data(), line.size()})) ++lost_;
}

// A pipe that poll calls writable takes PIPE_BUF bytes at once (pipe(7)).
bool StderrSink::write(std::string_view text) noexcept {
    while (!text.empty()) {
        pollfd wait{STDERR_FILENO, POLLOUT, 0};
        if (::poll(&wait, 1, 0) != 1 || (wait.revents & POLLOUT) == 0) return false;
        const ssize_t written =
            ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace gatehouse::net
