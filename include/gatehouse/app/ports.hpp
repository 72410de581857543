#pragma once

#include "gatehouse/core/time.hpp"

#include <functional>
#include <string>

// Small interfaces to what the deciding code cannot do itself, each with one reason to be faked.
// The slow ones are KeyStore's fetcher (key_store.hpp) and the session's waker (authorize.hpp).
namespace gatehouse::app {

/// Reads the clocks. Nobody else calls one.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
  public:
    Instant now() const override {
        return {std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()),
                std::chrono::steady_clock::now()};
    }
};

/// Takes a line for the program's log, at level warning. Thread-safe.
using Warn = std::function<void(const std::string& text)>;

}  // namespace gatehouse::app
