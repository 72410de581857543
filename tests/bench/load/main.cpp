// Load generator and upstream of `./dev bench` as ONE event loop: two processes on one core would
// take turns and leave the proxy idle.
//
//   gatehouse_load --upstream PORT                         serve the upstream only, until killed
//   gatehouse_load --upstream PORT --target PORT [...]     serve it and drive the proxy at --target
//   gatehouse_load --target PORT --starts N [...] -- CMD   time CMD's start to its first answer
//
// Prints one line of JSON. CPU time of the processes under test is read while nothing is under way:
// before the first request and after the last answer, so that it belongs to these requests alone.
// Linux only.
#include "client.hpp"
#include "options.hpp"
#include "starts.hpp"
#include "upstream.hpp"
#include "wire.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

using namespace gatehouse::bench;

namespace {

constexpr std::uint64_t kDrainTime = 10000000000U;  // ns

class Loop {
  public:
    explicit Loop(const Options& options)
        : options_(options),
          poll_(epoll_create1(EPOLL_CLOEXEC)),
          upstream_(poll_, options),
          client_(poll_, options) {}

    int run() {
        while (options_.target == 0)
            turn();
        if (options_.idle) return hold();
        if (options_.requests == 0 && options_.warm_up > 0) {
            send_for(options_.warm_up);
            client_.errors = 0;  // of a proxy whose connections to the last upstream have ended
            client_.why.clear();
        }
        measure();
        return 0;
    }

  private:
    void turn() {
        epoll_event events[256];
        // At a fixed rate the next request may be due sooner than a poll can wait.
        const int count = epoll_wait(poll_, events, 256, options_.rate > 0 ? 0 : 50);
        for (int i = 0; i < count; ++i) {
            auto* watched = static_cast<Watched*>(events[i].data.ptr);
            switch (watched->kind) {
                case Watched::Kind::listener:
                    upstream_.accept(*watched);
                    break;
                case Watched::Kind::server:
                    upstream_.on_ready(static_cast<Connection&>(*watched));
                    break;
                case Watched::Kind::client:
                    client_.on_ready(static_cast<Connection&>(*watched));
                    break;
            }
        }
        client_.send_more(now_ns());
    }

    void send_for(double seconds) {
        const std::uint64_t begin = now_ns();
        const std::uint64_t end = begin + static_cast<std::uint64_t>(seconds * 1e9);
        client_.begin(begin);
        client_.send_more(begin);
        const auto done = [&] {
            return options_.requests > 0 ? client_.answered() + client_.errors >= options_.requests
                                         : now_ns() >= end;
        };
        while (!done() && now_ns() - begin < 600000000000U)
            turn();
        client_.stop();
        const std::uint64_t late = now_ns() + kDrainTime;
        while (client_.in_flight() > 0 && now_ns() < late)
            turn();
    }

    std::uint64_t watched_ns() const {
        usleep(1000);  // for what a proxy does after an answer
        std::uint64_t total = 0;
        for (const int pid : options_.watch)
            total += cpu_ns(pid);
        return total;
    }

    void measure() {
        const std::uint64_t cpu = watched_ns();
        const std::uint64_t own = cpu_ns(getpid());
        const std::uint64_t begin = now_ns();
        send_for(options_.seconds);
        const std::uint64_t end = now_ns();
        const std::uint64_t own_used = cpu_ns(getpid()) - own;
        report(static_cast<double>(end - begin), watched_ns() - cpu, own_used);
    }

    double at(double share) const {
        const auto& all = client_.latencies;
        if (all.empty()) return 0;
        return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))] / 1e3;
    }

    void report(double ns, std::uint64_t cpu, std::uint64_t own) {
        std::sort(client_.latencies.begin(), client_.latencies.end());
        std::string why = client_.why;
        std::replace(why.begin(), why.end(), '"', '\'');
        if (client_.in_flight() > 0) why += " (answers never came)";
        std::printf(
            "{\"requests\":%llu,\"errors\":%llu,\"why\":\"%s\",\"upstream_errors\":%llu,"
            "\"seconds\":%.4f,\"p50\":%.1f,\"p99\":%.1f,\"cpu_ns\":%llu,\"load_busy\":%.3f}\n",
            static_cast<unsigned long long>(client_.answered()),
            static_cast<unsigned long long>(client_.errors + client_.in_flight()),
            why.c_str(),
            static_cast<unsigned long long>(upstream_.errors),
            ns / 1e9,
            at(0.5),
            at(0.99),
            static_cast<unsigned long long>(cpu),
            static_cast<double>(own) / ns);
        std::fflush(stdout);
    }

    int hold() {
        const std::uint64_t late = now_ns() + 60000000000U;
        client_.begin(now_ns());
        while (client_.answered() < static_cast<std::uint64_t>(options_.connections) &&
               client_.errors == 0 && now_ns() < late) {
            turn();
        }
        std::printf("{\"held\":%zu,\"errors\":%llu,\"why\":\"%s\"}\n",
                    client_.open(),
                    static_cast<unsigned long long>(client_.errors),
                    client_.why.c_str());
        std::fflush(stdout);
        char byte = 0;
        while (read(0, &byte, 1) > 0) {
        }
        return 0;
    }

    const Options& options_;
    int poll_;
    Upstream upstream_;
    Client client_;
};

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing outlives the bench
    const Options options = parse_options(argc, argv);
    if (options.starts > 0) return measure_starts(options);
    return Loop(options).run();
}
