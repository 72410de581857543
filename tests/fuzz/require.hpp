#pragma once

#include <cstdio>
#include <cstdlib>

/// Ends the run, for the fuzzer to keep its input, when a property does not hold.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "property does not hold: %s\n", what);
    std::abort();
}
