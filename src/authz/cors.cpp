#include "gatehouse/authz/cors.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::authz {
namespace {

std::string_view find_value(const http::RequestHead& head, std::string_view name) noexcept {
    for (const http::Field& field : head.fields) {
        if (equals_ignoring_case(field.name, name)) return field.value;
    }
    return {};
}

void append_list(std::string_view name, const std::vector<std::string>& values, std::string& out) {
    if (values.empty()) return;
    out.append(name).append(": ");
    for (const std::string& value : values) {
        if (&value != &values.front()) out += ',';
        out += value;
    }
    out += "\r\n";
}

// A serialised origin: what could stand in no header is nobody's origin.
bool is_origin(std::string_view text) noexcept {
    return !text.empty() && std::ranges::none_of(text, [](char c) {
        return is_control(c) || c == ' ' || static_cast<unsigned char>(c) >= 0x80;
    });
}

bool starts_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
    return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

}  // namespace

Cors::Cors(CorsOptions options) : origins_(std::move(options.allow_origins)) {
    any_origin_ = std::ranges::find(origins_, "*") != origins_.end();
    if (options.allow_credentials) shared_ += "access-control-allow-credentials: true\r\n";
    append_list("access-control-allow-methods", options.allow_methods, preflight_);
    append_list("access-control-allow-headers", options.allow_headers, preflight_);
    append_list("access-control-expose-headers", options.expose_headers, shared_);
    if (options.max_age)
        preflight_ += "access-control-max-age: " + std::to_string(*options.max_age) + "\r\n";
}

bool Cors::is_preflight(const http::RequestHead& head) noexcept {
    return head.method == "OPTIONS" && !find_value(head, "origin").empty() &&
           !find_value(head, "access-control-request-method").empty();
}

// Whether the service sends "vary: Origin" is not known. Where the answer depends on the origin it
// is sent, or a cache would give one origin the answer of another (Fetch standard, "CORS protocol
// and HTTP caches"). An origin that is not allowed, or none: no header at all.
bool Cors::append_origin(const http::RequestHead& head, std::string& headers) const {
    const std::string_view origin = find_value(head, "origin");
    if (any_origin_) {
        if (origin.empty()) return false;
        headers += "access-control-allow-origin: *\r\n";
        return true;
    }
    headers += "vary: Origin\r\n";
    if (!is_origin(origin)) return false;
    const bool allowed = std::ranges::any_of(origins_, [&](const std::string& known) {
        return known.ends_with("://*")
                   ? starts_ignoring_case(origin,
                                          std::string_view(known).substr(0, known.size() - 1))
                   : equals_ignoring_case(known, origin);
    });
    if (!allowed) return false;
    headers.append("access-control-allow-origin: ").append(origin).append("\r\n");
    return true;
}

void Cors::append_preflight(const http::RequestHead& head, std::string& headers) const {
    if (append_origin(head, headers)) headers.append(preflight_).append(shared_);
}

void Cors::append_answer(const http::RequestHead& head, std::string& headers) const {
    if (append_origin(head, headers)) headers.append(shared_);
}

bool Cors::is_own(std::string_view name) noexcept {
    return starts_ignoring_case(name, "access-control-");
}

}  // namespace gatehouse::authz
