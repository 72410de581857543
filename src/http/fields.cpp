#include "gatehouse/http/fields.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/request_head.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

namespace gatehouse::http {
namespace {

struct Name {
    std::string_view text;  // lower case
    FieldId id;
};

// Sorted by length, so that a look-up compares only names of the right one.
constexpr Name kNames[] = {
    {"te", FieldId::te},
    {"age", FieldId::age},
    {"via", FieldId::via},
    {"date", FieldId::date},
    {"host", FieldId::host},
    {"accept", FieldId::accept},
    {"cookie", FieldId::cookie},
    {"expect", FieldId::expect},
    {"origin", FieldId::origin},
    {"server", FieldId::server},
    {"referer", FieldId::referer},
    {"trailer", FieldId::trailer},
    {"upgrade", FieldId::upgrade},
    {"connection", FieldId::connection},
    {"keep-alive", FieldId::keep_alive},
    {"user-agent", FieldId::user_agent},
    {"content-md5", FieldId::content_md5},
    {"content-type", FieldId::content_type},
    {"max-forwards", FieldId::max_forwards},
    {"authorization", FieldId::authorization},
    {"content-length", FieldId::content_length},
    {"http2-settings", FieldId::http2_settings},
    {"x-amz-apigw-id", FieldId::x_amz_apigw_id},
    {"x-amzn-trace-id", FieldId::x_amzn_trace_id},
    {"x-forwarded-for", FieldId::x_forwarded_for},
    {"content-encoding", FieldId::content_encoding},
    {"proxy-connection", FieldId::proxy_connection},
    {"www-authenticate", FieldId::www_authenticate},
    {"x-amzn-errortype", FieldId::x_amzn_errortype},
    {"x-amzn-requestid", FieldId::x_amzn_requestid},
    {"x-forwarded-host", FieldId::x_forwarded_host},
    {"x-forwarded-port", FieldId::x_forwarded_port},
    {"transfer-encoding", FieldId::transfer_encoding},
    {"x-forwarded-proto", FieldId::x_forwarded_proto},
    {"proxy-authenticate", FieldId::proxy_authenticate},
    {"proxy-authorization", FieldId::proxy_authorization},
    {"x-amzn-request-context", FieldId::x_amzn_request_context},
    {"x-http-method-override", FieldId::x_http_method_override},
    {"x-amzn-apigateway-api-id", FieldId::x_amzn_apigateway_api_id},
};

constexpr std::size_t kLongest = std::rbegin(kNames)->text.size();

static_assert(std::size(kNames) == static_cast<std::size_t>(FieldId::x_http_method_override),
              "every FieldId but other has its name");
static_assert(std::is_sorted(std::begin(kNames),
                             std::end(kNames),
                             [](const Name& a, const Name& b) {
                                 return a.text.size() < b.text.size();
                             }));

// kFirst[n] is the index of the first name of n bytes or more.
constexpr auto kFirst = [] {
    std::array<std::uint8_t, kLongest + 2> first{};
    for (std::size_t size = 0; size < first.size(); ++size) {
        std::uint8_t i = 0;
        while (i < std::size(kNames) && kNames[i].text.size() < size)
            ++i;
        first[size] = i;
    }
    return first;
}();

}  // namespace

FieldId find_field_id(std::string_view name) noexcept {
    if (name.empty() || name.size() > kLongest) return FieldId::other;
    // Names of one length differ most at their end, so that is looked at first.
    const char last = ascii_lower(name.back());
    for (std::size_t i = kFirst[name.size()]; i < kFirst[name.size() + 1]; ++i) {
        if (kNames[i].text.back() == last && equals_ignoring_case(kNames[i].text, name)) {
            return kNames[i].id;
        }
    }
    return FieldId::other;
}

const Field* find_field(std::span<const Field> fields, std::string_view name) noexcept {
    for (const Field& field : fields) {
        if (equals_ignoring_case(field.name, name)) return &field;
    }
    return nullptr;
}

const Field* find_field(std::span<const Field> fields, FieldId id) noexcept {
    for (const Field& field : fields) {
        if (field.id == id) return &field;
    }
    return nullptr;
}

bool list_has_token(std::string_view value, std::string_view token) noexcept {
    while (true) {
        const std::size_t comma = value.find(',');
        if (equals_ignoring_case(trim(value.substr(0, comma)), token)) return true;
        if (comma == std::string_view::npos) return false;
        value.remove_prefix(comma + 1);
    }
}

}  // namespace gatehouse::http
