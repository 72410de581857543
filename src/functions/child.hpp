#pragma once

#include "gatehouse/core/result.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace gatehouse::functions {

/// What is to be executed.
struct ChildPlan {
    std::vector<std::string> files;      ///< tried in order
    std::vector<std::string> arguments;  ///< argv
    std::vector<std::string> environment;
    std::string directory;
};

/// A child process that leads a process group of its own. The descriptors are the caller's to
/// close.
struct Child {
    pid_t pid = -1;
    int exit_fd = -1;    ///< pidfd: readable once it has ended
    int output_fd = -1;  ///< its stdout and stderr in one, non-blocking
};

/// Starts it: own process group, stdin empty, no other descriptor of ours open, signals as a fresh
/// program has them, and ended by the kernel when the calling *thread* ends (PR_SET_PDEATHSIG), so
/// call it on a thread that lives as long as the program. Returns when the program runs.
/// @return the child, or the system's error with what could not be done and to which file
Result<Child> start_child(const ChildPlan& plan);

/// A signal to the whole group. To be called only before reap_child: later the number may be
/// another's.
void signal_group(pid_t pid, int number) noexcept;

/// Whether it has ended; it stays a zombie, so that its group can still be named.
bool has_ended(pid_t pid) noexcept;

/// Takes the ended child away; waits for it if it has not ended.
/// @return how it ended in Lambda's words, e.g. "exit status 1" or "signal: killed"
std::string reap_child(pid_t pid);

}  // namespace gatehouse::functions
