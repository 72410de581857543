#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace gatehouse::http {

/// Field names that some rule treats specially; looked up once, when the head is read, so that
/// later passes switch on a number.
enum class FieldId : std::uint8_t {
    other = 0,
    accept,
    age,
    authorization,
    connection,
    content_encoding,
    content_length,
    content_md5,
    content_type,
    cookie,
    date,
    expect,
    host,
    http2_settings,
    keep_alive,
    max_forwards,
    origin,
    proxy_authenticate,
    proxy_authorization,
    proxy_connection,
    referer,
    server,
    te,
    trailer,
    transfer_encoding,
    upgrade,
    user_agent,
    via,
    www_authenticate,
    x_amz_apigw_id,
    x_amzn_apigateway_api_id,
    x_amzn_errortype,
    x_amzn_request_context,
    x_amzn_requestid,
    x_amzn_trace_id,
    x_forwarded_for,
    x_forwarded_host,
    x_forwarded_port,
    x_forwarded_proto,
    x_http_method_override,
};

/// One header field as it arrived. Views into the read buffer; the value is without surrounding
/// white space.
struct Field {
    std::string_view name;
    std::string_view value;
    FieldId id = FieldId::other;
};

enum class Version : std::uint8_t { http_1_0, http_1_1 };

/// How the content of a message is delimited (RFC 9112, section 6). `until_close`: answers only.
/// `length` with `none`: an answer without content told it, 0 when it did not.
struct Framing {
    enum class Kind : std::uint8_t { none, length, chunked, until_close };
    Kind kind = Kind::none;
    std::uint64_t length = 0;
};

/// A request head that passed every check of http/framing.hpp. All views point into the
/// connection's read buffer.
struct RequestHead {
    std::string_view method;
    std::string_view target;  ///< as it came; http/target.hpp makes the path of it
    std::span<const Field> fields;
    /// Host, or the authority of an absolute-form target; may hold a port; empty only in HTTP/1.0.
    std::string_view host;
    Version version = Version::http_1_1;
    Framing framing;
    bool keep_alive = true;
    bool expect_continue = false;
};

/// An upstream's answer head that passed every check of http/framing.hpp.
struct ResponseHead {
    int status = 0;
    std::string_view reason;
    std::span<const Field> fields;
    Version version = Version::http_1_1;
    Framing framing;
    bool keep_alive = true;
};

}  // namespace gatehouse::http
