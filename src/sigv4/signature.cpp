#include "gatehouse/sigv4/signature.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/jwt/digest.hpp"
#include "query.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>
#include <vector>

namespace gatehouse::sigv4 {
namespace {

std::string hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int length = 0;
    const unsigned char* made = HMAC(EVP_sha256(),
                                     key.data(),
                                     static_cast<int>(key.size()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size(),
                                     digest.data(),
                                     &length);
    // Nothing may ever be compared with a digest that was not made.
    if (made == nullptr || length != 32) throw std::runtime_error("HMAC is not available");
    return {reinterpret_cast<const char*>(digest.data()), length};
}

std::string hex_hash(std::string_view text) {
    return jwt::to_hex(jwt::sha256(text));
}

std::string to_hex(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex.append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
    return hex;
}

// Trimmed already; runs of white space become one space, inside quotes too, as the service's own
// test vectors and SDKs have it.
void append_value(std::string_view value, std::string& out) {
    bool space = false;
    for (const char c : value) {
        if (c == ' ' || c == '\t') {
            space = true;
            continue;
        }
        if (space) out += ' ';
        space = false;
        out += c;
    }
}

void append_headers(const http::RequestHead& head,
                    const std::vector<std::string>& names,
                    std::string& out) {
    for (const std::string& name : names) {
        out.append(name).append(":");
        bool first = true;
        for (const http::Field& field : head.fields) {
            if (!equals_ignoring_case(field.name, name)) continue;
            if (!first) out += ',';
            first = false;
            append_value(field.value, out);
        }
        out += '\n';
    }
}

// By name, then by value, both encoded: their order is that of the encoded bytes.
void append_query(std::string_view query, bool signed_there, std::string& out) {
    std::vector<Parameter> parameters;
    for (const Parameter& decoded : read_parameters(query)) {
        if (signed_there && decoded.name == "X-Amz-Signature") continue;
        Parameter& encoded = parameters.emplace_back();
        append_encoded(decoded.name, 0, encoded.name);
        append_encoded(decoded.value, 0, encoded.value);
    }
    std::sort(parameters.begin(), parameters.end());
    bool first = true;
    for (const Parameter& parameter : parameters) {
        if (!first) out += '&';
        first = false;
        out.append(parameter.name).append("=").append(parameter.value);
    }
}

std::string scope_of(const Authorization& authorization) {
    return authorization.date + '/' + authorization.region + '/' + authorization.service + '/' +
           authorization.terminator;
}

}  // namespace

std::string make_canonical_request(const SignedRequest& request,
                                   const Authorization& authorization) {
    std::string text(request.method);
    text += '\n';
    append_encoded(path_of(request.target), '/', text);
    text += '\n';
    append_query(query_of(request.target), authorization.in_query, text);
    text += '\n';
    append_headers(*request.head, authorization.signed_headers, text);
    text += '\n';
    for (std::size_t i = 0; i < authorization.signed_headers.size(); ++i)
        text.append(i == 0 ? "" : ";").append(authorization.signed_headers[i]);
    return text + '\n' + hex_hash(request.content);
}

std::string make_string_to_sign(const Authorization& authorization,
                                std::string_view canonical_request) {
    return "AWS4-HMAC-SHA256\n" + authorization.timestamp + '\n' + scope_of(authorization) + '\n' +
           hex_hash(canonical_request);
}

std::string sign(const Authorization& authorization,
                 std::string_view secret,
                 std::string_view string_to_sign) {
    std::string key = "AWS4" + std::string(secret);
    for (const std::string* part : {&authorization.date,
                                    &authorization.region,
                                    &authorization.service,
                                    &authorization.terminator})
        key = hmac(key, *part);
    return to_hex(hmac(key, string_to_sign));
}

Fault check_signature(const SignedRequest& request,
                      const Authorization& authorization,
                      std::string_view secret) {
    const std::string canonical = make_canonical_request(request, authorization);
    const std::string to_sign = make_string_to_sign(authorization, canonical);
    const std::string wanted = sign(authorization, secret, to_sign);
    if (jwt::equals_in_constant_time(wanted, authorization.signature)) return {};
    return {Errc::signature_mismatch,
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details.\n\nThe Canonical String for this request should have been\n'" +
                canonical + "'\n\nThe String-to-Sign should have been\n'" + to_sign + "'\n"};
}

}  // namespace gatehouse::sigv4
