#include "starts.hpp"

#include "wire.hpp"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace gatehouse::bench {
namespace {

constexpr std::uint64_t kPatience = 30000000000U;  // ns, for one start

pid_t start(const Options& options) {
    std::vector<char*> words;
    for (const std::string& word : options.command)
        words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const pid_t pid = fork();
    if (pid != 0) return pid;
    setpgid(0, 0);
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(options.core), &cores);
    sched_setaffinity(0, sizeof(cores), &cores);
    const int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nothing, 1);
    dup2(nothing, 2);
    execvp(words[0], words.data());
    _exit(127);
}

/// One request on a connection of its own. @return 200 and so on; 0: not there yet
int ask(const Options& options, const std::string& request) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(options.target);
    char answer[4096];
    ssize_t got = 0;
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
        const timeval patience{5, 0};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0)
            got = recv(fd, answer, sizeof(answer), 0);
    }
    close(fd);
    return got > 12 ? std::atoi(answer + 9) : 0;
}

}  // namespace

int measure_starts(const Options& options) {
    std::string request = "GET " + options.path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (const std::string& header : options.headers)
        request += header + "\r\n";
    request += "Connection: close\r\n\r\n";
    std::string list;
    for (std::uint64_t turn = 0; turn < options.starts; ++turn) {
        const std::uint64_t begin = now_ns();
        const pid_t pid = start(options);
        if (pid < 0) die("gatehouse_load: fork");
        int status = 0;
        while (status == 0 && now_ns() - begin < kPatience && waitpid(pid, nullptr, WNOHANG) == 0) {
            status = ask(options, request);
            if (status == 0) usleep(50);
        }
        const double millis = static_cast<double>(now_ns() - begin) / 1e6;
        kill(-pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        if (status != 200) {
            std::fprintf(stderr, "gatehouse_load: a start ended with status %d\n", status);
            return 1;
        }
        list += (turn == 0 ? "" : ",") + std::to_string(millis);
    }
    std::printf("{\"starts_ms\":[%s]}\n", list.c_str());
    return 0;
}

}  // namespace gatehouse::bench
