#pragma once

#include "condition_operator.hpp"
#include "condition_value.hpp"
#include "gatehouse/policy/conditions.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gatehouse::policy {

/// What of a request a condition key asks for. All other keys of AWS are absent here: there is no
/// VPC, no IAM principal, and no tag behind a request.
enum class Key : unsigned char {
    absent,
    current_time,
    epoch_time,
    secure_transport,
    source_ip,
    source_arn,
    referer,
    user_agent,
    client_cert_subject,
    client_cert_issuer,
    client_cert_serial,
};

/// Key names are not case-sensitive (IAM User Guide, "Condition").
Key find_key(std::string_view name) noexcept;

/// Whether the comparison can judge the key at all. A number compared with an address would be
/// false, or true when negated, whatever the request: refused at load rather than left to surprise.
bool comparable(Key key, Comparison comparison) noexcept;

bool is_present(Key key, const ConditionContext& context) noexcept;

/// Space for the text of keys that are no text.
using TextBuffer = std::array<char, 64>;

/// The key's value as text: times as "2026-01-31T12:30:00Z" and as seconds. Views live as long as
/// `context` and `buffer`.
std::string_view text_of(Key key, const ConditionContext& context, TextBuffer& buffer) noexcept;

/// aws:EpochTime, whole seconds.
std::int64_t epoch_seconds(const ConditionContext& context) noexcept;

/// aws:CurrentTime in milliseconds, aws:EpochTime in whole seconds.
WallTime time_of(Key key, const ConditionContext& context) noexcept;

/// The TCP peer's address, without its zone index.
std::optional<IpAddress> peer_address(const ConditionContext& context) noexcept;

}  // namespace gatehouse::policy
