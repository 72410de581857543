#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>
#include <string_view>

namespace gatehouse::net {

/// The program's log on stderr, which never waits for a reader: a line that finds no room is lost,
/// and the next one that finds some says how many were. A stalled log must not stall the gateway.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
  protected:
    void sink_it_(const spdlog::details::log_msg& message) override;

    void flush_() override {}

  private:
    static bool write(std::string_view text) noexcept;

    std::uint64_t lost_ = 0;
};

}  // namespace gatehouse::net
