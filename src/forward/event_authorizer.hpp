#pragma once

#include "gatehouse/forward/proxy_event.hpp"

#include <string>

namespace gatehouse::forward {

/// `requestContext.authorizer` as JSON text, in the shape of the API's kind and the authorizer's;
/// empty: there is no such member.
std::string make_event_authorizer(const ProxyRequest& request, authz::EventFormat format);

}  // namespace gatehouse::forward
