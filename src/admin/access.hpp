#pragma once

#include "gatehouse/admin/admin_api.hpp"

#include <optional>
#include <string_view>

namespace gatehouse::admin {

/// True when a Host value names this listener: a loopback name or address in any form, or the
/// configured address. The port is not looked at: container ports are mapped. A listener on all
/// addresses (which has a token) takes address literals and names without a dot too, since
/// rebinding needs a name in the public DNS.
bool is_trusted_host(std::string_view host, std::string_view configured_address) noexcept;

/// Why this request may not ask for anything, or nullopt. `health`: one of the two calls that need
/// neither Host nor token.
std::optional<Response> refuse_access(const Request& request, const Access& access, bool health);

/// {"message": …}
Response make_error(int status, std::string_view message);

}  // namespace gatehouse::admin
