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

// Builds the value while it watches what bare Boost.JSON lets pass: depth, duplicate members,
// numbers beyond a double. A handler of boost::json::basic_parser, which asks for these names.
class StrictBuilder {
  public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    using Code = boost::json::error_code;
    using Text = boost::json::string_view;

    StrictBuilder(Json& root, int max_depth) : root_(root), max_depth_(max_depth) {
        open_.reserve(static_cast<std::size_t>(std::min(max_depth, kUsualDepth)));
    }

    bool on_document_begin(Code&) { return true; }

    bool on_document_end(Code&) { return true; }

    bool on_null(Code&) { return put(nullptr); }

    bool on_bool(bool value, Code&) { return put(value); }

    bool on_number_part(Text, Code&) { return true; }

    bool on_int64(std::int64_t value, Text, Code&) {
        // Signed is what has a sign, as in nlohmann's own parser.
        return value < 0 ? put(value) : put(static_cast<std::uint64_t>(value));
    }

    bool on_uint64(std::uint64_t value, Text, Code&) { return put(value); }

    bool on_double(double rough, Text digits, Code& code) {
        double value = 0;
        const auto read = std::from_chars(digits.begin(), digits.end(), value);
        // Too small is zero, too large is no number.
        if (read.ec == std::errc::result_out_of_range && std::abs(rough) < 1)
            value = std::copysign(0.0, rough);
        else if (read.ec != std::errc() || !std::isfinite(value))
            return refuse(Errc::json_syntax, "number out of range", code);
        return put(value);
    }

    bool on_string_part(Text part, std::size_t, Code&) { return collect(part); }

    bool on_string(Text rest, std::size_t, Code&) { return put(finish(rest)); }

    bool on_object_begin(Code& code) { return open(Json::object(), code); }

    bool on_key_part(Text part, std::size_t, Code&) { return collect(part); }

    bool on_key(Text rest, std::size_t, Code& code) {
        auto& members = open_.back()->get_ref<Json::object_t&>();
        const auto [member, added] = members.try_emplace(finish(rest));
        if (!added)
            return refuse(Errc::json_duplicate_key, "member \"" + member->first + "\"", code);
        member_ = &member->second;
        return true;
    }

    bool on_object_end(std::size_t, Code&) { return close(); }

    bool on_array_begin(Code& code) { return open(Json::array(), code); }

    bool on_array_end(std::size_t, Code&) { return close(); }

    bool on_comment_part(Text, Code&) { return true; }

    bool on_comment(Text, Code&) { return true; }

    const Error& error() const noexcept { return error_; }

  private:
    static constexpr int kUsualDepth = 8;

    bool refuse(Errc reason, std::string detail, Code& code) {
        if (!error_.code) error_ = fail(reason, std::move(detail));
        code = boost::json::error::syntax;
        return false;
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

    bool put(Json value) {
        place(std::move(value));
        return true;
    }

    bool open(Json&& container, Code& code) {
        if (static_cast<int>(open_.size()) >= max_depth_) {
            return refuse(
                Errc::json_too_deep, "more than " + std::to_string(max_depth_) + " levels", code);
        }
        open_.push_back(place(std::move(container)));
        return true;
    }

    bool close() {
        open_.pop_back();
        return true;
    }

    Json& root_;
    int max_depth_;
    std::vector<Json*>
        open_;  // a parent is not touched while a child is open, so its children do not move
    Json* member_ = nullptr;
    std::string parts_;
    Error error_;
};

}  // namespace

// Boost.JSON reads, in a third of the time that nlohmann's parser takes (a token's claims), and
// nlohmann's values are what everybody asks.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.max_bytes) {
        return fail(Errc::json_too_large,
                    "more than " + std::to_string(limits.max_bytes) + " bytes");
    }
    // RFC 8259, 8.1 lets a receiver refuse a byte order mark, and two readers of one token must
    // agree.
    if (text.starts_with("\xef\xbb\xbf")) return fail(Errc::json_syntax, "byte order mark");
    Json root;
    boost::json::parse_options options;
    options.allow_comments = limits.comments;
    // One more than the builder takes, which says how many it does.
    options.max_depth = static_cast<std::size_t>(limits.max_depth) + 1;
    boost::json::basic_parser<StrictBuilder> parser(options, root, limits.max_depth);
    boost::json::error_code code;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), code);
    if (parser.handler().error().code) return parser.handler().error();
    if (code || read < text.size())
        return fail(Errc::json_syntax, "at byte " + std::to_string(read + 1));
    return root;
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
