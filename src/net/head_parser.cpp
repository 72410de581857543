#include "head_parser.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/framing.hpp"

#include <algorithm>

namespace gatehouse::net {
namespace {

// RFC 9112 2.3: DIGIT "." DIGIT behind "HTTP/", upper case. Of those, 1.0 and 1.1 are spoken here.
Errc parse_version(std::string_view text, http::Version& version) noexcept {
    constexpr std::string_view kName = "HTTP/";
    const auto is_digit_at = [&](std::size_t at) { return text[at] >= '0' && text[at] <= '9'; };
    if (text.size() != kName.size() + 3 || !text.starts_with(kName) || text[6] != '.' ||
        !is_digit_at(5) || !is_digit_at(7))
        return Errc::request_malformed;
    if (text[5] != '1' || text[7] > '1') return Errc::version_unsupported;
    version = text[7] == '0' ? http::Version::http_1_0 : http::Version::http_1_1;
    return Errc::none;
}

// RFC 9112 3: method SP request-target SP HTTP-version, one SP each. What may stand in method and
// target is http/framing's and http/target's question; here no byte may end either early.
Errc parse_request_line(std::string_view line, http::RequestHead& head) noexcept {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return Errc::request_malformed;
    head.method = line.substr(0, first);
    head.target = line.substr(first + 1, last - first - 1);
    const auto ends_early = [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
    };
    if (head.target.empty() || std::ranges::any_of(head.target, ends_early))
        return Errc::request_malformed;
    return parse_version(line.substr(last + 1), head.version);
}

// RFC 9112 4: HTTP-version SP 3DIGIT SP [ reason ].
bool parse_status_line(std::string_view line, http::ResponseHead& head) noexcept {
    constexpr std::size_t kCode = 9;
    if (line.size() < kCode + 4 || line[kCode - 1] != ' ' || line[kCode + 3] != ' ') return false;
    if (parse_version(line.substr(0, kCode - 1), head.version) != Errc::none) return false;
    head.status = 0;
    for (const char digit : line.substr(kCode, 3)) {
        if (digit < '0' || digit > '9') return false;
        head.status = head.status * 10 + (digit - '0');
    }
    head.reason = line.substr(kCode + 4);
    return true;
}

// A line that is not valid by itself is taken apart all the same, since http/framing says what is
// wrong with a head; one without a colon has no name, which it refuses as every name that is no
// token.
http::Field split_line(std::string_view line) noexcept {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return {line.substr(0, 0), line};
    const std::string_view name = line.substr(0, colon);
    return {name, trim(line.substr(colon + 1)), http::find_field_id(name)};
}

}  // namespace

void HeadScanner::reset() noexcept {
    bytes_ = nullptr;
    begin_ = line_begin_ = end_ = first_line_end_ = 0;
    empty_lines_ = 0;
    error_ = Errc::none;
    syntax_ = http::FieldSyntax::valid;
    fields_.clear();
}

void HeadScanner::move_to(const char* bytes) noexcept {
    for (http::Field& field : fields_) {
        field.name = {bytes + (field.name.data() - bytes_), field.name.size()};
        field.value = {bytes + (field.value.data() - bytes_), field.value.size()};
    }
    bytes_ = bytes;
}

void HeadScanner::count_field(std::size_t line_end, const Limits& limits) noexcept {
    if (fields_.size() > limits.header_count) error_ = Errc::fields_too_many;
    if (line_end - first_line_end_ > limits.header_bytes) error_ = Errc::head_too_large;
    line_begin_ = line_end;
}

// @param line_end  where its LF stands
bool HeadScanner::line(std::string_view bytes, std::size_t line_end, const Limits& limits) {
    if (line_end == line_begin_ || bytes[line_end - 1] != '\r') {
        error_ = Errc::request_malformed;  // bare LF
        return false;
    }
    const std::size_t length = line_end - 1 - line_begin_;
    const bool first = first_line_end_ == 0;
    if (length == 0 && !first) {
        end_ = line_end + 1;
        return true;
    }
    if (length == 0) {
        if (++empty_lines_ > 2) error_ = Errc::request_malformed;
        begin_ = line_begin_ = line_end + 1;
    } else if (first) {
        if (length > limits.line_bytes) error_ = Errc::target_too_long;
        first_line_end_ = line_begin_ = line_end + 1;
    } else {
        if (bytes[line_begin_] == ' ' || bytes[line_begin_] == '\t')
            error_ = Errc::field_invalid;  // obs-fold, RFC 9112 5.2
        fields_.push_back(split_line(bytes.substr(line_begin_, length)));
        syntax_ = http::FieldSyntax::unchecked;
        count_field(line_end + 1, limits);
    }
    return false;
}

bool HeadScanner::scan(std::string_view bytes, const Limits& limits) {
    if (bytes.data() != bytes_) move_to(bytes.data());
    while (error_ == Errc::none) {
        const std::string_view rest = bytes.substr(line_begin_);
        http::Field field;
        const std::size_t taken =
            first_line_end_ != 0 ? http::take_field_line(rest, field) : std::size_t{0};
        if (taken != 0) {
            fields_.push_back(field);
            count_field(line_begin_ + taken, limits);
            continue;
        }
        const std::size_t feed = rest.find('\n');
        if (feed == std::string_view::npos) break;
        if (line(bytes, line_begin_ + feed, limits)) return true;
    }
    if (error_ != Errc::none) return false;
    // A line that is not whole yet counts too: memory stays bounded while reading.
    const std::size_t open = bytes.size() - line_begin_;
    if (first_line_end_ == 0 && open > limits.line_bytes + 1) error_ = Errc::target_too_long;
    if (first_line_end_ != 0 && bytes.size() - first_line_end_ > limits.header_bytes + 2)
        error_ = Errc::head_too_large;
    return false;
}

Errc HeadScanner::read_request_head(http::RequestHead& head) const {
    head = {};
    const Errc malformed = parse_request_line(first_line(), head);
    if (malformed != Errc::none) return malformed;
    head.fields = fields_;
    return http::check_request(head, syntax_);
}

Errc HeadScanner::read_response_head(std::string_view method, http::ResponseHead& head) const {
    head = {};
    if (!parse_status_line(first_line(), head)) return Errc::upstream_malformed;
    head.fields = fields_;
    return http::check_response(head, method, syntax_);
}

}  // namespace gatehouse::net
