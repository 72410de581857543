#pragma once

#include "gatehouse/core/errc.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/http/request_head.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace gatehouse::net {

/// Finds where a head ends while bytes arrive, and takes its field lines apart on the way, so that
/// each is looked at once. Refuses at once what no later byte can mend: bare LF, folded lines, and
/// heads beyond the limits.
class HeadScanner {
  public:
    struct Limits {
        std::size_t line_bytes;    ///< request or status line
        std::size_t header_bytes;  ///< field lines in all
        std::size_t header_count;
    };

    /// Storage stays.
    void reset() noexcept;

    /// @param bytes  the buffer from its beginning; grows from call to call, and may have moved
    /// @return true when the head is whole (head_end() is set); false: more is needed, unless
    /// error() says otherwise
    bool scan(std::string_view bytes, const Limits& limits);

    /// Bytes of empty lines before the head. A request may be preceded by one or two of them (RFC
    /// 9112 2.2).
    std::size_t head_begin() const noexcept { return begin_; }

    /// Bytes of empty lines before the head, head included.
    std::size_t head_end() const noexcept { return end_; }

    Errc error() const noexcept { return error_; }

    /// The bytes that were scanned stand at `bytes` now.
    void move_to(const char* bytes) noexcept;

    /// Reads a whole request head. The views of `head` point into what was scanned, and its fields
    /// are the scanner's. Errc: request_malformed, version_unsupported, and those of
    /// http::check_request
    Errc read_request_head(http::RequestHead& head) const;

    /// The same for an answer to a request of `method`. Errc::upstream_malformed
    Errc read_response_head(std::string_view method, http::ResponseHead& head) const;

  private:
    bool line(std::string_view bytes, std::size_t line_end, const Limits& limits);
    void count_field(std::size_t line_end, const Limits& limits) noexcept;

    std::string_view first_line() const noexcept {
        return {bytes_ + begin_, first_line_end_ - 2 - begin_};
    }

    const char* bytes_ = nullptr;
    std::size_t begin_ = 0;
    std::size_t line_begin_ = 0;
    std::size_t end_ = 0;
    std::size_t first_line_end_ = 0;
    int empty_lines_ = 0;
    Errc error_ = Errc::none;
    http::FieldSyntax syntax_ = http::FieldSyntax::valid;
    std::vector<http::Field> fields_;
};

}  // namespace gatehouse::net
