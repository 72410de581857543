#pragma once

#include "value.hpp"

#include <string>
#include <string_view>

namespace gatehouse::templates {

/// Appends the value as Java's toString() does: `{a=1, b=[x]}`, `[1, 2]`, `1.0E10`. A list that
/// came from JSON is JSON. Bounded by limits::kTemplateOutputBytes and kTemplateValueDepth.
void append_text(Work& work, const Value& value, std::string& out);

/// Appends the value as compact JSON.
void append_json(Work& work, const Value& value, std::string& out);

/// The value as text that lives as long as the rendering. Text itself is not copied.
std::string_view to_text(Work& work, const Value& value);

/// As Double.toString(): at least one decimal, an exponent from 1E7 up and below 1E-3.
std::string java_double(double value);

}  // namespace gatehouse::templates
