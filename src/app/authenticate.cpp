#include "gatehouse/app/gateway.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/sigv4/signature.hpp"

#include <algorithm>
#include <string>
#include <utility>

// Routes of AWS_IAM: Signature Version 4 against the configured access keys. What can be judged
// without the content is judged before it is read; a replay within the window passes, as it does
// with the service.
namespace gatehouse::app {
namespace {

constexpr std::string_view kService = "execute-api";
constexpr const char* kUnsignedMethod =
    "'X-HTTP-Method-Override' must be a 'SignedHeader' in the AWS Authorization.";
constexpr const char* kUnknownKey = "The security token included in the request is invalid.";

// For the trace: the first line, since the rest quotes the request, and nothing that the line
// itself quotes of its credential.
std::string summary_of(const sigv4::Fault& fault) {
    const std::string line = fault.message.substr(0, fault.message.find('\n'));
    return printable(line.substr(0, line.find(", got '")), 300);
}

}  // namespace

Step Gateway::refuse_signature(Request& request, sigv4::Fault fault, const Instant& now) {
    request.outcomes.authorizer = fault.error;
    request.make_detail().error = summary_of(fault);
    request.refusal = std::move(fault.message);
    return settle(request, now);
}

Step Gateway::read_signature(Request& request, const Instant& now) {
    sigv4::Authorization& signature = request.signature.emplace();
    if (auto fault = sigv4::read_authorization(request.head, signature))
        return refuse_signature(request, std::move(fault), now);
    request.record.identity_found = true;
    const sigv4::Scope wanted{request.api->stage.region, kService};
    if (auto fault = sigv4::check_authorization(signature, request.head, wanted, now.wall))
        return refuse_signature(request, std::move(fault), now);
    // What runs is what was signed: a signature for one method is none for another.
    if (request.head.method != request.signed_method &&
        std::ranges::find(signature.signed_headers, "x-http-method-override") ==
            signature.signed_headers.end())
        return refuse_signature(request, {Errc::signature_mismatch, kUnsignedMethod}, now);
    // A session token belongs to a temporary key, and none is configured.
    const bool known = request.authorizer->access_keys->contains(signature.access_key);
    if (!known || signature.has_session_token)
        return refuse_signature(request, {Errc::access_key_unknown, kUnknownKey}, now);
    const http::Framing& framing = request.head.framing;
    const bool empty = framing.kind == http::Framing::Kind::none ||
                       (framing.kind == http::Framing::Kind::length && framing.length == 0);
    return empty ? check_signature(request, {}, now) : Step::authenticate;
}

Step Gateway::check_signature(Request& request, std::string_view content, const Instant& now) {
    // INVARIANT: only a signature that was read for this request is judged.
    if (!request.signature || !request.authorizer || !request.authorizer->access_keys)
        return refuse_signature(request, {Errc::internal, {}}, now);
    const AccessKeys& keys = *request.authorizer->access_keys;
    const auto key = keys.find(request.signature->access_key);
    if (key == keys.end())
        return refuse_signature(request, {Errc::access_key_unknown, kUnknownKey}, now);
    const sigv4::SignedRequest what{
        request.signed_method, request.head.target, &request.head, content};
    if (auto fault = sigv4::check_signature(what, *request.signature, key->second.secret))
        return refuse_signature(request, std::move(fault), now);
    request.grant = key->second.grant;
    return judge(request, now);
}

}  // namespace gatehouse::app
