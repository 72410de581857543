#pragma once

#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/http/request_head.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::sigv4 {

/// The signature that a request carries, in its Authorization field or in its query (IAM User
/// Guide, "Elements of an AWS API request signature").
struct Authorization {
    std::string access_key;
    std::string date;  ///< of the scope: "20150830"
    std::string region;
    std::string service;
    std::string terminator;  ///< "aws4_request"
    std::vector<std::string> signed_headers;
    std::string signature;  ///< as it came
    std::string timestamp;  ///< "20150830T123600Z"
    WallTime time;          ///< the same
    bool in_query = false;
    std::chrono::seconds expires{0};  ///< in the query alone
    bool has_session_token = false;
};

/// Why a request is refused. `message` is what the service tells the client, empty where it only
/// says that the signature is missing or is no signature at all.
struct Fault {
    Errc error = Errc::none;
    std::string message;

    explicit operator bool() const noexcept { return error != Errc::none; }
};

/// Reads the one signature of a request: AWS4-HMAC-SHA256, every element there and of its form.
/// A second Authorization field, a signature in both places or an element twice is no signature.
/// Errc: signature_missing, signature_incomplete
Fault read_authorization(const http::RequestHead& head, Authorization& into);

/// What a signature must be for.
struct Scope {
    std::string_view region;
    std::string_view service;
};

/// Judges what needs no key: host and every x-amz-* field signed, scope, date. Errc:
/// signature_scope_refused, signature_expired, signature_not_yet_valid, signature_mismatch
Fault check_authorization(const Authorization& authorization,
                          const http::RequestHead& head,
                          const Scope& wanted,
                          WallTime now);

/// The time of an ISO 8601 basic format, "20150830T123600Z"; false for anything else.
bool parse_timestamp(std::string_view text, WallTime& into) noexcept;

std::string make_timestamp(WallTime time);

}  // namespace gatehouse::sigv4
