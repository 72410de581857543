#include "gatehouse/http/framing.hpp"

#include "authority.hpp"
#include "chars.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/request_head.hpp"
#include "gatehouse/http/target.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace gatehouse::http {
namespace {

// What one pass over the fields finds.
struct Survey {
    std::string_view host;
    std::string_view length;
    std::string_view coding;
    int hosts = 0;
    int lengths = 0;
    int codings = 0;
    bool valid = true;
    bool lengths_differ = false;
    bool close = false;
    bool keep_alive = false;
    bool expects_continue = false;
    bool expects_other = false;
};

// Upstreams with CGI-style names read `_` as `-`: such a spelling of a framing field is a second
// opinion on where the message ends, and has no honest use.
bool is_framing_in_disguise(const Field& field) noexcept {
    return field.id == FieldId::other && (equals_folded(field.name, "content-length") ||
                                          equals_folded(field.name, "transfer-encoding"));
}

bool has_valid_syntax(const Field& field) noexcept {
    const bool named = field.id != FieldId::other ||  // a known name is a token
                       (!field.name.empty() && is_all(field.name, kToken));
    return named && is_field_value(field.value);
}

void note(Survey& survey, const Field& field) noexcept {
    switch (field.id) {
        case FieldId::host:
            survey.host = field.value;
            ++survey.hosts;
            break;
        case FieldId::content_length:
            survey.lengths_differ = survey.lengths > 0 && survey.length != field.value;
            survey.length = field.value;
            ++survey.lengths;
            break;
        case FieldId::transfer_encoding:
            survey.coding = field.value;
            ++survey.codings;
            break;
        case FieldId::connection:
            survey.close = survey.close || list_has_token(field.value, "close");
            survey.keep_alive = survey.keep_alive || list_has_token(field.value, "keep-alive");
            break;
        case FieldId::expect:
            if (equals_ignoring_case(field.value, "100-continue")) {
                survey.expects_continue = true;
            } else {
                survey.expects_other = true;
            }
            break;
        default:
            break;
    }
}

Survey survey_fields(std::span<const Field> fields, FieldSyntax syntax) noexcept {
    Survey survey;
    for (const Field& field : fields) {
        if ((syntax != FieldSyntax::valid && !has_valid_syntax(field)) ||
            is_framing_in_disguise(field)) {
            survey.valid = false;
            return survey;
        }
        note(survey, field);
        if (survey.lengths_differ) return survey;
    }
    return survey;
}

// RFC 9110 8.6: 1*DIGIT, and nothing of what strtoul would take besides.
std::optional<std::uint64_t> parse_length(std::string_view digits) noexcept {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    if (digits.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (kMost - digit) / 10) return std::nullopt;
        value = value * 10 + digit;
    }
    return value;
}

// RFC 9112 9.3.
bool keeps_alive(Version version, const Survey& survey) noexcept {
    if (survey.close) return false;
    return version == Version::http_1_1 || survey.keep_alive;
}

bool is_http_target(std::string_view target) noexcept {
    return target.starts_with('/') || !authority_of(target).empty();
}

Errc check_request_line(const RequestHead& head) noexcept {
    if (head.method.empty() || !is_all(head.method, kToken)) return Errc::request_malformed;
    if (head.method.size() > limits::kMethodBytes || head.method == "CONNECT") {
        return Errc::method_unsupported;
    }
    if (head.target == "*") return head.method == "OPTIONS" ? Errc::none : Errc::target_invalid;
    return is_http_target(head.target) ? Errc::none : Errc::target_invalid;
}

// RFC 9112 3.2: exactly one on HTTP/1.1, and valid. An empty one says that the target has no
// authority, which an http target always has; so it is refused where Host is required, and counts
// as absent in HTTP/1.0.
Errc check_host(RequestHead& head, const Survey& survey) noexcept {
    if (survey.hosts > 1) return Errc::host_repeated;
    if (survey.hosts == 0 && head.version == Version::http_1_1) return Errc::host_missing;
    std::optional<Authority> named;
    if (!survey.host.empty() || head.version == Version::http_1_1) {
        named = parse_authority(survey.host);
        if (!named) return Errc::host_invalid;
    }
    head.host = survey.host;
    const std::string_view authority = authority_of(head.target);
    if (authority.empty()) return Errc::none;
    // RFC 9112 3.2.2 lets the target win. Refusing a disagreement is stricter: what chose the API
    // here could otherwise differ from what another server on the way saw.
    const std::optional<Authority> aimed = parse_authority(authority);
    if (!aimed) return Errc::host_invalid;
    const std::uint32_t default_port = ascii_lower(head.target[4]) == 's' ? 443 : 80;
    if (named && !is_same_authority(*named, *aimed, default_port)) return Errc::host_invalid;
    if (!named) head.host = authority;
    return Errc::none;
}

