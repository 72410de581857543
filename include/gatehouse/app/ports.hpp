#pragma once

#include "gatehouse/core/time.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

// Small interfaces to what the deciding code cannot do itself, each with one reason to be faked.
// The slow ones are KeyStore's fetcher (key_store.hpp) and the session's waker (authorize.hpp).
namespace gatehouse::app {

/// What a clock said, and when by the processor's own count, where it has one.
struct Reading {
    Instant instant;
    std::uint64_t ticks = 0;
};

/// Reads the clocks. Nobody else calls one.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;

    /// The same for less, where somebody calls now() several times a second.
    virtual Instant quick_now() const { return now(); }

    /// The same for less again, where events come in crowds: reads anew what is older than some
    /// tens of microseconds.
    virtual void renew(Reading& last) const { last.instant = quick_now(); }
};

class SystemClock final : public Clock {
  public:
    Instant now() const override;
    Instant quick_now() const override;
    void renew(Reading& last) const override;

  private:
    mutable std::atomic<std::int64_t> lead_{0};  ///< of the wall clock before the steady one, ns
};

/// Takes a line for the program's log, at level warning. Thread-safe.
using Warn = std::function<void(const std::string& text)>;

}  // namespace gatehouse::app
