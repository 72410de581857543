#include "gatehouse/core/json.hpp"

#include <boost/json/basic_parser_impl.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace gatehouse {
namespace {

// Builds the value while it watches what bare parsers let pass: depth, duplicate members, numbers
// beyond a double.
class StrictBuilder {
  public:
    StrictBuilder(Json& root, int max_depth) : root_(root), max_depth_(max_depth) {
        open_.reserve(static_cast<std::size_t>(std::min(max_depth, kUsualDepth)));
    }

    bool put(Json value) {
        place(std::move(value));
        return true;
    }

    bool open(Json&& container) {
        if (static_cast<int>(open_.size()) >= max_depth_) {
            return refuse(Errc::json_too_deep,
                          "more than " + std::to_string(max_depth_) + " levels");
        }
        open_.push_back(place(std::move(container)));
        return true;
    }

    bool close() {
        open_.pop_back();
        return true;
    }

    bool name(std::string text) {
        auto& members = open_.back()->get_ref<Json::object_t&>();
        const auto [member, added] = members.try_emplace(std::move(text));
        if (!added) return refuse(Errc::json_duplicate_key, "member \"" + member->first + "\"");
        member_ = &member->second;
        return true;
    }

    bool refuse(Errc reason, std::string detail) {
        if (!error_.code) error_ = fail(reason, std::move(detail));
        return false;
    }

    const Error& error() const noexcept { return error_; }

  private:
    static constexpr int kUsualDepth = 8;

    Json* place(Json&& value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        if (open_.back()->is_array()) {
            auto& elements = open_.back()->get_ref<Json::array_t&>();
            return &elements.emplace_back(std::move(value));
        }
        *member_ = std::move(value);
        return member_;
    }

    Json& root_;
    int max_depth_;
    std::vector<Json*>
        open_;  // a parent is not touched while a child is open, so its children do not move
    Json* member_ = nullptr;
    Error error_;
};

// What boost::json::basic_parser calls.
class BoostHandler : public StrictBuilder {
  public:
    using StrictBuilder::StrictBuilder;

    // NOLINTBEGIN(readability-identifier-naming): these are Boost's names.
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
    // NOLINTEND(readability-identifier-naming)

    using Code = boost::json::error_code;
    using Text = boost::json::string_view;

    bool on_document_begin(Code&) { return true; }

    bool on_document_end(Code&) { return true; }

    bool on_null(Code&) { return put(nullptr); }

    bool on_bool(bool value, Code&) { return put(value); }

    bool on_number_part(Text, Code&) { return true; }

    // Signed is what has a sign, as in nlohmann's own parser: -0 too.
    bool on_int64(std::int64_t value, Text digits, Code&) {
        return digits.starts_with('-') ? put(value) : put(static_cast<std::uint64_t>(value));
    }

    bool on_uint64(std::uint64_t value, Text, Code&) { return put(value); }

    bool on_double(double rough, Text digits, Code& code) {
        double value = 0;
        const auto read = std::from_chars(digits.begin(), digits.end(), value);
        // Too small is zero, too large is no number.
        if (read.ec == std::errc::result_out_of_range && std::abs(rough) < 1)
            value = std::copysign(0.0, rough);
        else if (read.ec != std::errc() || !std::isfinite(value))
            return checked(refuse(Errc::json_syntax, "number out of range"), code);
        return put(value);
    }

    bool on_string_part(Text part, std::size_t, Code&) { return collect(part); }

    bool on_string(Text rest, std::size_t, Code&) { return put(finish(rest)); }

    bool on_object_begin(Code& code) { return checked(open(Json::object()), code); }

    bool on_key_part(Text part, std::size_t, Code&) { return collect(part); }

    bool on_key(Text rest, std::size_t, Code& code) { return checked(name(finish(rest)), code); }

    bool on_object_end(std::size_t, Code&) { return close(); }

    bool on_array_begin(Code& code) { return checked(open(Json::array()), code); }

    bool on_array_end(std::size_t, Code&) { return close(); }

    bool on_comment_part(Text, Code&) { return true; }

    bool on_comment(Text, Code&) { return true; }

