#pragma once

#include "gatehouse/app/lambda_invoker.hpp"
#include "gatehouse/app/ports.hpp"
#include "gatehouse/core/json.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace gatehouse::test {

using namespace std::chrono_literals;
using End = authz::Invocation::End;

inline std::string source_path(const std::string& name) {
    return std::string(GATEHOUSE_SOURCE_DIR) + "/" + name;
}

/// Whether the process exists and is no zombie.
inline bool is_running(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::size_t end = text.rfind(") ");
    return end != std::string::npos && text.at(end + 2) != 'Z' && text.at(end + 2) != 'X';
}

/// An event loop run by the test until what it waits for is there, and the program's log as text.
struct Loop {
    Loop() : before(spdlog::default_logger()) {
        spdlog::set_default_logger(std::make_shared<spdlog::logger>(
            "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
    }

    ~Loop() { spdlog::set_default_logger(before); }

    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Generous, since small machines run this under sanitizers too; nothing takes that long when
    /// all is well.
    bool until(const std::function<bool()>& done, std::chrono::seconds patience = 60s) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) return false;
            if (io.stopped()) io.restart();
            io.run_one_for(10ms);
        }
        return true;
    }

    bool logged(const std::string& text) const { return log.str().find(text) != std::string::npos; }

    boost::asio::io_context io{1};
    app::SystemClock clock;
    std::ostringstream log;
    std::shared_ptr<spdlog::logger> before;
};

/// What calls gave, in the order in which they ended; each is to end once.
struct Outcomes {
    struct Entry {
        std::optional<app::LambdaOutcome> outcome;
        int told = 0;
    };

    app::LambdaDone next() {
        entries.push_back(std::make_shared<Entry>());
        return [entry = entries.back()](app::LambdaOutcome outcome) {
            entry->outcome = std::move(outcome);
            ++entry->told;
        };
    }

    std::size_t ended() const {
        std::size_t count = 0;
        for (const auto& entry : entries)
            count += entry->told > 0 ? 1 : 0;
        return count;
    }

    bool each_once() const {
        for (const auto& entry : entries) {
            if (entry->told != 1) return false;
        }
        return true;
    }

    const app::LambdaOutcome& at(std::size_t index) const { return *entries.at(index)->outcome; }

    std::vector<std::shared_ptr<Entry>> entries;
};

}  // namespace gatehouse::test
