#include "child.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace gatehouse::functions {
namespace {

enum class Step : int { directory, execute, set_up };

// What the child tells its parent when it cannot become the program.
struct Failure {
    Step step;
    int error;
};

Error system_error(int error, const std::string& what) {
    const boost::system::error_code code(error, boost::system::system_category());
    return Error{code, what + ": " + code.message()};
}

struct Pipe {
    int ends[2] = {-1, -1};

    ~Pipe() {
        close_end(0);
        close_end(1);
    }

    bool open(int flags) { return ::pipe2(ends, flags) == 0; }

    void close_end(int end) {
        if (ends[end] >= 0) ::close(ends[end]);
        ends[end] = -1;
    }

    int take(int end) { return std::exchange(ends[end], -1); }
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> found;
    for (const std::string& text : texts)
        found.push_back(const_cast<char*>(text.c_str()));  // NOLINT: execve's old signature
    found.push_back(nullptr);
    return found;
}

// All that the child needs, made before the fork: after it only async-signal-safe calls are
// allowed, since other threads may have held any lock, the allocator's too.
struct Prepared {
    std::vector<char*> files;
    std::vector<char*> arguments;
    std::vector<char*> environment;
    const char* directory;
    pid_t parent;
    int output;
    int report;
};

[[noreturn]] void give_up(int report, Step step, int error) noexcept {
    const Failure failure{step, error};
    [[maybe_unused]] const ssize_t told = ::write(report, &failure, sizeof failure);
    ::_exit(127);
}

void reset_signals() noexcept {
    struct sigaction usual = {};
    usual.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number)
        ::sigaction(number, &usual, nullptr);  // ignored ones would stay ignored after execve
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become_program(const Prepared& prepared) noexcept {
    constexpr int kReport = 3;
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != prepared.parent) ::_exit(127);  // it ended in between
    reset_signals();
    // The descriptors go to where they belong from above, lest one overwrite another.
    const int report = ::fcntl(prepared.report, F_DUPFD_CLOEXEC, 10);
    const int output = ::fcntl(prepared.output, F_DUPFD_CLOEXEC, 10);
    const int empty = ::open("/dev/null", O_RDONLY);
    if (report < 0 || output < 0 || empty < 0) give_up(prepared.report, Step::set_up, errno);
    if (::dup2(empty, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0 ||
        ::dup3(report, kReport, O_CLOEXEC) < 0)
        give_up(report, Step::set_up, errno);
    // Asio's sockets are not close-on-exec. By number: glibc's wrapper would do as well, but older
    // ones have none.
    ::syscall(SYS_close_range, kReport + 1, ~0U, 0);
    if (::chdir(prepared.directory) != 0) give_up(kReport, Step::directory, errno);
    int error = ENOENT;
    for (char* file : prepared.files) {
        if (file == nullptr) break;
        ::execve(file, prepared.arguments.data(), prepared.environment.data());
        if (errno != ENOENT && errno != ENOTDIR) error = errno;
    }
    give_up(kReport, Step::execute, error);
}

Error explain(const Failure& failure, const ChildPlan& plan) {
    switch (failure.step) {
        case Step::directory:
            return system_error(failure.error, plan.directory);
        case Step::execute:
            return system_error(failure.error, plan.arguments.front() + " in " + plan.directory);
        case Step::set_up:
            break;
    }
    return system_error(failure.error, "cannot set up a process");
}

// Waits until the child is the program, or says that it cannot.
bool read_failure(int report, Failure& failure) {
    ssize_t count = 0;
    do {
        count = ::read(report, &failure, sizeof failure);
    } while (count < 0 && errno == EINTR);
    return count == static_cast<ssize_t>(sizeof failure);
}

int open_pidfd(pid_t pid) {
    const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    return descriptor;  // close-on-exec by itself
}

}  // namespace

Result<Child> start_child(const ChildPlan& plan) {
    Pipe output;
    Pipe report;
    if (!output.open(O_CLOEXEC) || !report.open(O_CLOEXEC))
        return system_error(errno, "cannot open a pipe");
    if (plan.files.empty()) return explain({Step::execute, ENOENT}, plan);
    Prepared prepared{pointers(plan.files),
                      pointers(plan.arguments),
                      pointers(plan.environment),
                      plan.directory.c_str(),
                      ::getpid(),
                      output.ends[1],
                      report.ends[1]};
    // No handler of ours may run in the child: it would write into the parent's wake-up pipe.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    const int fork_error = errno;
    if (pid == 0) become_program(prepared);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) return system_error(fork_error, "cannot start a process");
    ::setpgid(pid, pid);  // the child does it too: whoever is first
    report.close_end(1);
    Failure failure{};
    if (read_failure(report.ends[0], failure)) {
        ::waitpid(pid, nullptr, 0);
        return explain(failure, plan);
    }
    Child child;
    child.pid = pid;
    child.exit_fd = open_pidfd(pid);
    if (child.exit_fd < 0) {
        const int error = errno;
        signal_group(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return system_error(error, "cannot watch a process");
    }
    child.output_fd = output.take(0);
    ::fcntl(child.output_fd, F_SETFL, O_NONBLOCK);
    return child;
}

void signal_group(pid_t pid, int number) noexcept {
    ::kill(-pid, number);
}

bool has_ended(pid_t pid) noexcept {
    siginfo_t info = {};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid;
}

std::string reap_child(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
    return std::string("signal: ") + ::strsignal(WTERMSIG(status));
}

}  // namespace gatehouse::functions
