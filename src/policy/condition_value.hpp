#pragma once

#include "gatehouse/core/ip_address.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/policy/wildcard.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

// The values that condition operators compare. Everything a policy writes is read here, once, when
// the policy is loaded; of a request only its address is read per judgement.
namespace gatehouse::policy {

/// All addresses of one family whose first `bits` bits are those of `network`.
struct IpRange {
    IpAddress network;
    int bits = 0;

    bool contains(const IpAddress& address) const noexcept;
};

/// ArnEquals and ArnLike: six parts divided by ':', each matched by itself, so that a `*` in the
/// region does not reach into the account (IAM User Guide, "Amazon Resource Name (ARN) condition
/// operators"). The last part may hold further colons.
class ArnPattern {
  public:
    /// Errc::policy_invalid when there are fewer than six parts or a part is no pattern.
    static Result<ArnPattern> make(std::string_view pattern);

    bool matches(std::string_view arn) const noexcept;
    std::size_t heap_bytes() const noexcept;

  private:
    ArnPattern() = default;

    std::vector<Wildcard> parts_;  ///< six
};

/// A decimal number, "-1.5e3" included; not "inf", "nan", "+1" or ".5".
std::optional<double> parse_number(std::string_view text) noexcept;

/// "true" or "false", any letter case.
std::optional<bool> parse_bool(std::string_view text) noexcept;

/// 2026-01-31, 2026-01-31T12:30Z, 2026-01-31T12:30:00.5+02:00, or seconds since 1970. A time
/// without its zone is refused, and so are four digits alone, which could be a year or seconds.
std::optional<WallTime> parse_date(std::string_view text) noexcept;

/// "192.0.2.0/24", "2001:db8::/32", or one address. Bits beyond the prefix are ignored, as IAM
/// does.
std::optional<IpRange> parse_range(std::string_view text) noexcept;

}  // namespace gatehouse::policy
