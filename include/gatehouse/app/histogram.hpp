#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gatehouse::app {

/// Upper bounds of the duration histograms in seconds; the last bucket is +Inf. One list for all,
/// so that they can be laid over each other: a cached Allow takes half a millisecond, a function 29
/// s.
constexpr std::array<double, 15> kDurationBounds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

struct Histogram {
    std::array<std::uint64_t, kDurationBounds.size() + 1> buckets{};
    double sum = 0;
    std::uint64_t count = 0;

    void observe(double seconds) noexcept;
    void add(const Histogram& other) noexcept;
};

}  // namespace gatehouse::app
