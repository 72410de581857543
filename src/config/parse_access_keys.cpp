#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace gatehouse::config {
namespace {

// IAM API reference, AccessKey: letters and digits. A '/' would move the parts of a credential.
std::string fault_in_key_id(std::string_view text) {
    const bool plain = std::ranges::all_of(text, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    });
    if (!text.empty() && text.size() <= 128 && plain) return {};
    return "must be 1 to 128 letters and digits";
}

std::string fault_in_secret(std::string_view text) {
    // Never the value itself.
    if (text.empty()) return "is empty";
    return fault_in_constant(text).empty() ? "" : "has a control character";
}

std::string fault_in_principal(std::string_view text) {
    return text.empty() ? "is empty" : fault_in_constant(text);
}

}  // namespace

void read_access_keys(ObjectReader& reader, Model& model) {
    reader.each_element("accessKeys", [&](const Json& value, const std::string& pointer) {
        ObjectReader key(value, pointer, keys::kAccessKey, reader.source());
        if (!value.is_object()) return;
        AccessKey made;
        key.require("accessKeyId", "what a signature names");
        key.read_checked("accessKeyId", made.id, fault_in_key_id);
        key.require("secretAccessKey", "e.g. \"${SECRET_ACCESS_KEY}\"");
        key.read_checked("secretAccessKey", made.secret, fault_in_secret);
        key.require("principalId", "who signs with it");
        key.read_checked("principalId", made.principal_id, fault_in_principal);
        if (!made.id.empty() && std::ranges::find(model.access_keys, made.id, &AccessKey::id) !=
                                    model.access_keys.end())
            key.problem("accessKeyId", "another element has it already");
        model.access_keys.push_back(std::move(made));
    });
}

}  // namespace gatehouse::config
