#include "override.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::app {
namespace {

bool is_override(const http::Field& field) noexcept {
    return equals_ignoring_case(field.name, authz::kOverrideHeader);
}

// What a handler behind such an authorizer looks for: the context as claims, and who it is.
Json make_claims(const authz::Grant& grant) {
    Json claims = Json::object();
    for (const authz::ContextItem& item : grant.context) {
        auto value = item.kind == authz::ContextItem::Kind::string ? Result<Json>(Json(item.value))
                                                                   : parse_json(item.value);
        claims[item.key] = value ? std::move(value).value() : Json(item.value);
    }
    if (!grant.principal_id.empty()) claims["sub"] = grant.principal_id;
    return claims;
}

}  // namespace

const http::Field* find_override(const Request& request) noexcept {
    if (!request.snapshot->dev_override) return nullptr;
    const auto found = std::ranges::find_if(request.head.fields, is_override);
    return found == request.head.fields.end() ? nullptr : &*found;
}

Errc take_override(Request& request, const http::Field& header, const Authorize& authorize) {
    request.record.overridden = true;
    if (std::ranges::count_if(request.head.fields, is_override) > 1) {
        request.make_detail().error = "the header is there twice";
        return Errc::override_invalid;
    }
    auto read =
        request.snapshot->dev_override->read(header.value, request.arn.text, request.began.wall);
    if (!read) {
        request.make_detail().error = read.error().detail;
        return read.error().errc();
    }
    auto grant = std::make_shared<authz::Grant>(std::move(read).value());
    // An override is the whole of what an authorizer may say, scopes included.
    grant->scopes.assign(request.route->scopes.begin(), request.route->scopes.end());
    if (request.authorizer != nullptr && request.authorizer->shows_claims_alone())
        grant->claims = make_claims(*grant);
    AuthorizeCall call;
    call.snapshot = *request.held;
    call.api = request.api;
    call.authorizer = request.authorizer;
    call.identity = header.value;
    AuthorizeResult result;
    const Errc error = authorize.finish_grant(call, *grant, result);
    if (error != Errc::none) {
        request.make_detail().error = result.detail;
        return error;
    }
    request.grant = std::move(grant);
    return Errc::none;
}

}  // namespace gatehouse::app
