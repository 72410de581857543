#include "gatehouse/core/ascii.hpp"
#include "parts.hpp"
#include "reader.hpp"
#include "text_rules.hpp"
#include "uri.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

// `shared`. The URL is in no message: it may hold a password.
namespace gatehouse::config {
namespace {

constexpr std::string_view kScheme = "redis://";
constexpr int kMostDatabase = 65535;
constexpr std::size_t kPrefixBytes = 64;

constexpr const char* kUrlForm =
    "is no URL of the form redis://[user:password@]host[:port][/database]";

std::optional<std::string> decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        decoded += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return decoded;
}

std::string fault_in_user(std::string_view text, Shared& shared) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos)
        return "has a user name without a password; allowed: user:password@ or :password@";
    const auto user = decode(text.substr(0, colon));
    const auto password = decode(text.substr(colon + 1));
    if (!user || !password)
        return "has a \"%\" in its user name or password that is not followed by two hexadecimal "
               "digits; a \"%\" itself is %25";
    if (password->empty()) return "has an empty password";
    shared.user = *user;
    shared.password = *password;
    return {};
}

std::string fault_in_place(std::string_view text, Shared& shared) {
    // Host and port as in any URL.
    std::string fault = fault_in_issuer_url("http://" + std::string(text));
    if (!fault.empty()) return fault;
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    const std::size_t colon = text.find(':', bracket);
    shared.host = bracket > 0 ? text.substr(1, bracket - 1) : text.substr(0, colon);
    if (colon == std::string_view::npos) return {};
    const std::string_view port = text.substr(colon + 1);
    std::from_chars(port.data(), port.data() + port.size(), shared.port);
    return {};
}

std::string fault_in_database(std::string_view text, Shared& shared) {
    if (text.empty()) return {};
    const auto [stop, error] =
        std::from_chars(text.data(), text.data() + text.size(), shared.database);
    const bool whole = error == std::errc() && stop == text.data() + text.size() &&
                       is_digit(text.front()) && (text.size() == 1 || text.front() != '0');
    if (whole && shared.database <= kMostDatabase) return {};
    return "must end in the number of a database, as in redis://127.0.0.1:6379/0";
}

std::string fault_in_redis_url(std::string_view text, Shared& shared) {
    if (text.starts_with("rediss://"))
        return "is rediss://, and Gatehouse's Redis client has no TLS: put a TLS tunnel on "
               "loopback (stunnel, a sidecar) and name it with redis://";
    if (text.starts_with('/') || text.starts_with("unix:") || text.starts_with("redis+unix:") ||
        text.starts_with("redis-socket:") || text.starts_with("redis+socket:"))
        return "is a Unix socket, and Redis is asked over TCP: redis://127.0.0.1:6379";
    if (!text.starts_with(kScheme)) return kUrlForm;
    text.remove_prefix(kScheme.size());
    if (text.find_first_of("?#") != std::string_view::npos)
        return "has a query or a fragment; options of other clients are none of these";
    const std::size_t slash = std::min(text.find('/'), text.size());
    std::string_view authority = text.substr(0, slash);
    text.remove_prefix(std::min(slash + 1, text.size()));
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
        std::string fault = fault_in_user(authority.substr(0, at), shared);
        if (!fault.empty()) return fault;
        authority.remove_prefix(at + 1);
    }
    if (authority.empty()) return kUrlForm;
    std::string fault = fault_in_place(authority, shared);
    return fault.empty() ? fault_in_database(text, shared) : fault;
}

std::string fault_in_shared_secret(std::string_view text) {
    if (text.size() >= limits::kSharedSecretBytes) return {};
    return "has " + std::to_string(text.size()) +
           " bytes; it has at least 32, the same for every replica (openssl rand -hex 32)";
}

std::string fault_in_key_prefix(std::string_view text) {
    const auto plain = [](char c) {
        return is_alpha(c) || is_digit(c) ||
               std::string_view(":._-{}").find(c) != std::string_view::npos;
    };
    if (!text.empty() && text.size() <= kPrefixBytes && std::ranges::all_of(text, plain)) return {};
    return "must be 1 to 64 letters, digits and characters of :._-{}";
}

bool is_here(std::string_view host) {
    return is_loopback(host) || equals_ignoring_case(host, "localhost");
}

}  // namespace

void read_shared(ObjectReader& root, Model& model) {
    const Json* value = root.find("shared");
    if (value == nullptr) return;
    ObjectReader reader(*value, root.at("shared"), keys::kShared, root.source());
    Shared& shared = model.shared.emplace();
    if (!value->is_object()) return;
    reader.require("redis", "where Redis is, e.g. \"redis://127.0.0.1:6379\"");
    std::string url;
    const bool good = reader.read_checked(
        "redis", url, [&](std::string_view text) { return fault_in_redis_url(text, shared); });
    reader.require("secret",
                   "what sealed entries are made with, the same for every replica, e.g. "
                   "\"${GATEHOUSE_SHARED_SECRET}\"");
    reader.read_checked("secret", shared.secret, fault_in_shared_secret);
    reader.read_checked("prefix", shared.prefix, fault_in_key_prefix);
    reader.read_duration("timeoutInMillis",
                         shared.timeout,
                         limits::kSharedTimeLeast.count(),
                         limits::kSharedTimeMost.count());
    if (good && !shared.password.empty() && !is_here(shared.host))
        reader.source().warning(
            reader.at("redis"),
            "sends the password over the network as it is: Gatehouse's Redis client has no TLS, so "
            "let nobody listen there, or use a TLS tunnel on loopback");
}

}  // namespace gatehouse::config
