#pragma once

#include "gatehouse/app/authorize.hpp"
#include "gatehouse/app/shared_state.hpp"
#include "gatehouse/authz/jwt_authorizer.hpp"
#include "gatehouse/authz/lambda_reply.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace gatehouse::app {

inline authz::AuthorizerEvent event_of(const AuthorizeCall& call) noexcept {
    return {call.token, call.method_arn, call.api->stage.stage_prefix, call.authorizer->bare_token};
}

inline authz::ReplyRules reply_rules(const CompiledAuthorizer& authorizer) noexcept {
    return {event_format(authorizer.source->payload_format), authorizer.source->simple_responses};
}

// A call that waits for keys, a function or an endpoint: owns what the call looked at, since its
// client may be gone when the result arrives.
struct Authorize::Job {
    std::shared_ptr<const Snapshot> snapshot;
    const CompiledApi* api;
    const CompiledAuthorizer* authorizer;
    std::string identity;
    std::string token;
    std::string method_arn;
    std::uint64_t generation;
    bool joined;
    SteadyTime began;
    // The second level of the cache: what it had, what a result is put under, and the answer that
    // the result was read from.
    SharedUse shared = SharedUse::none;
    std::optional<authz::FlushEpochs> epochs;
    std::string reply;
    Wake wake;  // TTL 0: nobody joins, so the one who waits stands here

    AuthorizeCall call() const { return {snapshot, api, authorizer, identity, token, method_arn}; }
};

}  // namespace gatehouse::app
