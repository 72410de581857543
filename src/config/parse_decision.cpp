#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"

#include <string>
#include <string_view>

namespace gatehouse::config {

void read_decision(ObjectReader& root, Model& model) {
    const Json* value = root.find("decision");
    if (value == nullptr) return;
    ObjectReader reader(*value, root.at("decision"), keys::kDecision, root.source());
    Decision& decision = model.decision.emplace();
    if (!value->is_object()) return;
    reader.read_checked("address", decision.address, fault_in_address);
    reader.require("port", "where proxies ask for decisions, e.g. 8181");
    reader.read_number("port", decision.port, 0, 65535);
    // No default: read by the wrong names, a request would be judged as what its client says.
    reader.require("form",
                   "how the proxy names the request: \"nginx\", \"forwarded\" or \"envoy\"");
    constexpr std::string_view kForms[] = {"nginx", "forwarded", "envoy"};
    std::string form;
    reader.read_choice("form", form, kForms);
    decision.form = form == "nginx"   ? http::OriginalForm::nginx
                    : form == "envoy" ? http::OriginalForm::envoy
                                      : http::OriginalForm::forwarded;
}

}  // namespace gatehouse::config
