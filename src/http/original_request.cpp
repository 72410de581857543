#include "gatehouse/http/original_request.hpp"

#include "authority.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/ip_address.hpp"
#include "gatehouse/http/framing.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::http {
namespace {

// The parts of a request that a form names.
constexpr std::size_t kMethod = 0;
constexpr std::size_t kTarget = 1;
constexpr std::size_t kHost = 2;
constexpr std::size_t kProto = 3;
constexpr std::size_t kAddress = 4;
constexpr std::size_t kParts = 5;

// Empty: said by the request line or Host.
using Names = std::array<std::string_view, kParts>;

constexpr Names kNginx = {
    "X-Original-Method", "X-Original-URI", "X-Original-Host", "X-Original-Proto", "X-Real-IP"};
constexpr Names kForwarded = {"X-Forwarded-Method",
                              "X-Forwarded-Uri",
                              "X-Forwarded-Host",
                              "X-Forwarded-Proto",
                              "X-Forwarded-For"};
constexpr Names kEnvoy = {"", "", "", "X-Forwarded-Proto", "X-Forwarded-For"};

const Names& names_of(OriginalForm form) noexcept {
    switch (form) {
        case OriginalForm::nginx:
            return kNginx;
        case OriginalForm::forwarded:
            return kForwarded;
        case OriginalForm::envoy:
            break;
    }
    return kEnvoy;
}

Error refuse(std::string_view name, std::string_view why) {
    return fail(Errc::decision_unreadable, std::string(name) + " " + std::string(why));
}

bool is_at_decision_path(const RequestHead& asked) noexcept {
    // Caddy adds the query of the original.
    return asked.target.substr(0, asked.target.find('?')) == kDecisionPath;
}

// GET is what the proxies send; POST where they pass the content on too.
bool is_question(const RequestHead& asked) noexcept {
    const bool get = asked.method == "GET" || asked.method == "HEAD" || asked.method == "POST";
    return get && is_at_decision_path(asked);
}

bool is_secure(std::string_view proto) noexcept {
    return proto == "https" || proto == "wss";
}

bool is_plain(std::string_view proto) noexcept {
    return proto == "http" || proto == "ws";
}

// The address as the sockets would spell it; nullopt: none. A zone ("fe80::1%eth0") is of no use
// to conditions.
std::optional<std::string> read_address(std::string_view text) {
    const auto address = parse_ip_address(text.substr(0, text.find('%')));
    if (!address) return std::nullopt;
    return to_string(*address);
}

std::uint16_t port_of(std::string_view host, bool secure) noexcept {
    unsigned port = 0;
    if (const auto authority = parse_authority(host)) {
        for (const char digit : authority->port)
            port = port * 10 + static_cast<unsigned>(digit - '0');
    }
    return static_cast<std::uint16_t>(port != 0 ? port : secure ? 443 : 80);
}

// One reading, in the order of its steps.
class Reading {
  public:
    Reading(const Names& names, const RequestHead& asked, OriginalRequest& into) noexcept
        : names_(names), asked_(asked), into_(into) {}

    // Sorts the fields into what names the request and what is the request's own.
    Result<void> sort();

    // What the named values say.
    Result<void> read();

  private:
    bool named(std::size_t part) const noexcept { return !names_[part].empty(); }

    const Names& names_;
    const RequestHead& asked_;
    OriginalRequest& into_;
    std::array<const Field*, kParts> found_{};
};

Result<void> Reading::sort() {
    bool has_host = false;
    for (const Field& field : asked_.fields) {
        const auto name = std::ranges::find_if(names_, [&](std::string_view known) {
            return !known.empty() && equals_ignoring_case(known, field.name);
        });
        if (name != names_.end()) {
            const Field*& found = found_[static_cast<std::size_t>(name - names_.begin())];
            // Whoever wrote the second one, nobody can say which counts.
            if (found != nullptr) return refuse(*name, "is repeated");
            found = &field;
            continue;
        }
        has_host = has_host || field.id == FieldId::host;
        into_.fields.push_back(field);
    }
    for (std::size_t part = 0; part < kParts; ++part) {
        if (names_[part].empty()) continue;
        if (found_[part] == nullptr) return refuse(names_[part], "is missing");
        if (found_[part]->value.empty()) return refuse(names_[part], "is empty");
    }
    if (!has_host && named(kHost)) into_.fields.push_back({"Host", {}, FieldId::host});
    return {};
}

Result<void> Reading::read() {
    RequestHead& head = into_.head;
    head.method = named(kMethod) ? found_[kMethod]->value : asked_.method;
    head.target = named(kTarget) ? found_[kTarget]->value : asked_.target;
    head.version = Version::http_1_1;
    if (named(kHost)) {
        // The proxy's own Host is of the way to here.
        for (Field& field : into_.fields) {
            if (field.id == FieldId::host) field.value = found_[kHost]->value;
        }
    }
    const std::string_view scheme = found_[kProto]->value;
    if (!is_secure(scheme) && !is_plain(scheme))
        return refuse(names_[kProto], "is \"" + printable(scheme) + "\", neither http nor https");
    into_.secure = is_secure(scheme);
    // Of a list the last is the proxy's word; what stands before it came with the request.
    const Field& list = *found_[kAddress];
    const std::size_t comma =
        list.id == FieldId::x_forwarded_for ? list.value.rfind(',') : std::string_view::npos;
    const std::string_view last =
        comma == std::string_view::npos ? list.value : trim(list.value.substr(comma + 1));
    auto ip = read_address(last);
    if (!ip) return refuse(names_[kAddress], "ends with \"" + printable(last) + "\", no address");
    into_.source_ip = std::move(*ip);
    if (comma != std::string_view::npos && comma > 0)
        into_.fields.push_back({list.name, trim(list.value.substr(0, comma)), list.id});
    head.fields = into_.fields;
    // Proxies name a path and a query. An absolute form would be a second word on the host.
    if (!head.target.starts_with('/')) return fail(Errc::target_invalid);
    if (const Errc code = check_request(head); code != Errc::none) return fail(code);
    into_.port = port_of(head.host, into_.secure);
    // Whatever content there is belongs to the question.
    head.framing = {};
    head.expect_continue = false;
    return {};
}

}  // namespace

Result<void> read_original_request(OriginalForm form,
                                   const RequestHead& asked,
                                   OriginalRequest& into) {
    into.head = {};
    into.fields.clear();
    into.source_ip.clear();
    into.secure = false;
    into.port = 0;
    if (form != OriginalForm::envoy && !is_question(asked)) {
        return refuse("GET " + std::string(kDecisionPath),
                      "is how this form is asked, and the request is for " +
                          printable(asked.method) + " " +
                          printable(asked.target.substr(0, asked.target.find('?'))));
    }
    // A proxy of another form, whose every request would be judged as this one.
    if (form == OriginalForm::envoy && is_at_decision_path(asked))
        return refuse(kDecisionPath, "is where the other forms are asked, and the form is envoy");
    Reading reading(names_of(form), asked, into);
    if (auto sorted = reading.sort(); !sorted) return sorted;
    return reading.read();
}

}  // namespace gatehouse::http
