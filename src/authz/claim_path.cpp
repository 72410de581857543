#include "claim_path.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>

namespace gatehouse::authz {
namespace {

// RFC 6901, 3: "~1" is '/', "~0" is '~', any other '~' is an error.
std::optional<std::string> unescape(std::string_view token) {
    std::string step;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] != '~') {
            step += token[i];
            continue;
        }
        ++i;
        if (i == token.size() || (token[i] != '0' && token[i] != '1')) return std::nullopt;
        step += token[i] == '0' ? '~' : '/';
    }
    return step;
}

// RFC 6901, 4: digits without a leading zero; "-" names the element after the last, which is never
// there.
const Json* find_element(const Json& array, std::string_view step) noexcept {
    if (step.empty() || (step.size() > 1 && step.front() == '0')) return nullptr;
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
    if (error != std::errc{} || end != step.data() + step.size()) return nullptr;
    return index < array.size() ? &array[index] : nullptr;
}

template <class Number>
void append_number(Number value, std::string& out) {
    char text[32];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value);
    out.append(text, error == std::errc{} ? end : text);
}

void append_double(double value, std::string& out) {
    // Below 2^53 every whole double is exact, and nobody expects 100000.0 to become "1e+05".
    constexpr double kExact = 9007199254740992.0;
    if (std::trunc(value) == value && std::abs(value) < kExact) {
        append_number(static_cast<std::int64_t>(value), out);
    } else {
        append_number(value, out);
    }
}

}  // namespace

Result<ClaimPath> ClaimPath::make(std::string_view text) {
    if (text.empty()) return fail(Errc::config_invalid, "a claim name is empty");
    ClaimPath path;
    if (text.front() != '/') {
        path.steps_.emplace_back(text);
        return path;
    }
    while (!text.empty()) {
        text.remove_prefix(1);
        const std::size_t end = std::min(text.find('/'), text.size());
        auto step = unescape(text.substr(0, end));
        if (!step) {
            return fail(Errc::config_invalid,
                        "in a JSON Pointer '~' is written ~0 and '/' is written ~1");
        }
        path.steps_.push_back(std::move(*step));
        text.remove_prefix(end);
    }
    return path;
}

const Json* ClaimPath::find(const Json& claims) const noexcept {
    const Json* at = &claims;
    for (const std::string& step : steps_) {
        at = at->is_array() ? find_element(*at, step) : find_member(*at, step);
        if (at == nullptr) return nullptr;
    }
    return at->is_null() ? nullptr : at;
}

std::string_view ClaimPath::top_level_name() const noexcept {
    return steps_.size() == 1 ? std::string_view(steps_.front()) : std::string_view();
}

bool append_scalar(const Json& value, std::string& out) {
    switch (value.type()) {
        case Json::value_t::string:
            out += value.get_ref<const std::string&>();
            return true;
        case Json::value_t::boolean:
            out += value.get<bool>() ? "true" : "false";
            return true;
        case Json::value_t::number_integer:
            append_number(value.get<std::int64_t>(), out);
            return true;
        case Json::value_t::number_unsigned:
            append_number(value.get<std::uint64_t>(), out);
            return true;
        case Json::value_t::number_float:
            append_double(value.get<double>(), out);
            return true;
        default:
            return false;
    }
}

}  // namespace gatehouse::authz
