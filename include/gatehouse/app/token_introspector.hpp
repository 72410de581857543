#pragma once

#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/limits.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace gatehouse::app {

/// One question to an introspection endpoint. Header and form hold secrets: neither is ever shown.
struct IntrospectionCall {
    std::string endpoint;       ///< http or https URL
    std::string authorization;  ///< empty: none
    std::string form;           ///< application/x-www-form-urlencoded
    std::chrono::milliseconds timeout = limits::kIntrospectionTime;  ///< for all of it
};

/// How it ended.
struct IntrospectionOutcome {
    Errc error = Errc::introspection_failed;  ///< none: the endpoint answered 200
    std::string content_type;
    std::string body;
    std::string detail;  ///< why there is none, for trace and log
};

/// Told the outcome, exactly once, on any thread. Must neither block nor throw.
using IntrospectionDone = std::function<void(IntrospectionOutcome)>;

/// Asks introspection endpoints. introspect() may be called on any thread and never blocks. A
/// question belongs to nobody: a client that leaves does not end it.
class TokenIntrospector {
  public:
    virtual ~TokenIntrospector() = default;
    virtual void introspect(IntrospectionCall call, IntrospectionDone done) = 0;
};

}  // namespace gatehouse::app
