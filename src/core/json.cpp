#include "gatehouse/core/json.hpp"

#include <cmath>
#include <utility>
#include <vector>

namespace gatehouse {
namespace {

// Builds the value while it watches what bare nlohmann lets pass: depth, duplicate members, numbers
// beyond a double.
class StrictBuilder {
  public:
    StrictBuilder(Json& root, int max_depth) : root_(root), max_depth_(max_depth) {}

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

    bool key(Json::string_t& name) {
        auto& members = open_.back()->get_ref<Json::object_t&>();
        const auto [member, added] = members.try_emplace(std::move(name));
        if (!added) return refuse(Errc::json_duplicate_key, "member \"" + member->first + "\"");
        member_ = &member->second;
        return true;
    }

    bool end_object() { return close(); }

    bool start_array(std::size_t) { return open(Json::array()); }

    bool end_array() { return close(); }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
        return refuse(Errc::json_syntax, "at byte " + std::to_string(position));
    }

    const Error& error() const noexcept { return error_; }

  private:
    bool refuse(Errc code, std::string detail) {
        if (!error_.code) error_ = fail(code, std::move(detail));
        return false;
    }

    Json* place(Json&& value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        if (open_.back()->is_array()) {
            open_.back()->push_back(std::move(value));
            return &open_.back()->back();
        }
        *member_ = std::move(value);
        return member_;
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

    Json& root_;
    int max_depth_;
    std::vector<Json*>
        open_;  // a parent is not touched while a child is open, so its children do not move
    Json* member_ = nullptr;
    Error error_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.max_bytes) {
        return fail(Errc::json_too_large,
                    "more than " + std::to_string(limits.max_bytes) + " bytes");
    }
    // nlohmann skips a byte order mark; RFC 8259, 8.1 lets a receiver refuse it, and two readers of
    // one token must agree.
    if (text.starts_with("\xef\xbb\xbf")) return fail(Errc::json_syntax, "byte order mark");
    // nlohmann takes a NUL for the end of the text: what follows would go unread.
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
        return fail(Errc::json_syntax, "at byte " + std::to_string(nul) + ": NUL");
    }
    Json root;
    StrictBuilder builder(root, limits.max_depth);
    const bool whole =
        Json::sax_parse(text, &builder, Json::input_format_t::json, true, limits.comments);
    if (!whole) {
        if (builder.error().code) return builder.error();
        return fail(Errc::json_syntax);
    }
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
