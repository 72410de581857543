#pragma once

#include "gatehouse/app/token_introspector.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>

namespace gatehouse::test {

/// Questions to introspection endpoints: pending until the test ends them, oldest first.
class ScriptedIntrospector final : public app::TokenIntrospector {
  public:
    void introspect(app::IntrospectionCall call, app::IntrospectionDone done) override {
        pending_.emplace_back(std::move(call), std::move(done));
        ++started;
    }

    std::size_t pending() const { return pending_.size(); }

    const app::IntrospectionCall& call() const {
        REQUIRE_FALSE(pending_.empty());
        return pending_.front().first;
    }

    void answer(std::string body, std::string content_type = "application/json") {
        end({Errc::none, std::move(content_type), std::move(body), {}});
    }

    void fail(std::string why) { end({Errc::introspection_failed, {}, {}, std::move(why)}); }

    int started = 0;

  private:
    void end(app::IntrospectionOutcome outcome) {
        REQUIRE_FALSE(pending_.empty());
        const app::IntrospectionDone done = std::move(pending_.front().second);
        pending_.pop_front();
        done(std::move(outcome));
    }

    std::deque<std::pair<app::IntrospectionCall, app::IntrospectionDone>> pending_;
};

}  // namespace gatehouse::test
