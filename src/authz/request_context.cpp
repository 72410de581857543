#include "gatehouse/authz/request_context.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json_text.hpp"

namespace gatehouse::authz {
namespace {

bool is_plain(std::string_view text) noexcept {
    for (const char c : text) {
        if (is_control(c) || static_cast<unsigned char>(c) >= 0x80 || c == '"' || c == '\\')
            return false;
    }
    return true;
}

/// Writes the members of one object. Written by hand, so that a request with this header allocates
/// nothing either.
class Members {
  public:
    Members(const RequestFacts& facts, std::string& out) : facts_(facts), out_(out) { out_ += '{'; }

    /// A variable of that name as text; null when it has no value.
    void text(std::string_view key, std::string_view variable) {
        name(key);
        const std::size_t start = out_.size();
        out_ += '"';
        if (!append_variable(facts_, variable, out_)) {
            out_.resize(start);
            out_ += "null";
        } else if (is_plain(std::string_view(out_).substr(start + 1))) {
            out_ += '"';
        } else {
            const std::string value = out_.substr(start + 1);
            out_.resize(start);
            append_json_string(value, out_, JsonCharset::ascii);
        }
    }

    /// A value that is JSON already.
    void raw(std::string_view key, std::string_view json) {
        name(key);
        out_ += json;
    }

    void number(std::string_view key, std::string_view variable) {
        name(key);
        if (!append_variable(facts_, variable, out_)) out_ += "null";
    }

    void end() { out_ += '}'; }

    /// Starts a member whose value the caller writes.
    void name(std::string_view key) {
        if (!first_) out_ += ',';
        first_ = false;
        out_ += '"';
        out_ += key;
        out_ += "\":";
    }

  private:
    const RequestFacts& facts_;
    std::string& out_;
    bool first_ = true;
};

// Cognito, IAM and organizations have no counterpart here: what the service leaves null is null.
void append_identity(const RequestFacts& facts, std::string& out) {
    Members members(facts, out);
    for (const std::string_view none :
         {"cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller"}) {
        members.raw(none, "null");
    }
    members.text("sourceIp", "context.identity.sourceIp");
    for (const std::string_view none : {"principalOrgId",
                                        "accessKey",
                                        "cognitoAuthenticationType",
                                        "cognitoAuthenticationProvider",
                                        "userArn"}) {
        members.raw(none, "null");
    }
    members.text("userAgent", "context.identity.userAgent");
    members.raw("user", "null");
    members.end();
}

}  // namespace

void append_request_context(const RequestFacts& facts, std::string& out) {
    Members members(facts, out);
    members.text("resourceId", "context.resourceId");
    if (facts.grant != nullptr) members.raw("authorizer", facts.grant->authorizer_json);
    members.text("resourcePath", "context.resourcePath");
    members.text("httpMethod", "context.httpMethod");
    members.text("extendedRequestId", "context.extendedRequestId");
    members.text("requestTime", "context.requestTime");
    members.text("path", "context.path");
    members.text("accountId", "context.accountId");
    members.text("protocol", "context.protocol");
    members.text("stage", "context.stage");
    members.text("domainPrefix", "context.domainPrefix");
    members.number("requestTimeEpoch", "context.requestTimeEpoch");
    members.text("requestId", "context.requestId");
    members.name("identity");
    append_identity(facts, out);
    members.text("domainName", "context.domainName");
    members.text("apiId", "context.apiId");
    members.end();
}

}  // namespace gatehouse::authz
