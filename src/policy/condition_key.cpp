#include "condition_key.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <cstdio>

namespace gatehouse::policy {
namespace {

struct NamedKey {
    std::string_view name;
    Key key;
};

// API Gateway Developer Guide, "AWS condition keys that can be used in API Gateway resource
// policies": those that need neither IAM authorization nor a private API.
constexpr NamedKey kKeys[] = {
    {"aws:CurrentTime", Key::current_time},
    {"aws:EpochTime", Key::epoch_time},
    {"aws:SecureTransport", Key::secure_transport},
    {"aws:SourceIp", Key::source_ip},
    {"aws:SourceArn", Key::source_arn},
    {"aws:Referer", Key::referer},
    {"aws:UserAgent", Key::user_agent},
    // DIVERGES: ours. No condition of the service can ask about the certificate of mutual TLS.
    {"gatehouse:ClientCertSubjectDN", Key::client_cert_subject},
    {"gatehouse:ClientCertIssuerDN", Key::client_cert_issuer},
    {"gatehouse:ClientCertSerialNumber", Key::client_cert_serial},
};

}  // namespace

Key find_key(std::string_view name) noexcept {
    for (const NamedKey& known : kKeys) {
        if (equals_ignoring_case(known.name, name)) return known.key;
    }
    return Key::absent;
}

bool comparable(Key key, Comparison comparison) noexcept {
    if (key == Key::absent) return true;
    switch (comparison) {
        case Comparison::string_equals:
        case Comparison::string_equals_ignoring_case:
        case Comparison::string_like:
        case Comparison::null:
            return true;
        case Comparison::arn_like:
            return key == Key::source_arn;
        case Comparison::number:
            return key == Key::epoch_time;
        case Comparison::date:
            return key == Key::current_time || key == Key::epoch_time;
        case Comparison::boolean:
            return key == Key::secure_transport;
        case Comparison::ip_address:
            return key == Key::source_ip;
    }
    return false;
}

bool is_present(Key key, const ConditionContext& context) noexcept {
    switch (key) {
        case Key::absent:
            return false;
        case Key::current_time:
        case Key::epoch_time:
        case Key::secure_transport:
            return true;
        case Key::source_ip:
            return !context.source_ip.empty();
        case Key::source_arn:
            return !context.source_arn.empty();
        case Key::referer:
            return !context.referer.empty();
        case Key::user_agent:
            return !context.user_agent.empty();
        case Key::client_cert_subject:
            return !context.client_cert_subject.empty();
        case Key::client_cert_issuer:
            return !context.client_cert_issuer.empty();
        case Key::client_cert_serial:
            return !context.client_cert_serial.empty();
    }
    return false;
}

std::string_view text_of(Key key, const ConditionContext& context, TextBuffer& buffer) noexcept {
    int length = 0;
    switch (key) {
        case Key::absent:
            return {};
        case Key::source_ip:
            return context.source_ip;
        case Key::source_arn:
            return context.source_arn;
        case Key::referer:
            return context.referer;
        case Key::user_agent:
            return context.user_agent;
        case Key::client_cert_subject:
            return context.client_cert_subject;
        case Key::client_cert_issuer:
            return context.client_cert_issuer;
        case Key::client_cert_serial:
            return context.client_cert_serial;
        case Key::secure_transport:
            return context.secure_transport ? "true" : "false";
        case Key::epoch_time:
            length = std::snprintf(buffer.data(),
                                   buffer.size(),
                                   "%lld",
                                   static_cast<long long>(epoch_seconds(context)));
            break;
        case Key::current_time: {
            const auto day = std::chrono::floor<std::chrono::days>(context.now);
            const std::chrono::year_month_day date(day);
            const std::chrono::hh_mm_ss time(
                std::chrono::floor<std::chrono::seconds>(context.now - day));
            length = std::snprintf(buffer.data(),
                                   buffer.size(),
                                   "%04d-%02u-%02uT%02d:%02d:%02dZ",
                                   static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()),
                                   static_cast<unsigned>(date.day()),
                                   static_cast<int>(time.hours().count()),
                                   static_cast<int>(time.minutes().count()),
                                   static_cast<int>(time.seconds().count()));
            break;
        }
    }
    const auto written = static_cast<std::size_t>(std::max(length, 0));
    return {buffer.data(), std::min(written, buffer.size() - 1)};
}

std::int64_t epoch_seconds(const ConditionContext& context) noexcept {
    return std::chrono::floor<std::chrono::seconds>(context.now).time_since_epoch().count();
}

WallTime time_of(Key key, const ConditionContext& context) noexcept {
    if (key == Key::epoch_time) return std::chrono::floor<std::chrono::seconds>(context.now);
    return context.now;
}

std::optional<IpAddress> peer_address(const ConditionContext& context) noexcept {
    return parse_ip_address(context.source_ip.substr(0, context.source_ip.find('%')));
}

}  // namespace gatehouse::policy