// RFC 9112 6.1 and 6.3, each doubt refused: several Content-Length fields or values also when they
// are equal, and every Transfer-Encoding but a single "chunked" in HTTP/1.1.
Errc frame_request(RequestHead& head, const Survey& survey) noexcept {
    head.framing = Framing{};
    if (survey.codings > 0 && survey.lengths > 0) return Errc::framing_conflict;
    if (survey.codings > 0) {
        if (head.version == Version::http_1_0 || survey.codings > 1 ||
            !equals_ignoring_case(survey.coding, "chunked")) {
            return Errc::transfer_encoding_invalid;
        }
        head.framing.kind = Framing::Kind::chunked;
    } else if (survey.lengths > 0) {
        const std::optional<std::uint64_t> length = parse_length(survey.length);
        if (survey.lengths > 1 || !length) return Errc::content_length_invalid;
        head.framing = Framing{Framing::Kind::length, *length};
    }
    return Errc::none;
}

bool has_content(const Framing& framing) noexcept {
    return framing.kind == Framing::Kind::chunked || framing.length > 0;
}

// RFC 9110 10.1.1; an HTTP/1.0 sender cannot mean it.
Errc check_expectation(RequestHead& head, const Survey& survey) noexcept {
    head.expect_continue = false;
    if (head.version == Version::http_1_0) return Errc::none;
    if (survey.expects_other) return Errc::expectation_failed;
    head.expect_continue = survey.expects_continue && has_content(head.framing);
    return Errc::none;
}

bool is_without_content(int status, std::string_view method) noexcept {
    return status < 200 || status == 204 || status == 304 || method == "HEAD";
}

}  // namespace

Errc check_request(RequestHead& head, FieldSyntax syntax) noexcept {
    if (const Errc code = check_request_line(head); code != Errc::none) return code;
    const Survey survey = survey_fields(head.fields, syntax);
    if (!survey.valid) return Errc::field_invalid;
    if (survey.lengths_differ) return Errc::content_length_invalid;
    if (const Errc code = check_host(head, survey); code != Errc::none) return code;
    if (const Errc code = frame_request(head, survey); code != Errc::none) return code;
    head.keep_alive = keeps_alive(head.version, survey);
    return check_expectation(head, survey);
}

Errc check_response(ResponseHead& head, std::string_view method, FieldSyntax syntax) noexcept {
    if (head.status < 100 || head.status > 599 || head.status == 101)
        return Errc::upstream_malformed;
    if (!is_field_value(head.reason)) return Errc::upstream_malformed;
    const Survey survey = survey_fields(head.fields, syntax);
    if (!survey.valid || survey.lengths_differ) return Errc::upstream_malformed;
    if (survey.codings > 0 &&
        (head.version == Version::http_1_0 || survey.codings > 1 || survey.lengths > 0 ||
         !equals_ignoring_case(survey.coding, "chunked"))) {
        return Errc::upstream_malformed;
    }
    // Equal Content-Length fields are one value said twice; only here, where no second parser reads
    // them after us.
    const std::optional<std::uint64_t> length = parse_length(survey.length);
    if (survey.lengths > 0 && !length) return Errc::upstream_malformed;

    head.keep_alive = keeps_alive(head.version, survey);
    head.framing = Framing{};
    if (is_without_content(head.status, method)) {
        // RFC 9112 6.1, RFC 9110 8.6: neither field may stand in a 1xx or 204. Servers that send
        // one there may also send the content, so nothing more is read from that connection.
        const bool claims_content = survey.codings > 0 || (length && *length > 0);
        if (claims_content && head.status < 200) return Errc::upstream_malformed;
        if (claims_content && head.status == 204) head.keep_alive = false;
        // HEAD and 304 tell how long the content would have been (RFC 9110 8.6).
        if (head.status >= 200 && head.status != 204 && length) head.framing.length = *length;
    } else if (survey.codings > 0) {
        head.framing.kind = Framing::Kind::chunked;
    } else if (length) {
        head.framing = Framing{Framing::Kind::length, *length};
    } else {
        head.framing.kind = Framing::Kind::until_close;
        head.keep_alive = false;
    }
    return Errc::none;
}

int status_of_read_error(Errc code) noexcept {
    switch (code) {
        case Errc::request_malformed:
        case Errc::target_invalid:
        case Errc::target_percent:
        case Errc::target_control:
        case Errc::target_utf8:
        case Errc::target_dot_segment:
        case Errc::target_empty_segment:
        case Errc::target_backslash:
        case Errc::target_encoded_slash:
        case Errc::target_path_parameter:
        case Errc::host_missing:
        case Errc::host_repeated:
        case Errc::host_invalid:
        case Errc::field_invalid:
        case Errc::content_length_invalid:
        // RFC 9112 6.1 would have 501 for a coding that is merely unknown. It cannot be told from
        // one that is malformed on purpose, and 400 is right for that.
        case Errc::transfer_encoding_invalid:
        case Errc::framing_conflict:
        case Errc::chunk_invalid:
        case Errc::chunk_overhead:
        case Errc::context_forged:
            return 400;
        case Errc::head_timeout:
        case Errc::body_timeout:
            return 408;
        case Errc::body_too_large:
            return 413;
        case Errc::target_too_long:
            return 414;
        case Errc::expectation_failed:
            return 417;
        case Errc::head_too_large:
        case Errc::fields_too_many:
            return 431;
        case Errc::method_unsupported:
            return 501;
        case Errc::version_unsupported:
            return 505;
        default:
            return 0;
    }
}

}  // namespace gatehouse::http
