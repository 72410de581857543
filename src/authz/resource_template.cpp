#include "resource_template.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/policy/arn.hpp"
#include "gatehouse/policy/wildcard.hpp"

#include <algorithm>
#include <utility>

namespace gatehouse::authz {
namespace {

constexpr std::string_view kOpen = "${";
constexpr std::string_view kClaims = "claims.";
constexpr std::string_view kStage = "stageArn";
constexpr std::string_view kMethod = "methodArn";

bool is_ours(std::string_view name) noexcept {
    return name.starts_with(kClaims) || name.starts_with(kStage) || name.starts_with(kMethod);
}

// As a client writes the value into a path, and as http::parse_target leaves it: a '/' stays one.
std::string encode_path(std::string_view value) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : value) {
        if (is_unreserved(c) ||
            std::string_view("!$&'()*+,;=:@/").find(c) != std::string_view::npos) {
            encoded += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
    return encoded;
}

// Where the next placeholder of ours begins. IAM's own ${*}, ${?} and ${$} are text here; the
// Wildcard reads them.
std::size_t find_placeholder(std::string_view text) noexcept {
    for (std::size_t at = text.find(kOpen); at != std::string_view::npos;
         at = text.find(kOpen, at + 1)) {
        if (is_ours(text.substr(at + kOpen.size()))) return at;
    }
    return text.size();
}

}  // namespace

bool has_placeholder(std::string_view text) noexcept {
    return find_placeholder(text) != text.size();
}

Result<ResourceTemplate> ResourceTemplate::make(std::string_view text) {
    ResourceTemplate made;
    while (!text.empty()) {
        const std::size_t at = find_placeholder(text);
        if (at > 0) made.parts_.push_back({Part::Kind::text, std::string(text.substr(0, at)), {}});
        if (at == text.size()) break;
        // "$${claims.x}" with a claim that begins with '{' would read as a policy variable.
        if (at > 0 && text[at - 1] == '$') {
            return fail(Errc::config_invalid,
                        "'$' before a placeholder; a literal one is written ${$}");
        }
        text.remove_prefix(at + kOpen.size());
        const std::size_t end = text.find('}');
        if (end == std::string_view::npos) return fail(Errc::config_invalid, "a ${ is not closed");
        auto part = make_part(text.substr(0, end), text.substr(end + 1));
        if (!part) return std::move(part).error();
        made.parts_.push_back(std::move(*part));
        text.remove_prefix(end + 1);
    }
    return made;
}

Result<ResourceTemplate::Part> ResourceTemplate::make_part(std::string_view name,
                                                           std::string_view after) {
    if (name == kMethod) return Part{Part::Kind::method, {}, {}};
    if (name == kStage) {
        if (after.empty()) return Part{Part::Kind::stage, {}, {}};
        if (after.front() == '/') return Part{Part::Kind::stage_root, {}, {}};
        return fail(Errc::config_invalid, "${stageArn} stands at the end or before a '/'");
    }
    if (!name.starts_with(kClaims)) {
        return fail(Errc::config_invalid,
                    "a placeholder is ${claims.NAME}, ${stageArn} or ${methodArn}");
    }
    auto claim = ClaimPath::make(name.substr(kClaims.size()));
    if (!claim) return std::move(claim).error();
    return Part{Part::Kind::claim, {}, std::move(*claim)};
}

std::optional<std::string> ResourceTemplate::fill(const Json& claims,
                                                  std::string_view stage_prefix,
                                                  std::string_view method_arn) const {
    std::string pattern;
    for (const Part& part : parts_) {
        switch (part.kind) {
            case Part::Kind::text:
                pattern += part.text;
                break;
            case Part::Kind::stage:
                pattern += policy::make_stage_arn(stage_prefix);
                break;
            case Part::Kind::stage_root:
                pattern += stage_prefix.substr(
                    0, stage_prefix.size() - std::min<std::size_t>(1, stage_prefix.size()));
                break;
            case Part::Kind::method:
                pattern += policy::escape_wildcard(method_arn);
                break;
            case Part::Kind::claim: {
                // NOLINTNEXTLINE(bugprone-unchecked-optional-access): parts of this kind have one
                const Json* claim = part.claim->find(claims);
                std::string value;
                if (claim == nullptr || !append_scalar(*claim, value)) return std::nullopt;
                pattern += policy::escape_wildcard(encode_path(value));
                break;
            }
        }
    }
    return pattern;
}

std::string ResourceTemplate::sample() const {
    std::string pattern;
    for (const Part& part : parts_)
        pattern += part.kind == Part::Kind::text ? part.text : "x";
    return pattern;
}

bool ResourceTemplate::uses_claims() const noexcept {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) {
        return part.kind == Part::Kind::claim;
    });
}

bool ResourceTemplate::uses_method_arn() const noexcept {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) {
        return part.kind == Part::Kind::method;
    });
}

}  // namespace gatehouse::authz
