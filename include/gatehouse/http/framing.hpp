#pragma once

#include "gatehouse/core/result.hpp"
#include "gatehouse/http/request_head.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace gatehouse::http {

/// What is known of the names and values of a head's fields, each by itself.
enum class FieldSyntax : std::uint8_t {
    unchecked,
    valid,  ///< take_field_line() took them all
};

/// Checks what Beast 1.81's parser lets pass and fills framing, host, keep_alive and
/// expect_continue of `head`, whose method, target, version and fields (with ids) are set. One pass
/// over the fields, no allocation. Rules (RFC 9112 3.2, 5, 6):
/// - The method is a token of at most limits::kMethodBytes and not CONNECT; "*" is for OPTIONS.
/// - Field names are tokens, values have no control but the tab. A name that reads as a framing
///   field when `_` is taken for `-` is refused.
/// - Host exactly once in HTTP/1.1 and valid (uri-host [":" port]); the authority of an
///   absolute-form target must agree with it, letter case and default port aside.
/// - Content-Length and Transfer-Encoding together: refused in any order. Repeated or listed
///   Content-Length: refused. Transfer-Encoding is exactly one "chunked", never in HTTP/1.0.
/// - Expect is "100-continue" or refused; ignored in HTTP/1.0 and without content.
/// Errc: request_malformed (the method is no token), method_unsupported, target_invalid,
/// host_missing, host_repeated, host_invalid, field_invalid, content_length_invalid,
/// transfer_encoding_invalid, framing_conflict, expectation_failed
Errc check_request(RequestHead& head, FieldSyntax syntax = FieldSyntax::unchecked) noexcept;

/// The same for an upstream's answer to a request of `method`: HEAD, 1xx, 204 and 304 have no
/// content; 101 is never asked for. Content-Length may be repeated with one value. keep_alive is
/// false where content runs until close, or where a 204 announces some.
/// Errc: upstream_malformed
Errc check_response(ResponseHead& head,
                    std::string_view method,
                    FieldSyntax syntax = FieldSyntax::unchecked) noexcept;

/// The status that answers a request refused with one of the reading Errc's, e.g. 400, 413, 414,
/// 417, 431, 501, 505; 0 for an Errc that is not about reading a request.
int status_of_read_error(Errc code) noexcept;

}  // namespace gatehouse::http
