#pragma once

namespace gatehouse {

/// The program: reads the command line, runs the call it names, and returns the exit status (0
/// done, 1 failure while running, 2 bad usage or configuration, 3 refused by explain). The
/// composition root: here alone are adapters named and joined. May throw what a bug throws.
int run(int argc, char** argv);

}  // namespace gatehouse
