#pragma once

#include "gatehouse/core/errc.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse::http {

/// Takes chunked coding apart, strictly (RFC 9112 7.1): CRLF only, 1*HEXDIG sizes with an overflow
/// check, extensions bounded in total, trailers bounded and thrown away. Holds no buffer: it is fed
/// whatever bytes are there and gives back views into them.
class ChunkedDecoder {
  public:
    struct Step {
        std::string_view data;     ///< content found, possibly empty; a view into the input
        std::size_t consumed = 0;  ///< bytes of the input that are done with, data included
        Errc error = Errc::none;  ///< chunk_invalid or chunk_overhead; then nothing more may be fed
    };

    /// Takes as much of `input` as makes one run of content, or all of it. Call again with the rest
    /// until consumed == 0 or done().
    Step feed(std::string_view input) noexcept;

    /// The last chunk and the trailer section have been read: what follows in the input is another
    /// message.
    bool done() const noexcept { return state_ == State::done; }

    /// Content bytes seen so far.
    std::uint64_t content_bytes() const noexcept { return content_bytes_; }

  private:
    enum class State : std::uint8_t {
        size_first,
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer_name,
        trailer,
        trailer_lf,
        end_lf,
        done,
        failed,
    };

    Errc take(char c) noexcept;
    Errc take_in_size_line(char c) noexcept;
    Errc take_in_trailers(char c) noexcept;
    Errc expect(char c, char wanted, State next) noexcept;

    State state_ = State::size_first;
    int size_digits_ = 0;
    std::uint64_t remaining_ = 0;
    std::uint64_t content_bytes_ = 0;
    std::size_t extension_bytes_ = 0;
    std::size_t trailer_bytes_ = 0;
};

/// Writes "<hex size>\r\n" for a chunk of `size` bytes into `out` (at least 18 bytes) and returns
/// its length.
std::size_t write_chunk_head(char* out, std::uint64_t size) noexcept;

}  // namespace gatehouse::http
