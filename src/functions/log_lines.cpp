#include "log_lines.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::functions {
namespace {

constexpr std::size_t kLastLines = 10;
constexpr std::size_t kLastLineBytes = 200;

void append_hex(std::string& out, char c) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    out.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
}

// Without the bytes of a UTF-8 sequence that the cut broke.
std::string_view cut_whole(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
        --most;
    return text.substr(0, most);
}

}  // namespace

std::string escape_controls(std::string_view text) {
    const bool utf8 = is_utf8(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool high = static_cast<unsigned char>(c) >= 0x80;
        // U+0080 to U+009F: C2 80 to C2 9F.
        const bool c1 = utf8 && c == '\xc2' && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (c1) {
            append_hex(out, c);
            append_hex(out, text[++i]);
        } else if ((is_control(c) && c != '\t') || (high && !utf8)) {
            append_hex(out, c);
        } else {
            out.push_back(c);
        }
    }
    return out;
}

void LogLines::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        const std::size_t room = limits::kFunctionLogLine - line_.size();
        if (part.size() > room) cut_ = true;
        line_.append(part.substr(0, room));
        if (end == std::string_view::npos) return;
        emit();
        bytes.remove_prefix(end + 1);
    }
}

void LogLines::end() {
    if (!line_.empty()) emit();
}

void LogLines::emit() {
    if (!cut_ && line_.ends_with('\r')) line_.pop_back();
    std::string_view whole = line_;
    // A cut inside a character would make the whole line look like something other than UTF-8.
    if (cut_) whole = cut_whole(whole, whole.size() - std::min<std::size_t>(whole.size(), 4));
    std::string text = escape_controls(whole);
    if (cut_) text += "…";
    line_.clear();
    cut_ = false;
    if (text.empty()) return;
    if (last_.size() == kLastLines) last_.pop_front();
    last_.emplace_back(cut_whole(text, kLastLineBytes));
    sink_(text);
}

std::string LogLines::last() const {
    std::string text;
    for (const std::string& line : last_)
        text.append(text.empty() ? "" : " | ").append(line);
    return text;
}

}  // namespace gatehouse::functions
