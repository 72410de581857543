#include "gatehouse/forward/context_headers.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json_text.hpp"
#include "text.hpp"

#include <algorithm>

namespace gatehouse::forward {
namespace {

bool is_usable(std::string_view value) noexcept {
    return !has_control(value) && is_utf8(value);
}

// Upstreams that fold names would see one name twice, and nobody could say which value counts: the
// first stands.
bool is_taken(const std::vector<std::string_view>& taken, std::string_view key) noexcept {
    return std::ranges::any_of(taken,
                               [&](std::string_view other) { return equals_folded(other, key); });
}

void append_value(const authz::ContextItem& item, std::string& out) {
    if (item.kind == authz::ContextItem::Kind::null) {
        out += "null";
    } else {
        append_json_string(item.value, out, JsonCharset::ascii);
    }
}

// Members of the object that are the authorizer's own, whatever its context is called.
bool is_reserved(std::string_view key, bool claims_reserved) noexcept {
    return key == "principalId" || key == "integrationLatency" ||
           (key == "claims" && claims_reserved);
}

}  // namespace

Result<ContextHeaders> make_context_headers(const authz::Grant& grant,
                                            const ContextHeaderOptions& options) {
    ContextHeaders made;
    if (!options.enabled) return made;
    if (!grant.principal_id.empty()) {
        if (!is_usable(grant.principal_id)) return fail(Errc::context_unusable, "principalId");
        add_line(made.block, options.prefix + std::string(kPrincipalKey), grant.principal_id);
    }
    // Principal-Id stays taken where there is no principal: an absent one cannot be made up by the
    // context.
    std::vector<std::string_view> taken = {kPrincipalKey};
    for (const authz::ContextItem& item : grant.context) {
        if (!is_token(item.key) || is_taken(taken, item.key)) {
            made.left_out.push_back(item.key);
            continue;
        }
        taken.push_back(item.key);
        if (item.kind == authz::ContextItem::Kind::null) continue;
        if (!is_usable(item.value)) return fail(Errc::context_unusable, item.key);
        add_line(made.block, options.prefix + item.key, item.value);
    }
    return made;
}

std::string make_authorizer_json(const authz::Grant& grant,
                                 std::optional<std::chrono::milliseconds> latency) {
    const bool has_claims = grant.claims.is_object();
    std::string out;
    JsonMembers members(out);
    for (const authz::ContextItem& item : grant.context) {
        if (is_reserved(item.key, has_claims || !latency)) continue;
        append_value(item, members.quoted_name(item.key, JsonCharset::ascii));
    }
    if (has_claims) {
        members.raw("claims", grant.claims.dump(-1, ' ', true, Json::error_handler_t::replace));
    }
    if (!grant.principal_id.empty()) {
        append_json_string(grant.principal_id, members.name("principalId"), JsonCharset::ascii);
    }
    if (latency) members.number("integrationLatency", latency->count());
    members.end();
    return out;
}

std::string make_claims_json(const authz::Grant& grant) {
    std::string out;
    JsonMembers members(out);
    members.raw("claims", grant.claims.dump(-1, ' ', true, Json::error_handler_t::replace));
    members.end();
    return out;
}

}  // namespace gatehouse::forward
