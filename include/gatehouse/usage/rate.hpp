#pragma once

#include <cstdint>

namespace gatehouse::usage {

/// A throttle. The rate is in thousandths of a request per second, so that all arithmetic is exact.
struct Rate {
    std::uint64_t milli_per_second = 0;  ///< rateLimit
    std::uint64_t burst = 0;             ///< burstLimit: what the bucket holds

    bool operator==(const Rate&) const = default;
};

enum class Period : std::uint8_t { day, week, month };

/// So many requests in a period. Periods begin at 00:00 UTC.
struct Quota {
    std::uint32_t limit = 0;
    Period period = Period::day;
    /// The day that a period begins with: WEEK 0 (Sunday) to 6, MONTH 0 (the first) to 27, DAY 0.
    /// CloudFormation's documents and the service's own checks say so. The API reference has it as
    /// requests that are taken from the first period; no evidence of that was found.
    unsigned offset = 0;

    bool operator==(const Quota&) const = default;
};

constexpr std::uint64_t kMostMilliPerSecond = 1'000'000'000;
constexpr std::uint64_t kMostBurst = 1'000'000;

}  // namespace gatehouse::usage
