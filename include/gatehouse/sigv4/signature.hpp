#pragma once

#include "gatehouse/http/request_head.hpp"
#include "gatehouse/sigv4/authorization.hpp"

#include <string>
#include <string_view>

namespace gatehouse::sigv4 {

/// What was signed, as the client sent it: nothing is normalised, removed or renamed before.
struct SignedRequest {
    std::string_view method;
    std::string_view target;  ///< of the request line
    const http::RequestHead* head = nullptr;
    std::string_view content;
};

/// The canonical request (IAM User Guide, "Create a signed AWS API request", task 1): the path
/// encoded once more, as every service but S3 wants it; the query's names and values decoded,
/// encoded anew and sorted; the signed headers trimmed, runs of spaces as one; the content's own
/// hash, whatever x-amz-content-sha256 says.
std::string make_canonical_request(const SignedRequest& request,
                                   const Authorization& authorization);

/// Task 3.
std::string make_string_to_sign(const Authorization& authorization,
                                std::string_view canonical_request);

/// Task 4, as 64 hex digits.
std::string sign(const Authorization& authorization,
                 std::string_view secret,
                 std::string_view string_to_sign);

/// Compares in constant time. Errc: signature_mismatch, with the canonical request and the string
/// to sign in its message, as the service tells them
Fault check_signature(const SignedRequest& request,
                      const Authorization& authorization,
                      std::string_view secret);

}  // namespace gatehouse::sigv4
