#pragma once

#include "gatehouse/authz/event_values.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/request_head.hpp"
#include "text.hpp"

#include <algorithm>
#include <string>
#include <string_view>

// What the writers of request heads share.
namespace gatehouse::forward {

inline bool wants_content(std::string_view method) noexcept {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

inline void append_framing(bool wants_length, const http::Framing& framing, std::string& out) {
    switch (framing.kind) {
        case http::Framing::Kind::chunked:
            out += "Transfer-Encoding: chunked\r\n";
            return;
        case http::Framing::Kind::length:
            break;
        default:
            // RFC 9110 8.6: these methods say so when they have no content.
            if (!wants_length) return;
    }
    out += "Content-Length: ";
    add_number(out, framing.kind == http::Framing::Kind::length ? framing.length : 0);
    out += "\r\n";
}

/// What stands before the next part of a query: '?', '&', or nothing after a lone '?'.
class Separator {
  public:
    void write(std::string& out) const {
        if (next_ != 0) out += next_;
    }

    /// A part was written; it has content, or it is a lone '?'.
    void follow(bool content) noexcept { next_ = content ? '&' : next_ == '?' ? '\0' : next_; }

  private:
    char next_ = '?';
};

inline bool is_host_value(std::string_view host) noexcept {
    return !host.empty() && std::ranges::all_of(host, [](char c) {
        return is_unreserved(c) || c == ':' || c == '[' || c == ']';
    });
}

/// True when the map has a name that reads the same to a backend (case, `_` for `-`).
inline bool find_folded(const authz::ValueMap& map, std::string_view name) noexcept {
    return std::ranges::any_of(
        map, [&](const authz::NamedValues& entry) { return equals_folded(entry.name, name); });
}

}  // namespace gatehouse::forward
