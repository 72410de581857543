#pragma once

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/authz/request_facts.hpp"
#include "gatehouse/template/template.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::mapping {

/// Everything that a template can read of a request, kept for as long as it is rendered.
class TemplateInputs {
  public:
    TemplateInputs(const authz::RequestFacts& facts,
                   std::span<const std::string> reserved_headers,
                   std::span<const std::string> reserved_prefixes);
    TemplateInputs(const TemplateInputs&) = delete;
    TemplateInputs& operator=(const TemplateInputs&) = delete;

    /// Views into this object and `body`.
    templates::Inputs view(std::string_view body, const templates::Overrides* earlier) const;

  private:
    authz::ValueMap path_values_;
    authz::ValueMap query_values_;
    authz::ValueMap header_values_;
    std::vector<templates::Parameter> path_;
    std::vector<templates::Parameter> query_;
    std::vector<templates::Parameter> header_;
    Json context_;
    Json stage_variables_;
};

}  // namespace gatehouse::mapping
