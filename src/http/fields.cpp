#include "gatehouse/http/fields.hpp"

#include "chars.hpp"
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
#include <type_traits>

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

constexpr std::size_t kLongest = 3 * sizeof(std::uint64_t);

// sizeof(Word) bytes, the first of them lowest.
template <class Word>
constexpr std::uint64_t load(const char* from) noexcept {
    if (std::is_constant_evaluated()) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < sizeof(Word); ++i)
            word |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
        return word;
    }
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

using Words = std::array<std::uint64_t, 3>;

// All of a name, some of its bytes twice: its beginning, its end and what may be between them. A
// copy of so many bytes as there are, to be read as words, would be waited for.
// @param name  2 to kLongest bytes
constexpr Words words_of(std::string_view name) noexcept {
    const char* begin = name.data();
    const char* end = begin + name.size();
    if (name.size() > 16)
        return {load<std::uint64_t>(begin),
                load<std::uint64_t>(end - 8),
                load<std::uint64_t>(begin + 8)};
    if (name.size() >= 8) return {load<std::uint64_t>(begin), load<std::uint64_t>(end - 8), 0};
    if (name.size() >= 4) return {load<std::uint32_t>(begin), load<std::uint32_t>(end - 4), 0};
    return {load<std::uint16_t>(begin), load<std::uint16_t>(end - 2), 0};
}

// A name as whole words, and where in them a letter's case does not matter.
struct alignas(64) Entry {
    Words text{};
    Words either_case{};
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

// Number of the name in each slot; the first of all stands for none.
constexpr auto kNameInSlot = [] {
    std::array<std::uint8_t, kSlots> numbers{};
    for (std::size_t i = 0; i < std::size(kNames); ++i)
        numbers[slot_of(kNames[i].text)] = static_cast<std::uint8_t>(i + 1);
    return numbers;
}();

constexpr auto kEntries = [] {
    std::array<Entry, std::size(kNames) + 1> entries{};
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
        const Name& name = kNames[i];
        char cases[kLongest] = {};
        for (std::size_t at = 0; at < name.text.size(); ++at)
            cases[at] = is_alpha(name.text[at]) ? 0x20 : 0;
        entries[i + 1] = {
            words_of(name.text), words_of({cases, name.text.size()}), name.text.size(), name.id};
    }
    return entries;
}();

static_assert(std::ranges::all_of(kNames,
                                  [](const Name& name) {
                                      return name.text.size() <= kLongest &&
                                             kEntries[kNameInSlot[slot_of(name.text)]].id ==
                                                 name.id;
                                  }),
              "two names share a slot: choose other factors");
static_assert(std::endian::native == std::endian::little, "names are laid out as words are loaded");

}  // namespace

FieldId find_field_id(std::string_view name) noexcept {
    if (name.size() < 2 || name.size() > kLongest) return FieldId::other;
    const Entry& entry = kEntries[kNameInSlot[slot_of(name)]];
    if (entry.size != name.size()) return FieldId::other;
    const Words words = words_of(name);
    const std::uint64_t differ = ((words[0] ^ entry.text[0]) & ~entry.either_case[0]) |
                                 ((words[1] ^ entry.text[1]) & ~entry.either_case[1]) |
                                 ((words[2] ^ entry.text[2]) & ~entry.either_case[2]);
    return differ == 0 ? entry.id : FieldId::other;
}

std::size_t take_field_line(std::string_view bytes, Field& field) noexcept {
    const char* begin = bytes.data();
    const char* end = begin + bytes.size();
    // Behind the empty line is content, which nobody looks for a colon in.
    if (begin == end || *begin == '\r') return 0;
    const char* at = find_colon(begin, end);
    if (at == begin || at == end) return 0;
    const std::string_view name(begin, static_cast<std::size_t>(at - begin));
    const FieldId id = find_field_id(name);
    if (id == FieldId::other && !is_all(name, kToken)) return 0;  // a known name is a token
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    ++at;
    while (at != end && is_space(*at))
        ++at;
    const char* value = at;
    at = find_no_value(at, end);
    if (end - at < 2 || at[0] != '\r' || at[1] != '\n') return 0;
    const char* value_end = at;
    while (value_end != value && is_space(value_end[-1]))
        --value_end;
    field = {name, {value, static_cast<std::size_t>(value_end - value)}, id};
    return static_cast<std::size_t>(at + 2 - begin);
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
