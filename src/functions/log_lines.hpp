#pragma once

#include "gatehouse/core/limits.hpp"

#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace gatehouse::functions {

/// Cuts what a function writes into lines that are safe to log: controls (C1 too) and bytes that
/// are no UTF-8 as \xNN, a line longer than limits::kFunctionLogLine cut with "…". Keeps the last
/// few lines, for the reason when it cannot start.
class LogLines {
  public:
    using Sink = std::function<void(const std::string& line)>;

    explicit LogLines(Sink sink) : sink_(std::move(sink)) {}

    void write(std::string_view bytes);

    /// The writer is gone: what has no line end yet is a line.
    void end();

    /// The last lines, joined by " | ", each of at most 200 bytes.
    std::string last() const;

  private:
    void emit();

    Sink sink_;
    std::string line_;  ///< at most limits::kFunctionLogLine bytes
    bool cut_ = false;
    std::deque<std::string> last_;
};

/// The text with what would confuse a terminal or a log reader as \xNN.
std::string escape_controls(std::string_view text);

}  // namespace gatehouse::functions
