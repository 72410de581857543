#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gatehouse::bench {

/// What one run of the load program does. Sizes in bytes, times in seconds.
struct Options {
    std::vector<int> upstreams;  ///< ports to answer at
    int target = 0;              ///< port of the proxy; 0: serve the upstream only, until killed
    int connections = 64;
    double seconds = 2;
    double warm_up = 0.2;
    std::uint64_t requests = 0;  ///< this many instead of `seconds`; no warm-up then
    double rate = 0;             ///< requests a second, sent when due; 0: when one is answered
    int status = 200;            ///< of each answer
    std::uint64_t body = 1024;   ///< of an answer
    std::uint64_t post = 0;      ///< of a request; 0: GET
    std::string path = "/items";
    std::vector<std::string> headers;
    std::uint64_t numbers = 1;  ///< "{n}" in path and headers is 0 … numbers - 1, in turn
    bool random = false;        ///< … or in no order
    std::string tokens;         ///< file of bearer tokens, one a line, sent in turn
    std::string expect;         ///< text that must stand in the heads the upstream gets
    std::vector<int> watch;     ///< processes whose CPU time the report tells
    bool close = false;         ///< a new connection for each request
    bool tls = false;
    bool idle = false;         ///< one request on each connection, then wait until stdin ends
    std::uint64_t starts = 0;  ///< start `command` this often and time its first answer
    int core = 0;              ///< where `command` runs
    std::vector<std::string> command;
};

/// Ends the program with a message and status 2 where the arguments make no sense.
Options parse_options(int argc, char** argv);

}  // namespace gatehouse::bench
