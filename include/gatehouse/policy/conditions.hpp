#pragma once

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/result.hpp"
#include "gatehouse/core/time.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace gatehouse::policy {

/// What condition keys can ask about one request. An empty text is an absent key. Views live for
/// the call.
struct ConditionContext {
    WallTime now;
    std::string_view source_ip;   ///< the TCP peer, never X-Forwarded-For
    std::string_view source_arn;  ///< aws:SourceArn: the method ARN
    std::string_view referer;     ///< empty: the client sent none
    std::string_view user_agent;
    std::string_view client_cert_subject;  ///< of mutual TLS
    std::string_view client_cert_issuer;
    std::string_view client_cert_serial;
    bool secure_transport = false;
};

/// A statement's Condition block, compiled: operators ANDed, values of one key ORed.
class Conditions {
  public:
    Conditions();
    Conditions(Conditions&&) noexcept;
    Conditions& operator=(Conditions&&) noexcept;
    ~Conditions();

    /// @param block  the JSON object; {} is no condition, null is malformed
    /// Errc::condition_unsupported for an operator or a value form that is not known;
    /// Errc::policy_invalid for a wrong type.
    static Result<Conditions> make(const Json& block);

    bool empty() const noexcept;

    /// @param failed  when not null and the answer is false: the first operator and key that did
    /// not hold, with the value found
    bool hold(const ConditionContext& context, std::string* failed = nullptr) const;

    std::size_t heap_bytes() const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace gatehouse::policy
