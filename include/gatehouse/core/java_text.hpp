#pragma once

#include "gatehouse/core/json.hpp"

#include <string>

// The service turns JSON values into text where a text is wanted (authorizer context, header values
// of a function's answer), and it is written in Java.
namespace gatehouse {

/// Appends Double.toString of a finite number: "1.0", "0.001", "1.0E10" (Java SE API, class
/// Double).
void append_java_double(double value, std::string& out);

/// Appends a string as it is, a number or boolean as Java prints it, nothing for null, and objects
/// and lists as compact JSON. DIVERGES: whole numbers beyond 64 bits, of which Java keeps every
/// digit, are printed as doubles.
void append_java_text(const Json& value, std::string& out);

}  // namespace gatehouse
