#pragma once

#include "gatehouse/authz/grant.hpp"
#include "gatehouse/authz/jwt_authorizer.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <re2/re2.h>

#include <string>

// Tokens of Cognito user pools (API Gateway developer guide, "Control access to REST APIs using
// Amazon Cognito user pools as an authorizer"): an identity token where the method has no scopes,
// else an access token. There is no policy: a token that holds may do anything in the stage.
namespace gatehouse::authz {

/// The grant of a verified token. Errc: token_use_refused for a token that is neither kind,
/// token_audience_refused where `audience` does not match the whole of aud (which access tokens do
/// not have)
/// @param audience  identityValidationExpression; null: aud is not looked at
Result<Grant> make_user_pool_grant(jwt::Verified verified,
                                   const AuthorizerEvent& event,
                                   const re2::RE2* audience,
                                   jwt::CheckTrail* trail);

/// "Sun May 07 06:47:18 UTC 2017": how the service shows a Cognito token's exp and iat.
std::string show_java_date(WallTime time);

}  // namespace gatehouse::authz
