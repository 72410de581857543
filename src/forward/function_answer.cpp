#include "function_answer.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/java_text.hpp"
#include "gatehouse/core/limits.hpp"
#include "text.hpp"

#include <algorithm>
#include <optional>

namespace gatehouse::forward {
namespace {

using authz::EventFormat;
using Headers = std::vector<std::pair<std::string, std::string>>;

Error invalid(std::string_view path, std::string_view what) {
    return fail(Errc::function_answer_invalid, std::string(path).append(": ").append(what));
}

/// A member that is there and not null: null is taken for absent wherever it stands.
const Json* find_value(const Json& answer, std::string_view name) noexcept {
    const Json* value = find_member(answer, name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<int> parse_status(const Json& value) noexcept {
    if (const auto* text = value.get_ptr<const Json::string_t*>()) {
        if (text->size() != 3 || !std::ranges::all_of(*text, is_digit)) return std::nullopt;
        return ((*text)[0] - '0') * 100 + ((*text)[1] - '0') * 10 + ((*text)[2] - '0');
    }
    if (!value.is_number()) return std::nullopt;
    const double number = value.get<double>();
    // Python's json writes 200.0 for a float: as good as 200.
    if (!(number >= 0 && number <= 999)) return std::nullopt;
    const int status = static_cast<int>(number);
    return static_cast<double>(status) == number ? std::optional(status) : std::nullopt;
}

Result<int> read_status(const Json& answer, EventFormat format) {
    const Json* value = find_value(answer, "statusCode");
    if (value == nullptr) {
        if (format == EventFormat::rest) return 200;
        return invalid("/statusCode", "missing");
    }
    const auto status = parse_status(*value);
    // 1xx is no final answer: a client would go on waiting for one.
    if (!status || *status < 200 || *status > 599) return invalid("/statusCode", "no final status");
    return *status;
}

/// Collects header fields, each checked: a function must not be able to write lines of its own.
class HeaderReader {
  public:
    explicit HeaderReader(Headers& headers) : headers_(headers) {}

    /// A member with one value for each name. null is a header that is not sent.
    Result<void> read_single(const Json& answer, std::string_view member) {
        const Json* object = find_value(answer, member);
        if (object == nullptr) return {};
        if (!object->is_object()) return invalid(member, "not an object");
        const std::size_t multi = headers_.size();
        for (const auto& [name, value] : object->items()) {
            // The spelling of multiValueHeaders counts where both have a name.
            const auto same = std::find_if(
                headers_.begin(),
                headers_.begin() + static_cast<std::ptrdiff_t>(multi),
                [&](const auto& header) { return equals_ignoring_case(header.first, name); });
            const bool known = same != headers_.begin() + static_cast<std::ptrdiff_t>(multi);
            const std::string spelling = known ? same->first : name;
            if (auto added = add(spelling, value, member); !added) return added;
        }
        return {};
    }

    /// A member with a list of values for each name.
    Result<void> read_multiple(const Json& answer, std::string_view member) {
        const Json* object = find_value(answer, member);
        if (object == nullptr) return {};
        if (!object->is_object()) return invalid(member, "not an object");
        for (const auto& [name, values] : object->items()) {
            if (values.is_null()) continue;
            if (!values.is_array()) return invalid(member, "a value is not a list");
            for (const Json& value : values) {
                if (auto added = add(name, value, member); !added) return added;
            }
        }
        return {};
    }

    Result<void> read_cookies(const Json& answer) {
        const Json* cookies = find_value(answer, "cookies");
        if (cookies == nullptr) return {};
        if (!cookies->is_array()) return invalid("cookies", "not a list");
        for (const Json& cookie : *cookies) {
            if (!cookie.is_string()) return invalid("cookies", "a cookie is not a string");
            if (auto added = add("set-cookie", cookie, "cookies"); !added) return added;
        }
        return {};
    }

  private:
    Result<void> add(const std::string& name, const Json& value, std::string_view member) {
        if (value.is_null()) return {};
        if (value.is_structured()) return invalid(member, "a value is an object or a list");
        if (!is_token(name)) return invalid(member, "a name is no header name");
        std::string text;
        append_java_text(value, text);
        if (has_control(text)) return invalid(member, "a value holds a control character");
        bytes_ += name.size() + text.size() + 4;
        if (bytes_ > limits::kUpstreamHeadBytes) return invalid(member, "too large");
        headers_.emplace_back(name, std::move(text));
        return {};
    }

    Headers& headers_;
    std::size_t bytes_ = 0;
};

Result<void> read_headers(const Json& answer, EventFormat format, Headers& headers) {
    HeaderReader reader(headers);
    if (format != EventFormat::http_2_0) {
        if (auto read = reader.read_multiple(answer, "multiValueHeaders"); !read) return read;
    }
    if (auto read = reader.read_single(answer, "headers"); !read) return read;
    return format == EventFormat::http_2_0 ? reader.read_cookies(answer) : Result<void>{};
}

// Recorded for REST APIs alone: a member that the service does not know. Of HTTP APIs nothing of
// the kind is known.
Result<void> check_members(const Json& answer, EventFormat format) {
    constexpr std::string_view kKnown[] = {
        "statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"};
    if (format != EventFormat::rest) return {};
    for (const auto& [name, value] : answer.items()) {
        if (std::ranges::find(kKnown, name) == std::end(kKnown))
            return invalid("", "unknown member \"" + printable(name, 40) + "\"");
    }
    return {};
}

}  // namespace

Result<FunctionAnswer> parse_function_answer(const Json& answer, EventFormat format) {
    if (!answer.is_object()) return invalid("", "not an object");
    if (auto checked = check_members(answer, format); !checked) return std::move(checked).error();
    FunctionAnswer read;
    const auto status = read_status(answer, format);
    if (!status) return status.error();
    read.status = *status;
    if (auto headers = read_headers(answer, format, read.headers); !headers)
        return std::move(headers).error();
    if (const Json* body = find_value(answer, "body")) {
        if (!body->is_string()) return invalid("/body", "not a string");
        read.body = body->get_ref<const std::string&>();
    }
    if (const Json* base64 = find_value(answer, "isBase64Encoded")) {
        if (!base64->is_boolean()) return invalid("/isBase64Encoded", "not a boolean");
        read.base64 = base64->get<bool>();
    }
    return read;
}

}  // namespace gatehouse::forward
