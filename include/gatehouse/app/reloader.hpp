#pragma once

#include "gatehouse/core/json.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace gatehouse::app {

struct Reloaded {
    bool done = false;
    std::string errors;  ///< whole lines: why the configuration before goes on
    Json report;         ///< what changed, and what left the policy cache
};

/// Puts another configuration in the place of the one that runs, or leaves that one as it is and
/// says why. Control thread.
class Reloader {
  public:
    virtual ~Reloader() = default;

    /// @param text  a configuration; nothing: the file is read again, or the environment
    virtual boost::asio::awaitable<Reloaded> reload(std::optional<std::string> text) = 0;
};

}  // namespace gatehouse::app
