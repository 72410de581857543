#pragma once

#include "pipes.hpp"
#include "transport.hpp"

#include <cstdint>

namespace gatehouse::net {

/// Why moving content ended.
enum class Spliced : std::uint8_t {
    done,           ///< too little is left to be worth it, and the pipe is empty
    source_empty,   ///< wait until it can be read; the pipe is empty
    source_ended,   ///< before all had come; the pipe is empty
    source_failed,  ///< or it cannot be moved from: reading tells; the pipe is empty
    sink_full,      ///< wait until it can be written
    sink_failed,
};

/// Moves content from socket to socket through the pipe (splice(2)), neither with TLS, while at
/// least limits::kSpliceFrom bytes are left to move. `left` counts what has not left the source.
Spliced splice(Transport& source, Transport& sink, Pipe& pipe, std::uint64_t& left) noexcept;

}  // namespace gatehouse::net
