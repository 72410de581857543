#include "gatehouse/authz/dev_override.hpp"

#include "gatehouse/authz/lambda_reply.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/base64url.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/jwt/digest.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gatehouse::authz {
namespace {

constexpr auto kOverrideClaims = std::to_array<std::string_view>(
    {"effect", "exp", "iat", "principalId", "context", "usageIdentifierKey", "methodArn"});
constexpr auto kHeaderMembers = std::to_array<std::string_view>({"alg", "typ"});

Error bad_override(std::string detail) {
    return fail(Errc::override_invalid, std::move(detail));
}

std::string signature_of(std::string_view signed_part, std::string_view secret) {
    const jwt::Sha256 digest = jwt::hmac_sha256(secret, signed_part);
    return encode_base64url(
        {reinterpret_cast<const char*>(digest.data()), digest.size()});  // bytes as chars
}

Result<Json> read_part(std::string_view part, std::string_view what) {
    const auto text = decode_base64url(part);
    if (!text) return bad_override("the " + std::string(what) + " is not base64url");
    auto json = parse_json(*text, {limits::kTokenBytes, limits::kTokenJsonDepth, false});
    if (!json || !json->is_object())
        return bad_override("the " + std::string(what) + " is not a JSON object");
    return json;
}

template <std::size_t N>
Result<void> check_members(const Json& object, const std::array<std::string_view, N>& known) {
    for (const auto& [name, value] : object.items()) {
        if (std::ranges::find(known, std::string_view(name)) == known.end())
            return bad_override("has an unknown member " + printable(name, 40));
    }
    return {};
}

/// The claims, once the signature is good.
Result<Json> read_signed(std::string_view value, std::string_view secret) {
    const std::size_t first = value.find('.');
    const std::size_t last = value.rfind('.');
    const bool three = first != std::string_view::npos && first != last &&
                       value.find('.', first + 1) == last && value.size() <= limits::kTokenBytes;
    if (!three) return bad_override("not a compact JWS");
    // Compared as text: base64url has one spelling of each signature.
    const std::string wanted = signature_of(value.substr(0, last), secret);
    if (!jwt::equals_in_constant_time(value.substr(last + 1), wanted))
        return bad_override("the signature is not good");
    const auto header = read_part(value.substr(0, first), "header");
    if (!header) return header.error();
    if (auto checked = check_members(*header, kHeaderMembers); !checked) return checked.error();
    const auto algorithm = get_string(*header, "alg");
    if (!algorithm || *algorithm != "HS256") return bad_override("alg is not HS256");
    auto claims = read_part(value.substr(first + 1, last - first - 1), "payload");
    if (!claims) return claims;
    if (auto checked = check_members(*claims, kOverrideClaims); !checked) return checked.error();
    return claims;
}

Result<void> check_time(const Json& claims, WallTime now) {
    const Json* exp = find_member(claims, "exp");
    if (exp == nullptr || !exp->is_number())
        return bad_override("has no exp, or one that is no number");
    const double left =
        exp->get<double>() - static_cast<double>(now.time_since_epoch().count()) / 1000;
    if (!(left > 0)) return fail(Errc::override_expired);
    if (left > static_cast<double>(kOverrideTimeMost.count()))
        return bad_override("exp is more than an hour away");
    return {};
}

// What a function would have returned, so that one reader has the rules of both.
Result<Json> make_reply(const Json& claims) {
    const auto effect = get_string(claims, "effect");
    if (!effect || (*effect != "Allow" && *effect != "Deny"))
        return bad_override("effect is neither Allow nor Deny");
    Json resource = "*";
    if (const Json* wanted = find_member(claims, "methodArn")) resource = *wanted;
    // A slip here would only ever deny, and leave its author to wonder.
    const auto* arn = resource.get_ptr<const std::string*>();
    if (arn == nullptr || (*arn != "*" && !arn->starts_with("arn:")))
        return bad_override("methodArn is no ARN");
    Json statement = {{"Action", "execute-api:Invoke"}, {"Effect", *effect}};
    statement["Resource"] = std::move(resource);
    Json reply = Json::object();
    reply["policyDocument"]["Version"] = "2012-10-17";
    reply["policyDocument"]["Statement"].push_back(std::move(statement));
    for (const std::string_view name : {"principalId", "context", "usageIdentifierKey"}) {
        if (const Json* value = find_member(claims, name)) reply[std::string(name)] = *value;
    }
    return reply;
}

}  // namespace

Result<Grant> DevOverride::read(std::string_view value,
                                std::string_view method_arn,
                                WallTime now) const {
    // A second lock: config refuses shorter ones.
    if (secret_.size() < kOverrideSecretBytes) return bad_override("the secret is too short");
    const auto claims = read_signed(value, secret_);
    if (!claims) return claims.error();
    if (auto checked = check_time(*claims, now); !checked) return checked.error();
    const auto reply = make_reply(*claims);
    if (!reply) return reply.error();
    auto grant = read_reply({Invocation::End::returned, dump_json(*reply)}, {}, method_arn);
    if (!grant) return bad_override(grant.error().detail);
    return grant;
}

std::string make_override(const Json& claims, std::string_view secret) {
    std::string value = encode_base64url(R"({"alg":"HS256"})") + '.';
    value += encode_base64url(dump_json(claims));
    return value + '.' + signature_of(value, secret);
}

}  // namespace gatehouse::authz
