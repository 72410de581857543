#pragma once

#include "gatehouse/app/lambda_invoker.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <utility>

namespace gatehouse::test {

/// Calls of functions: pending until the test ends them, oldest first.
class ScriptedInvoker final : public app::LambdaInvoker {
  public:
    void invoke(app::LambdaCall call, app::LambdaDone done) override {
        pending_.emplace_back(std::move(call), std::move(done));
        ++started;
    }

    std::size_t pending() const { return pending_.size(); }

    const app::LambdaCall& call() const {
        REQUIRE_FALSE(pending_.empty());
        return pending_.front().first;
    }

    void end(authz::Invocation::End end, std::string payload = {}, std::string detail = {}) {
        REQUIRE_FALSE(pending_.empty());
        const app::LambdaDone done = std::move(pending_.front().second);
        pending_.pop_front();
        done({end, std::move(payload), std::move(detail)});
    }

    /// An Allow of `resource`, as a function gives it.
    void allow(const std::string& resource) {
        end(authz::Invocation::End::returned,
            R"({"principalId":"user","policyDocument":{"Version":"2012-10-17","Statement":[)"
            R"({"Action":"execute-api:Invoke","Effect":"Allow","Resource":")" +
                resource + R"("}]},"context":{"tenant":"acme"}})");
    }

    int started = 0;

  private:
    std::deque<std::pair<app::LambdaCall, app::LambdaDone>> pending_;
};

}  // namespace gatehouse::test
