#pragma once

#include "gatehouse/core/errc.hpp"
#include "gatehouse/http/request_head.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace gatehouse::net {

/// Finds where a head ends while bytes arrive, so that it is parsed once, when it is whole. Refuses
/// at once what no later byte can mend: bare LF, folded lines, and heads beyond the limits.
class HeadScanner {
  public:
    struct Limits {
        std::size_t line_bytes;    ///< request or status line
        std::size_t header_bytes;  ///< field lines in all
        std::size_t header_count;
    };

    void reset() noexcept { *this = HeadScanner(); }

    /// @param bytes  the buffer from its beginning; grows from call to call
    /// @return true when the head is whole (head_bytes() is set); false: more is needed, unless
    /// error() says otherwise
    bool scan(std::string_view bytes, const Limits& limits) noexcept;

    /// Bytes of empty lines before the head, head included. A request may be preceded by one or two
    /// of them (RFC 9112 2.2).
    std::size_t head_begin() const noexcept { return begin_; }

    std::size_t head_end() const noexcept { return end_; }

    Errc error() const noexcept { return error_; }

  private:
    bool line(std::string_view bytes, std::size_t line_end, const Limits& limits) noexcept;

    std::size_t begin_ = 0;
    std::size_t line_begin_ = 0;
    std::size_t end_ = 0;
    std::size_t first_line_end_ = 0;
    std::size_t lines_ = 0;
    int empty_lines_ = 0;
    Errc error_ = Errc::none;
};

/// Parses a whole request head, from request line to empty line. Views in `head` and `fields` point
/// into `bytes`. Errc: request_malformed, version_unsupported, and those of http::check_request
Errc parse_request_head(std::string_view bytes,
                        http::RequestHead& head,
                        std::vector<http::Field>& fields);

/// Parses a whole answer head. Errc::upstream_malformed
Errc parse_response_head(std::string_view bytes,
                         std::string_view method,
                         http::ResponseHead& head,
                         std::vector<http::Field>& fields);

}  // namespace gatehouse::net
