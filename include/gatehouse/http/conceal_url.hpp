#pragma once

#include <string>
#include <string_view>

namespace gatehouse::http {

/// A URL as it may be shown, with "***" for what stands before the "@" of its authority and for the
/// values of its query; a {placeholder} is no secret and stays.
std::string conceal_url(std::string_view url);

}  // namespace gatehouse::http