  private:
    // A handler that stops says so twice.
    static bool checked(bool passed, Code& code) {
        if (!passed) code = boost::json::error::syntax;
        return passed;
    }

    // A text comes in parts where it has escapes.
    bool collect(Text part) {
        parts_.append(part.data(), part.size());
        return true;
    }

    std::string finish(Text rest) {
        if (parts_.empty()) return {rest.data(), rest.size()};
        collect(rest);
        return std::exchange(parts_, {});
    }

    std::string parts_;
};

// What nlohmann's own parser calls.
class NlohmannHandler : public StrictBuilder {
  public:
    using StrictBuilder::StrictBuilder;

    bool null() { return put(nullptr); }

    bool boolean(bool value) { return put(value); }

    bool number_integer(Json::number_integer_t value) { return put(value); }

    bool number_unsigned(Json::number_unsigned_t value) { return put(value); }

    bool number_float(Json::number_float_t value, const Json::string_t&) {
        if (!std::isfinite(value)) return refuse(Errc::json_syntax, "number out of range");
        return put(value);
    }

    bool string(Json::string_t& value) { return put(std::move(value)); }

    bool binary(Json::binary_t&) { return refuse(Errc::json_syntax, "binary"); }

    bool start_object(std::size_t) { return open(Json::object()); }

    bool key(Json::string_t& text) { return name(std::move(text)); }

    bool end_object() { return close(); }

    bool start_array(std::size_t) { return open(Json::array()); }

    bool end_array() { return close(); }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
        return refuse(Errc::json_syntax, "at byte " + std::to_string(position));
    }
};

Result<Json> parse_plain(std::string_view text, int max_depth) {
    Json root;
    boost::json::parse_options options;
    // One more than the builder takes, which says how many it does.
    options.max_depth = static_cast<std::size_t>(max_depth) + 1;
    boost::json::basic_parser<BoostHandler> parser(options, root, max_depth);
    boost::json::error_code code;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), code);
    const Error& refused = parser.handler().error();
    if (refused.code && refused.errc() != Errc::json_syntax) return refused;
    if (code || read < text.size())
        return fail(Errc::json_syntax,
                    "at byte " + std::to_string(read + 1) +
                        (refused.detail.empty() ? "" : ": " + refused.detail));
    return root;
}

// Boost 1.81, told to allow comments, takes a comma before a closing bracket if there is a comment
// between them.
Result<Json> parse_commented(std::string_view text, int max_depth) {
    // The parser takes a NUL for the end of the text: what follows would go unread.
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
        return fail(Errc::json_syntax, "at byte " + std::to_string(nul) + ": NUL");
    }
    Json root;
    NlohmannHandler handler(root, max_depth);
    if (!Json::sax_parse(text, &handler, Json::input_format_t::json, true, true)) {
        if (handler.error().code) return handler.error();
        return fail(Errc::json_syntax);
    }
    return root;
}

}  // namespace

// Values are nlohmann's, the reading is Boost's, which takes a third of the time (a token's
// claims).
Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.max_bytes) {
        return fail(Errc::json_too_large,
                    "more than " + std::to_string(limits.max_bytes) + " bytes");
    }
    // RFC 8259, 8.1 lets a receiver refuse a byte order mark, and two readers of one token must
    // agree.
    if (text.starts_with("\xef\xbb\xbf")) return fail(Errc::json_syntax, "byte order mark");
    return limits.comments ? parse_commented(text, limits.max_depth)
                           : parse_plain(text, limits.max_depth);
}

const Json* find_member(const Json& object, std::string_view name) noexcept {
    if (!object.is_object()) return nullptr;
    const auto it = object.find(name);
    return it == object.end() ? nullptr : &*it;
}

Result<std::string_view> get_string(const Json& object, std::string_view name) {
    const Json* member = find_member(object, name);
    if (member == nullptr) return fail(Errc::json_missing, std::string(name));
    if (!member->is_string()) return fail(Errc::json_type, std::string(name) + " is not a string");
    return std::string_view(member->get_ref<const std::string&>());
}

std::string dump_json(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string quote_json(std::string_view text) {
    return dump_json(Json(text));
}

}  // namespace gatehouse
