#include "wire.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

namespace gatehouse::bench {

std::uint64_t now_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1000000000U +
           static_cast<std::uint64_t>(time.tv_nsec);
}

void die(const char* what) {
    std::perror(what);
    std::exit(1);
}

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void no_delay(int fd) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

std::string_view find_field(std::string_view head, std::string_view name) {
    std::size_t begin = head.find("\r\n");
    while (begin != std::string_view::npos && begin + 2 < head.size()) {
        begin += 2;
        const std::size_t end = head.find("\r\n", begin);
        const std::string_view line = head.substr(begin, end - begin);
        if (line.size() > name.size() && line[name.size()] == ':' &&
            strncasecmp(line.data(), name.data(), name.size()) == 0) {
            std::string_view value = line.substr(name.size() + 1);
            while (!value.empty() && value.front() == ' ')
                value.remove_prefix(1);
            return value;
        }
        begin = end;
    }
    return {};
}

std::optional<std::uint64_t> content_length(std::string_view head) {
    const std::string_view value = find_field(head, "Content-Length");
    std::uint64_t length = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), length);
    if (value.empty() || read.ec != std::errc()) return std::nullopt;
    return length;
}

std::optional<Chunked> measure_chunked(std::string_view bytes) {
    Chunked found{0, 0};
    for (;;) {
        const std::size_t end = bytes.find("\r\n", found.all);
        if (end == std::string_view::npos) return std::nullopt;
        std::size_t size = 0;
        std::from_chars(bytes.data() + found.all, bytes.data() + end, size, 16);
        found.all = end + 2 + size + 2;
        if (found.all > bytes.size()) return std::nullopt;
        found.content += size;
        if (size == 0) return found;
    }
}

std::uint64_t cpu_ns(int pid) {
    std::uint64_t total = 0;
    const std::string folder = "/proc/" + std::to_string(pid) + "/task";
    DIR* tasks = opendir(folder.c_str());
    if (tasks == nullptr) return 0;
    while (const dirent* task = readdir(tasks)) {
        if (task->d_name[0] == '.') continue;
        std::FILE* file = std::fopen((folder + "/" + task->d_name + "/schedstat").c_str(), "r");
        if (file == nullptr) continue;
        unsigned long long running = 0;
        if (std::fscanf(file, "%llu", &running) == 1) total += running;
        std::fclose(file);
    }
    closedir(tasks);
    return total;
}

}  // namespace gatehouse::bench
