#pragma once

#include "gatehouse/app/gateway.hpp"

namespace gatehouse::app {

/// The header that stands in for an authorizer's result. nullptr: the request has none, or nobody
/// configured it.
const http::Field* find_override(const Request& request) noexcept;

/// Reads the header into `request.grant`. Not cached, and joined by nobody.
/// @return Errc::none, override_invalid, override_expired, or what the context cannot be used for
Errc take_override(Request& request, const http::Field& header, const Authorize& authorize);

}  // namespace gatehouse::app
