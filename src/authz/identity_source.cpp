#include "gatehouse/authz/identity_source.hpp"

#include "bounded_expression.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/fields.hpp"

#include <utility>

namespace gatehouse::authz {
namespace {

constexpr std::string_view kHeaderSource = "method.request.header.";

}  // namespace

IdentitySource::IdentitySource(std::string header, std::unique_ptr<re2::RE2> expression)
    : header_(std::move(header)),
      id_(http::find_field_id(header_)),
      expression_(std::move(expression)) {}

IdentitySource::IdentitySource(IdentitySource&&) noexcept = default;
IdentitySource::~IdentitySource() = default;

Result<IdentitySource> IdentitySource::make(std::string_view source, std::string_view expression) {
    if (!source.starts_with(kHeaderSource)) {
        return fail(
            Errc::config_invalid,
            "an identity source of a TOKEN authorizer is method.request.header.NAME, not \"" +
                printable(source) + "\"");
    }
    const std::string_view header = source.substr(kHeaderSource.size());
    if (!is_token(header)) {
        return fail(Errc::config_invalid, "\"" + printable(header) + "\" is not a header name");
    }
    std::unique_ptr<re2::RE2> compiled;
    if (!expression.empty()) {
        compiled = make_expression(expression);
        if (!compiled->ok()) {
            return fail(Errc::config_invalid,
                        "identityValidationExpression is not RE2: " + compiled->error());
        }
    }
    return IdentitySource(std::string(header), std::move(compiled));
}

IdentitySource::Found IdentitySource::find(const http::RequestHead& head) const noexcept {
    const http::Field* found = nullptr;
    for (const http::Field& field : head.fields) {
        const bool same = id_ != http::FieldId::other ? field.id == id_
                                                      : equals_ignoring_case(field.name, header_);
        if (!same) continue;
        // Which of two credentials counts is a question that gateway and upstream could answer
        // differently.
        if (found != nullptr) return {{}, Errc::identity_repeated};
        found = &field;
    }
    if (found == nullptr) return {{}, Errc::identity_missing};
    if (found->value.empty()) return {{}, Errc::identity_empty};
    // The whole value, scheme included, and from end to end: the service is Java, where matches()
    // is anchored.
    if (expression_ && !matches_whole(*expression_, found->value)) {
        return {{}, Errc::identity_mismatch};
    }
    return {found->value, Errc::none};
}

}  // namespace gatehouse::authz
