#include "gatehouse/app/histogram.hpp"

#include <algorithm>

namespace gatehouse::app {

void Histogram::observe(double seconds) noexcept {
    const auto at = std::lower_bound(kDurationBounds.begin(), kDurationBounds.end(), seconds);
    ++buckets[static_cast<std::size_t>(at - kDurationBounds.begin())];
    sum += seconds;
    ++count;
}

void Histogram::add(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets.size(); ++i)
        buckets[i] += other.buckets[i];
    sum += other.sum;
    count += other.count;
}

}  // namespace gatehouse::app
