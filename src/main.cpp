#include "gatehouse/compose.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv) {
    try {
        return gatehouse::run(argc, argv);
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "gatehouse: %s\n", fault.what());
    } catch (...) {
        std::fputs("gatehouse: unknown failure\n", stderr);
    }
    return 1;
}
