#include "gatehouse/authz/lambda_reply.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/java_text.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/json_pointer.hpp"
#include "gatehouse/core/limits.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace gatehouse::authz {
namespace {

constexpr std::string_view kPolicyKeys[] = {
    "principalId", "policyDocument", "context", "usageIdentifierKey"};
constexpr std::string_view kSimpleKeys[] = {"isAuthorized", "context"};

Error invalid(std::string_view path, std::string_view what) {
    return fail(Errc::authorizer_result_invalid, std::string(path).append(": ").append(what));
}

ContextItem::Kind kind_of(const Json& value) noexcept {
    using Kind = ContextItem::Kind;
    if (value.is_null()) return Kind::null;
    if (value.is_boolean()) return Kind::boolean;
    if (value.is_number()) return Kind::number;
    return value.is_structured() ? Kind::json : Kind::string;
}

Result<void> check_keys(const Json& reply, std::span<const std::string_view> known) {
    for (const auto& [key, value] : reply.items()) {
        if (std::ranges::find(known, key) == known.end())
            return invalid(pointer_step(printable(key, 40)), "unknown member");
    }
    return {};
}

/// A member that is there and not null.
const Json* find_value(const Json& reply, std::string_view name) noexcept {
    const Json* value = find_member(reply, name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

// Field evidence against the guide: a reply without a principal, or with null or "", is taken. A
// number becomes text.
Result<std::string> read_principal(const Json& reply) {
    std::string principal;
    const Json* value = find_value(reply, "principalId");
    if (value == nullptr) return principal;
    if (!value->is_string() && !value->is_number()) return invalid("/principalId", "not a string");
    append_java_text(*value, principal);
    return principal;
}

Result<std::vector<ContextItem>> read_context(const Json& reply, EventFormat format) {
    std::vector<ContextItem> context;
    const Json* object = find_value(reply, "context");
    if (object == nullptr) return context;
    if (!object->is_object()) return invalid("/context", "not an object");
    context.reserve(object->size());
    for (const auto& [key, value] : object->items()) {
        // Only payload format 2.0 shows functions JSON in JSON.
        if (value.is_structured() && format != EventFormat::http_2_0)
            return invalid("/context" + pointer_step(printable(key, 40)), "an object or a list");
        ContextItem item{key, {}, kind_of(value)};
        append_java_text(value, item.value);
        context.push_back(std::move(item));
    }
    return context;
}

Result<policy::Document> read_policy(const Json& reply) {
    const Json* document = find_value(reply, "policyDocument");
    if (document == nullptr) return invalid("/policyDocument", "missing");
    auto policy = policy::parse_document(*document);
    if (!policy) return Error{policy.error().code, "/policyDocument" + policy.error().detail};
    return policy;
}

Result<policy::Document> read_simple(const Json& reply) {
    const Json* authorized = find_member(reply, "isAuthorized");
    if (authorized == nullptr) return invalid("/isAuthorized", "missing");
    // A JSON boolean and nothing else: the text "false" is no refusal, and no permission.
    if (!authorized->is_boolean()) return invalid("/isAuthorized", "not a boolean");
    return policy::parse_document({{"Version", "2012-10-17"},
                                   {"Statement",
                                    {{"Action", "execute-api:Invoke"},
                                     {"Effect", authorized->get<bool>() ? "Allow" : "Deny"},
                                     {"Resource", "*"}}}});
}

Result<std::string> read_usage_key(const Json& reply) {
    const Json* key = find_value(reply, "usageIdentifierKey");
    if (key == nullptr) return std::string();
    if (!key->is_string()) return invalid("/usageIdentifierKey", "not a string");
    return key->get<std::string>();
}

Result<Grant> make_grant(const Json& reply, const ReplyRules& rules, std::string_view method_arn) {
    const bool simple = rules.simple_responses && rules.format == EventFormat::http_2_0;
    if (!reply.is_object()) return invalid("", "not an object");
    const std::span<const std::string_view> known =
        simple ? std::span<const std::string_view>(kSimpleKeys) : kPolicyKeys;
    if (auto checked = check_keys(reply, known); !checked) return std::move(checked).error();
    auto policy = simple ? read_simple(reply) : read_policy(reply);
    if (!policy) return std::move(policy).error();
    auto context = read_context(reply, rules.format);
    if (!context) return std::move(context).error();
    Grant grant;
    if (!simple) {
        auto principal = read_principal(reply);
        if (!principal) return std::move(principal).error();
        auto usage_key = read_usage_key(reply);
        if (!usage_key) return std::move(usage_key).error();
        grant.principal_id = std::move(*principal);
        grant.usage_identifier_key = std::move(*usage_key);
    }
    grant.policy = std::make_shared<policy::Document>(std::move(*policy));
    grant.context = std::move(*context);
    grant.issued_for = method_arn;
    return grant;
}

// The one error that a function can raise on purpose. Compared whole: "unauthorized" or
// "Unauthorized: expired" are errors like any other.
Error read_failure(std::string_view payload) {
    const auto error = parse_json(payload, {.max_bytes = limits::kAuthorizerResultBytes});
    if (error) {
        const auto message = get_string(*error, "errorMessage");
        if (message && *message == "Unauthorized") return fail(Errc::authorizer_unauthorized);
    }
    return fail(Errc::authorizer_function_error);
}

}  // namespace

Result<Grant> read_reply(const Invocation& invocation,
                         const ReplyRules& rules,
                         std::string_view method_arn) {
    switch (invocation.end) {
        case Invocation::End::returned:
            break;
        case Invocation::End::failed:
            return read_failure(invocation.payload);
        case Invocation::End::timed_out:
            return fail(Errc::authorizer_timeout);
        case Invocation::End::too_large:
            return fail(Errc::authorizer_result_too_large);
        default:
            return fail(Errc::authorizer_not_invokable);
    }
    const auto reply =
        parse_json(invocation.payload, {.max_bytes = limits::kAuthorizerResultBytes});
    if (!reply) {
        if (reply.error().errc() == Errc::json_too_large)
            return fail(Errc::authorizer_result_too_large, reply.error().detail);
        // Not parse_json's detail: it may name a member, and functions put tokens anywhere.
        return invalid("", reason_text(reply.error().errc()));
    }
    return make_grant(*reply, rules, method_arn);
}

}  // namespace gatehouse::authz
