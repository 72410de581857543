#include "gatehouse/http/target.hpp"

#include "authority.hpp"
#include "chars.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace gatehouse::http {
namespace {

// The scheme with its "://", empty when `raw` is not absolute-form of a scheme served here.
std::string_view scheme_of(std::string_view raw) noexcept {
    for (const std::string_view scheme :
         {std::string_view("http://"), std::string_view("https://")}) {
        if (equals_ignoring_case(raw.substr(0, scheme.size()), scheme))
            return raw.substr(0, scheme.size());
    }
    return {};
}

// The byte that the triple at the start of `text` stands for, -1 when there is no "%" and two hex
// digits.
int triple_value(std::string_view text) noexcept {
    if (text.size() < 3 || text[0] != '%') return -1;
    const int high = hex_value(text[1]);
    const int low = hex_value(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

char hex_upper(char c) noexcept {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 0x20) : c;
}

// "..", also as servlet containers read it: with the path parameters of the segment taken off
// ("..;x").
bool is_dot_segment(std::string_view segment) noexcept {
    if (!segment.starts_with('.')) return false;
    const std::size_t dots = segment.starts_with("..") ? 2 : 1;
    const std::string_view rest = segment.substr(dots);
    return rest.empty() || rest.front() == ';' || rest.starts_with("%3B");
}

// "%25", any number of further "25", then what would be a separator, a dot or a path parameter once
// all is decoded.
bool has_double_encoding(std::string_view path) noexcept {
    for (std::size_t at = path.find("%25"); at != std::string_view::npos;
         at = path.find("%25", at + 3)) {
        std::string_view rest = path.substr(at + 3);
        while (rest.starts_with("25"))
            rest.remove_prefix(2);
        if (rest.size() < 2) continue;
        const int high = hex_value(rest[0]);
        const int low = hex_value(rest[1]);
        if (high < 0 || low < 0) continue;
        const int value = high * 16 + low;
        if (value == '/' || value == '\\' || value == '.' || value == ';') return true;
    }
    return false;
}

// One walk over the path. Nothing is copied until the first byte that must change; from there on
// the path grows in `out`. A "piece" is what lies between two slashes, plain or encoded: the rules
// on dots and emptiness hold for pieces, so they hold for an upstream that decodes %2F as well.
class PathWalk {
  public:
    PathWalk(std::string_view in, std::string& out) noexcept : in_(in), out_(out) {}

    Errc run(Target& target);

  private:
    Errc take_special();
    Errc take_triple();
    Errc take_utf8(unsigned char lead);
    Errc end_piece() noexcept;
    void keep(std::size_t count);
    void keep_triple();
    void start_rewriting();

    std::string_view output() const noexcept {
        return rewriting_ ? std::string_view(out_) : in_.substr(0, at_);
    }

    std::string_view in_;
    std::string& out_;
    std::size_t at_ = 1;     // in in_; its first byte is '/'
    std::size_t piece_ = 1;  // start of the piece, in the output
    bool rewriting_ = false;
    bool encoded_slash_ = false;
    bool path_parameter_ = false;
    bool encoded_percent_ = false;
};

Errc PathWalk::run(Target& target) {
    while (at_ < in_.size()) {
        std::size_t plain = 0;
        while (at_ + plain < in_.size() && is_in(in_[at_ + plain], kPath))
            ++plain;
        keep(plain);
        if (at_ == in_.size()) break;
        if (const Errc code = take_special(); code != Errc::none) return code;
    }
    // The last piece may be empty: that is "/", or a trailing slash.
    if (piece_ < output().size()) {
        if (const Errc code = end_piece(); code != Errc::none) return code;
    }
    target.path = output();
    target.trailing_slash = target.path.size() > 1 && target.path.ends_with('/');
    target.encoded_slash = encoded_slash_;
    target.path_parameter =
        path_parameter_ || (encoded_percent_ && has_double_encoding(target.path));
    return Errc::none;
}

Errc PathWalk::take_special() {
    const char c = in_[at_];
    switch (c) {
        case '/':
            if (const Errc code = end_piece(); code != Errc::none) return code;
            keep(1);
            piece_ = output().size();
            return Errc::none;
        case ';':
            path_parameter_ = true;
            keep(1);
            return Errc::none;
        case '%':
            return take_triple();
        case '\\':
            return Errc::target_backslash;
        default:
            return is_control(c) ? Errc::target_control : Errc::target_invalid;
    }
}

Errc PathWalk::take_triple() {
    const int value = triple_value(in_.substr(at_));
    if (value < 0) return Errc::target_percent;
    if (value >= 0x80) return take_utf8(static_cast<unsigned char>(value));
    const char c = static_cast<char>(value);
    if (is_control(c)) return Errc::target_control;
    if (c == '\\') return Errc::target_backslash;
    // What may stand there as it is, is one path in both spellings for whoever reads it (RFC 3986
    // 2.2 leaves that to the reader), so it must be one for routes and policies too. But for '+':
    // some read a bare one as a space.
    if (is_in(c, kPath) && c != '+') {
        start_rewriting();
        out_.push_back(c);
        at_ += 3;
        return Errc::none;
    }
    if (c == '/') {
        if (const Errc code = end_piece(); code != Errc::none) return code;
        encoded_slash_ = true;
    }
    path_parameter_ = path_parameter_ || c == ';';
    encoded_percent_ = encoded_percent_ || c == '%';
    keep_triple();
    if (c == '/') piece_ = output().size();
    return Errc::none;
}

// Non-ASCII is only ever encoded, so a character is a run of triples whose length its first byte
// tells.
Errc PathWalk::take_utf8(unsigned char lead) {
    const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char bytes[4] = {};
    for (std::size_t i = 0; i < length; ++i) {
        const std::size_t from = at_ + 3 * i;
        const int value = from < in_.size() ? triple_value(in_.substr(from)) : -1;
        if (value < 0) return Errc::target_utf8;
        bytes[i] = static_cast<char>(value);
    }
    if (!is_utf8(std::string_view(bytes, length))) return Errc::target_utf8;
    // U+0080 to U+009F are controls too.
    if (lead == 0xc2 && static_cast<unsigned char>(bytes[1]) < 0xa0) return Errc::target_control;
    for (std::size_t i = 0; i < length; ++i)
        keep_triple();
    return Errc::none;
}

Errc PathWalk::end_piece() noexcept {
    const std::string_view piece = output().substr(piece_);
    if (piece.empty()) return Errc::target_empty_segment;
    return is_dot_segment(piece) ? Errc::target_dot_segment : Errc::none;
}

void PathWalk::keep(std::size_t count) {
    if (rewriting_) out_.append(in_.substr(at_, count));
    at_ += count;
}

void PathWalk::keep_triple() {
    const char high = hex_upper(in_[at_ + 1]);
    const char low = hex_upper(in_[at_ + 2]);
    if (high != in_[at_ + 1] || low != in_[at_ + 2]) start_rewriting();
    if (!rewriting_) {
        at_ += 3;
        return;
    }
    out_.push_back('%');
    out_.push_back(high);
    out_.push_back(low);
    at_ += 3;
}

void PathWalk::start_rewriting() {
    if (rewriting_) return;
    out_.assign(in_.substr(0, at_));
    rewriting_ = true;
}

Errc check_query(std::string_view query) noexcept {
    for (const char c : query) {
        if (!is_in(c, kQuery)) return is_control(c) ? Errc::target_control : Errc::target_invalid;
    }
    return Errc::none;
}

}  // namespace

std::string_view authority_of(std::string_view raw) noexcept {
    const std::string_view scheme = scheme_of(raw);
    if (scheme.empty()) return {};
    raw.remove_prefix(scheme.size());
    return raw.substr(0, raw.find_first_of("/?#"));
}

Result<Target> parse_target(std::string_view raw, std::string& scratch) {
    scratch.clear();
    Target target;
    if (raw == "*") {
        target.path = raw;
        target.asterisk = true;
        return target;
    }
    if (!raw.starts_with('/')) {
        const std::string_view authority = authority_of(raw);
        if (!parse_authority(authority)) return fail(Errc::target_invalid);
        raw.remove_prefix(scheme_of(raw).size() + authority.size());
    }
    const std::size_t mark = raw.find('?');
    if (mark != std::string_view::npos) {
        target.has_query = true;
        target.query = raw.substr(mark + 1);
        if (const Errc code = check_query(target.query); code != Errc::none) return fail(code);
    }
    const std::string_view path = raw.substr(0, mark);
    if (path.empty()) {
        // RFC 9112 3.2.1: an absolute-form target without a path asks for "/".
        target.path = "/";
        return target;
    }
    if (!path.starts_with('/')) return fail(Errc::target_invalid);
    PathWalk walk(path, scratch);
    if (const Errc code = walk.run(target); code != Errc::none) return fail(code);
    return target;
}

}  // namespace gatehouse::http
