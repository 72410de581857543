// Load generator and upstream of `./dev bench` as ONE event loop: two processes on one core would
// take turns and leave the proxy idle. Sends keep-alive GETs over a number of connections as fast
// as they are answered (or at a fixed rate), answers them at the upstream port, and prints one JSON
// line: requests, errors, seconds, p50 and p99 in microseconds.
//
//   gatehouse_load --upstream PORT                         serve the upstream only, until killed
//   gatehouse_load --upstream PORT --target PORT [...]     serve it and drive the proxy at --target
//   for --seconds
//
// Linux only; no dependency, so that it builds in a second.
#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

struct Options {
    int upstream = 0;
    int target = 0;
    int connections = 64;
    double seconds = 2;
    double warm_up = 0.3;
    std::size_t body = 1024;
    std::string path = "/items";
    std::vector<std::string> headers;
};

struct Peer {
    int fd = -1;
    bool client = false;
    std::string in;
    std::uint64_t sent_at = 0;
};

std::uint64_t now_ns() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1000000000U +
           static_cast<std::uint64_t>(time.tv_nsec);
}

[[noreturn]] void die(const char* what) {
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

class Load {
  public:
    explicit Load(const Options& options) : options_(options) {
        poll_ = epoll_create1(0);
        answer_ = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                  std::to_string(options.body) + "\r\n\r\n" + std::string(options.body, 'x');
        request_ = "GET " + options.path +
                   " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load\r\nAccept: */*\r\n";
        for (const std::string& header : options.headers)
            request_ += header + "\r\n";
        request_ += "\r\n";
        listen_upstream();
    }

    void run() {
        if (options_.target == 0) {
            for (;;)
                turn();
        }
        for (int i = 0; i < options_.connections; ++i)
            connect_client();
        run_for(options_.warm_up);
        latencies_.clear();
        errors_ = 0;
        const std::uint64_t begin = now_ns();
        std::printf(
            "begin\n");  // the driver reads the proxy's CPU time here, and again at the JSON line
        std::fflush(stdout);
        run_for(options_.seconds);
        report(static_cast<double>(now_ns() - begin) / 1e9);
    }

  private:
    void run_for(double seconds) {
        const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
        while (now_ns() < end)
            turn();
    }

    void report(double seconds) {
        std::sort(latencies_.begin(), latencies_.end());
        const auto at = [&](double share) {
            return latencies_.empty() ? 0.0
                                      : latencies_[static_cast<std::size_t>(
                                            share * static_cast<double>(latencies_.size() - 1))] /
                                            1e3;
        };
        std::printf(
            "{\"requests\":%zu,\"errors\":%zu,\"seconds\":%.3f,\"p50\":%.1f,\"p99\":%.1f}\n",
            latencies_.size(),
            errors_,
            seconds,
            at(0.5),
            at(0.99));
        std::fflush(stdout);
    }

    void listen_upstream() {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        const int on = 1;
        setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        const sockaddr_in address = loopback(options_.upstream);
        if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
            die("bind upstream");
        if (listen(listener_, 1024) != 0) die("listen");
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = nullptr;
        epoll_ctl(poll_, EPOLL_CTL_ADD, listener_, &event);
    }

    void watch(std::unique_ptr<Peer> peer) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = peer.get();
        epoll_ctl(poll_, EPOLL_CTL_ADD, peer->fd, &event);
        peers_.push_back(std::move(peer));
    }

    void connect_client() {
        auto peer = std::make_unique<Peer>();
        peer->fd = socket(AF_INET, SOCK_STREAM, 0);
        peer->client = true;
        const sockaddr_in address = loopback(options_.target);
        if (connect(peer->fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
            die("connect target");
        no_delay(peer->fd);
        fcntl(peer->fd, F_SETFL, O_NONBLOCK);
        Peer& client = *peer;
        watch(std::move(peer));
        send_request(client);
    }

    void accept_upstream() {
        for (;;) {
            const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
            if (fd < 0) return;
            no_delay(fd);
            auto peer = std::make_unique<Peer>();
            peer->fd = fd;
            watch(std::move(peer));
        }
    }

    void turn() {
        epoll_event events[256];
        const int count = epoll_wait(poll_, events, 256, 50);
        for (int i = 0; i < count; ++i) {
            auto* peer = static_cast<Peer*>(events[i].data.ptr);
            if (peer == nullptr) {
                accept_upstream();
            } else if (peer->fd >= 0) {
                read_peer(*peer);
            }
        }
    }

    void drop(Peer& peer) {
        close(peer.fd);
        peer.fd = -1;
        if (peer.client) {
            ++errors_;
            connect_client();
        }
    }

    void send_all(Peer& peer, std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = send(peer.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EAGAIN) continue;
            if (sent <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    void send_request(Peer& peer) {
        peer.sent_at = now_ns();
        send_all(peer, request_);
    }

    void read_peer(Peer& peer) {
        char buffer[65536];
        const ssize_t got = recv(peer.fd, buffer, sizeof(buffer), 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            drop(peer);
            return;
        }
        peer.in.append(buffer, static_cast<std::size_t>(got));
        if (peer.client) {
            take_answer(peer);
        } else {
            serve(peer);
        }
    }

    void serve(Peer& peer) {
        for (;;) {
            const std::size_t end = peer.in.find("\r\n\r\n");
            if (end == std::string::npos) return;
            peer.in.erase(0, end + 4);
            send_all(peer, answer_);
        }
    }

    void take_answer(Peer& peer) {
        const std::size_t end = peer.in.find("\r\n\r\n");
        if (end == std::string::npos) return;
        std::size_t length = 0;
        // HAProxy sends names in lower case; a remapped copy of the upstream's own length has the
        // same value.
        const std::size_t field = peer.in.find("ength: ");
        if (field != std::string::npos && field < end)
            length = std::strtoul(peer.in.c_str() + field + 7, nullptr, 10);
        if (peer.in.size() < end + 4 + length) return;
        if (peer.in.compare(9, 3, "200") != 0) ++errors_;
        peer.in.erase(0, end + 4 + length);
        latencies_.push_back(static_cast<double>(now_ns() - peer.sent_at));
        send_request(peer);
    }

    const Options& options_;
    int poll_ = -1;
    int listener_ = -1;
    std::string answer_;
    std::string request_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::vector<double> latencies_;
    std::size_t errors_ = 0;
};

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        const char* value = argv[i + 1];
        if (name == "--upstream") options.upstream = std::atoi(value);
        if (name == "--target") options.target = std::atoi(value);
        if (name == "--connections") options.connections = std::atoi(value);
        if (name == "--seconds") options.seconds = std::atof(value);
        if (name == "--body") options.body = static_cast<std::size_t>(std::atoll(value));
        if (name == "--path") options.path = value;
        if (name == "--header") options.headers.emplace_back(value);
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv);
    Load(options).run();
    return 0;
}
