#include "gatehouse/http/hop_by_hop.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/request_head.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace gatehouse::http {
namespace {

struct Row {
    FieldId id;
    Fate service;
    Fate plain;
};

struct Fates {
    Fate service = Fate::pass;
    Fate plain = Fate::pass;
};

constexpr std::size_t kFieldIds = static_cast<std::size_t>(FieldId::x_http_method_override) + 1;

template <std::size_t N>
constexpr std::array<Fates, kFieldIds> make_fates(const Row (&rows)[N]) noexcept {
    std::array<Fates, kFieldIds> fates{};
    for (const Row& row : rows)
        fates[static_cast<std::size_t>(row.id)] = Fates{row.service, row.plain};
    return fates;
}

// What a row does not name passes: API Gateway's list of headers ("API Gateway important notes for
// REST APIs", the table of header handling, column HTTP_PROXY) passes Age, Cookie, Date, Referer,
// Content-Type, X-… and all unknown ones.
//
// RFC 7.6.1: RFC 9110 7.6.1, connection-specific. The service passes some of them on; a gateway
// that frames anew must not.
constexpr Row kRequestRows[] = {
    {FieldId::connection, Fate::drop, Fate::drop},        // RFC 7.6.1; the service passes it
    {FieldId::keep_alive, Fate::drop, Fate::drop},        // RFC 7.6.1
    {FieldId::proxy_connection, Fate::drop, Fate::drop},  // RFC 7.6.1
    {FieldId::te, Fate::drop, Fate::drop},                // RFC 7.6.1; service: dropped
    {FieldId::trailer, Fate::drop, Fate::drop},  // trailers are thrown away; service: dropped
    {FieldId::upgrade, Fate::drop, Fate::drop},  // RFC 7.6.1; service: dropped
    {FieldId::http2_settings, Fate::drop, Fate::drop},  // RFC 9113, of an upgrade that is not made
    {FieldId::proxy_authorization, Fate::drop, Fate::drop},  // RFC 9110 11.7.2, meant for this hop
    {FieldId::expect, Fate::drop, Fate::drop},               // answered here; service: dropped
    {FieldId::content_encoding, Fate::drop, Fate::pass},     // service: dropped
    {FieldId::content_md5, Fate::drop, Fate::pass},          // service: dropped
    {FieldId::max_forwards, Fate::drop, Fate::pass},         // service: dropped
    {FieldId::proxy_authenticate, Fate::drop, Fate::pass},   // service: dropped
    {FieldId::server, Fate::drop, Fate::pass},               // service: dropped
    {FieldId::via, Fate::drop, Fate::pass},                  // service: dropped
    {FieldId::www_authenticate, Fate::drop, Fate::pass},     // service: dropped
    {FieldId::host, Fate::overwrite, Fate::overwrite},       // service: the backend's host
    {FieldId::content_length, Fate::overwrite, Fate::overwrite},  // RFC 9112 6; service: generated
    {FieldId::transfer_encoding,
     Fate::overwrite,
     Fate::overwrite},  // RFC 9112 6.1; service: dropped
    // Added by the service, so the client's own never arrive under these names. X-Forwarded-For
    // keeps the client's list as the beginning of ours.
    {FieldId::x_amzn_apigateway_api_id, Fate::overwrite, Fate::overwrite},
    {FieldId::x_amzn_trace_id, Fate::overwrite, Fate::overwrite},
    {FieldId::x_forwarded_for, Fate::overwrite, Fate::overwrite},
    {FieldId::x_forwarded_port, Fate::overwrite, Fate::overwrite},
    {FieldId::x_forwarded_proto, Fate::overwrite, Fate::overwrite},
    // Ours alone: an application reads its caller's identity from it.
    {FieldId::x_amzn_request_context, Fate::overwrite, Fate::overwrite},
};

// The same notes, table of response headers, column HTTP_PROXY.
constexpr Row kResponseRows[] = {
    {FieldId::connection, Fate::remap, Fate::drop},           // service: remapped; RFC 7.6.1
    {FieldId::content_length, Fate::remap, Fate::overwrite},  // service: remapped; RFC 9112 6
    {FieldId::date, Fate::remap, Fate::pass},    // service: remapped, a fresh one is written
    {FieldId::server, Fate::remap, Fate::pass},  // service: remapped
    {FieldId::www_authenticate, Fate::remap, Fate::pass},  // service: remapped
    {FieldId::authorization, Fate::remap, Fate::pass},     // service: remapped
    {FieldId::content_md5, Fate::remap, Fate::pass},       // service: remapped
    {FieldId::max_forwards, Fate::remap, Fate::pass},      // service: remapped
    {FieldId::user_agent, Fate::remap, Fate::pass},        // service: remapped
    {FieldId::x_amzn_requestid,
     Fate::remap,
     Fate::overwrite},  // service: remapped, ours is written
    {FieldId::x_amz_apigw_id, Fate::overwrite, Fate::overwrite},  // service: its own is written
    {FieldId::transfer_encoding, Fate::drop, Fate::overwrite},    // service: dropped; RFC 9112 6.1
    {FieldId::via, Fate::drop, Fate::pass},                       // service: dropped
    {FieldId::host, Fate::drop, Fate::pass},                      // service: dropped
    {FieldId::expect, Fate::drop, Fate::pass},                    // service: dropped
    {FieldId::proxy_authenticate,
     Fate::drop,
     Fate::drop},                           // service: dropped; RFC 9110 11.7.1, meant for this hop
    {FieldId::te, Fate::drop, Fate::drop},  // service: dropped; RFC 7.6.1
    {FieldId::trailer, Fate::drop, Fate::drop},     // service: dropped; trailers are thrown away
    {FieldId::upgrade, Fate::drop, Fate::drop},     // service: dropped; RFC 7.6.1
    {FieldId::keep_alive, Fate::drop, Fate::drop},  // RFC 7.6.1
    {FieldId::proxy_connection, Fate::drop, Fate::drop},  // RFC 7.6.1
    {FieldId::http2_settings, Fate::drop, Fate::drop},  // RFC 9113, of an upgrade that is not made
};

constexpr std::array<Fates, kFieldIds> kRequestFates = make_fates(kRequestRows);
constexpr std::array<Fates, kFieldIds> kResponseFates = make_fates(kResponseRows);

Fate fate(const std::array<Fates, kFieldIds>& fates, FieldId id, bool plain) noexcept {
    const Fates& row = fates[static_cast<std::size_t>(id)];
    return plain ? row.plain : row.service;
}

}  // namespace

Fate request_fate(FieldId id, bool plain) noexcept {
    return fate(kRequestFates, id, plain);
}

Fate response_fate(FieldId id, bool plain) noexcept {
    return fate(kResponseFates, id, plain);
}

NamedByConnection::NamedByConnection(std::span<const Field> fields) noexcept : fields_(fields) {
    for (const Field& field : fields) {
        any_ = any_ || (field.id == FieldId::connection &&
                        !equals_ignoring_case(field.value, "keep-alive") &&
                        !equals_ignoring_case(field.value, "close"));
    }
}

bool NamedByConnection::has(std::string_view name) const noexcept {
    return any_ && std::ranges::any_of(fields_, [&](const Field& field) {
               return field.id == FieldId::connection && list_has_token(field.value, name);
           });
}

}  // namespace gatehouse::http
