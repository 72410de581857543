#pragma once

#include "gatehouse/core/result.hpp"
#include "gatehouse/http/request_head.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace gatehouse::authz {

/// The identity source of a TOKEN authorizer: one header, and the optional
/// identityValidationExpression (RE2, matched against the whole value). Immutable, shared between
/// threads.
class IdentitySource {
  public:
    IdentitySource(IdentitySource&&) noexcept;
    ~IdentitySource();

    /// @param source      "method.request.header.NAME"
    /// @param expression  RE2, or empty for none
    /// Errc::config_invalid with the reason (RE2's own words for a bad expression)
    static Result<IdentitySource> make(std::string_view source, std::string_view expression);

    const std::string& header() const noexcept { return header_; }

    /// The whole header value; looked up without regard to case. No allocation.
    /// Errc: identity_missing, identity_empty, identity_repeated (a second field of that name),
    /// identity_mismatch
    struct Found {
        std::string_view value;
        Errc error = Errc::none;
    };

    Found find(const http::RequestHead& head) const noexcept;

  private:
    IdentitySource(std::string header, std::unique_ptr<re2::RE2> expression);
    std::string header_;
    http::FieldId id_ = http::FieldId::other;
    std::unique_ptr<re2::RE2> expression_;
};

}  // namespace gatehouse::authz
