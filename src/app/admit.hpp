#pragma once

#include "gatehouse/app/gateway.hpp"

namespace gatehouse::app {

/// Looks the API key up that the request's header presents, where the route asks for one and the
/// header is its source: events and logs show it. Judges nothing.
void find_api_key(Request& request);

/// Of a request that authorization let pass: its key, its plan's throttle, the route's or stage's,
/// the account's, the plan's quota, in this order (API Gateway developer guide, "Throttle requests
/// to your REST APIs"). No allocation where it passes.
/// @return Errc::allowed, api_key_…, throttled or quota_exceeded
Errc admit(Request& request, const Instant& now);

}  // namespace gatehouse::app
