// What a gateway does otherwise for HTTP APIs.
#include "gatehouse/app/gateway.hpp"
#include "gatehouse/authz/cors.hpp"
#include "gatehouse/authz/http_error.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace gatehouse::app {

// HTTP APIs decode %2F before they route, and what was one segment is several from then on: for
// matching, judging and forwarding alike. What decoding would make of dots and empty segments was
// refused with the target.
Errc Gateway::decode_slashes(Request& request, int api) const {
    authz::RequestFacts& facts = request.facts;
    if (!facts.target.encoded_slash) return Errc::none;
    std::string& path = request.path_scratch;
    path.clear();
    for (std::string_view rest = facts.target.path; !rest.empty();) {
        const std::size_t at = std::min(rest.find("%2F"), rest.size());
        path += rest.substr(0, at);
        rest.remove_prefix(at);
        if (rest.empty()) break;
        path += '/';
        rest.remove_prefix(3);
    }
    // The API was chosen by the path as it came. If the decoded one chooses another, two readers
    // would disagree about whose request this is.
    const routing::ApiMatch match = request.snapshot->api_table.find(request.head.host, path);
    if (match.api != api) return Errc::target_encoded_slash;
    facts.target.path = path;
    facts.target.encoded_slash = false;
    facts.target.trailing_slash = path.size() > 1 && path.ends_with('/');
    facts.api_path = match.path;
    return Errc::none;
}

authz::RenderedResponse Gateway::render_http_refusal(Request& request) const {
    std::string challenge;
    if (request.authorizer != nullptr && request.authorizer->is_native_jwt())
        challenge = authz::make_challenge(request.verdict, request.route->scopes);
    return render_http(request, authz::make_http_error(request.verdict), challenge);
}

authz::RenderedResponse Gateway::render_http(Request& request,
                                             const authz::GatewayError& error,
                                             std::string_view challenge) const {
    request.record.refused = true;
    request.record.response = error.type;
    request.error_message = error.message;
    authz::RenderedResponse response = authz::render_http_error(error, challenge, request.facts);
    append_dev_header(request, response.headers);
    request.record.status = static_cast<std::uint16_t>(response.status);
    return response;
}

// 204 whether or not the origin is allowed; one that is not gets no header that says it is.
authz::RenderedResponse Gateway::render_preflight(Request& request) const {
    authz::RenderedResponse response;
    response.status = 204;
    request.api->stage.cors->append_preflight(request.head, response.headers);
    response.headers.append("apigw-requestid: ").append(request.ids.extended()).append("\r\n");
    append_dev_header(request, response.headers);
    request.record.status = 204;
    return response;
}

}  // namespace gatehouse::app
