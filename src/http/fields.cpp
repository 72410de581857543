#include "gatehouse/http/fields.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/request_head.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <string_view>

namespace gatehouse::http {
namespace {

struct Name {
    std::string_view text;  // lower case
    FieldId id;
};

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

static_assert(std::size(kNames) == static_cast<std::size_t>(FieldId::x_http_method_override),
              "every FieldId but other has its name");

constexpr std::size_t kWords = 3;
constexpr std::size_t kLongest = kWords * sizeof(std::uint64_t);

// A name as whole words, and where in them a letter's case does not matter.
struct Entry {
    std::array<std::uint64_t, kWords> text{};
    std::array<std::uint64_t, kWords> either_case{};
    std::size_t size = 0;
    FieldId id = FieldId::other;
};

// Length, first and last two characters tell all known names apart, by these numbers.
constexpr std::size_t kSlots = 256;
constexpr unsigned kFactors[] = {2, 19, 1};

// @param name  two bytes or more
constexpr std::size_t slot_of(std::string_view name) noexcept {
    const auto at = [name](std::size_t i) {
        return static_cast<unsigned>(static_cast<unsigned char>(name[i])) | 0x20;
    };
    return (name.size() + at(0) * kFactors[0] + at(name.size() - 2) * kFactors[1] +
            at(name.size() - 1) * kFactors[2]) %
           kSlots;
}

constexpr auto kEntries = [] {
    std::array<Entry, kSlots> entries{};
    for (const Name& name : kNames) {
        Entry& entry = entries[slot_of(name.text)];
        entry.size = name.text.size();
        entry.id = name.id;
        for (std::size_t i = 0; i < name.text.size(); ++i) {
            const std::size_t shift = 8 * (i % sizeof(std::uint64_t));
            const auto byte = static_cast<std::uint64_t>(static_cast<unsigned char>(name.text[i]));
            entry.text[i / sizeof(std::uint64_t)] |= byte << shift;
            if (is_alpha(name.text[i]))
                entry.either_case[i / sizeof(std::uint64_t)] |= std::uint64_t{0x20} << shift;
        }
    }
    return entries;
}();

static_assert(std::ranges::all_of(kNames,
                                  [](const Name& name) {
                                      return name.text.size() <= kLongest &&
                                             kEntries[slot_of(name.text)].id == name.id;
                                  }),
              "two names share a slot: choose other factors");
static_assert(std::endian::native == std::endian::little, "names are laid out as words are loaded");

}  // namespace

FieldId find_field_id(std::string_view name) noexcept {
    if (name.size() < 2 || name.size() > kLongest) return FieldId::other;
    const Entry& entry = kEntries[slot_of(name)];
    if (entry.size != name.size()) return FieldId::other;
    std::array<std::uint64_t, kWords> words{};
    std::memcpy(words.data(), name.data(), name.size());
    std::uint64_t differ = 0;
    for (std::size_t i = 0; i < kWords; ++i)
        differ |= (words[i] ^ entry.text[i]) & ~entry.either_case[i];
    return differ == 0 ? entry.id : FieldId::other;
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
