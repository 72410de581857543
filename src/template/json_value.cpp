#include "json_value.hpp"

#include "gatehouse/core/limits.hpp"

#include <cmath>
#include <utility>

namespace gatehouse::templates {
namespace {

/// nlohmann's events into values. core/json.hpp builds a Json, whose members are sorted and whose
/// integers end at 64 bits: both would show in what a template prints.
class Builder {
  public:
    explicit Builder(Work& work) : work_(work) {}

    bool null() { return place(Null{}); }

    bool boolean(bool value) { return place(value); }

    bool number_integer(Json::number_integer_t value) { return place(std::int64_t{value}); }

    bool number_unsigned(Json::number_unsigned_t value) {
        if (value <= static_cast<std::uint64_t>(INT64_MAX))
            return place(static_cast<std::int64_t>(value));
        return place(BigInteger{work_.keep(std::to_string(value))});
    }

    bool number_float(Json::number_float_t value, const Json::string_t& text) {
        if (text.find_first_of(".eE") == std::string::npos)
            return place(BigInteger{work_.keep(std::string_view(text))});
        if (!std::isfinite(value)) return refuse(Errc::json_syntax, "number out of range");
        return place(value);
    }

    bool string(Json::string_t& value) { return place(work_.keep(std::move(value))); }

    bool binary(Json::binary_t&) { return refuse(Errc::json_syntax, "binary"); }

    bool start_object(std::size_t) { return open(work_.make_map(Map::Kind::service)); }

    bool key(Json::string_t& name) {
        Map& map = *std::get<Map*>(open_.back());
        if (map.find(name) != nullptr)
            return refuse(Errc::json_duplicate_key, "member \"" + name + "\"");
        // The place is taken now: a later member of the same name must find it.
        keys_.back() = work_.keep(std::move(name));
        return work_.put(map, keys_.back(), Null{});
    }

    bool end_object() { return close(); }

    bool start_array(std::size_t) { return open(work_.make_list(true)); }

    bool end_array() { return close(); }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) {
        return refuse(Errc::json_syntax, "at byte " + std::to_string(position));
    }

    const Value& root() const noexcept { return root_; }

  private:
    bool refuse(Errc code, std::string detail) {
        work_.fail(code, std::move(detail));
        return false;
    }

    bool place(const Value& value) {
        if (!work_.spend()) return false;
        if (open_.empty()) {
            root_ = value;
        } else if (auto* list = std::get_if<List*>(&open_.back()); list != nullptr) {
            return work_.append(**list, value);
        } else {
            std::get<Map*>(open_.back())->put(keys_.back(), value);
        }
        return true;
    }

    bool open(const Value& container) {
        if (static_cast<int>(open_.size()) >= limits::kTemplateValueDepth) {
            return refuse(Errc::json_too_deep,
                          "more than " + std::to_string(limits::kTemplateValueDepth) + " levels");
        }
        if (!place(container)) return false;
        open_.push_back(container);
        keys_.emplace_back();
        return true;
    }

    bool close() {
        open_.pop_back();
        keys_.pop_back();
        return work_.ok();
    }

    Work& work_;
    Value root_;
    std::vector<Value> open_;
    std::vector<std::string_view> keys_;  // of the member being read, one for each open container
};

}  // namespace

Value parse_value(Work& work, std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) {
        work.fail(Errc::json_syntax, "byte order mark");
        return {};
    }
    if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
        work.fail(Errc::json_syntax, "at byte " + std::to_string(nul) + ": NUL");
        return {};
    }
    if (!work.spend(text.size())) return {};
    Builder builder(work);
    if (!Json::sax_parse(text, &builder)) {
        work.fail(Errc::json_syntax, {});
        return {};
    }
    return builder.root();
}

Value make_value(Work& work, const Json& json, Map::Kind kind, int depth) {
    if (depth > limits::kTemplateValueDepth) work.fail(Errc::limit_exceeded, "a value is too deep");
    if (!work.spend()) return {};
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_string()) return std::string_view(json.get_ref<const std::string&>());
    if (json.is_number_float()) return json.get<double>();
    if (json.is_number_unsigned() &&
        json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
        return BigInteger{work.keep(std::to_string(json.get<std::uint64_t>()))};
    if (json.is_number()) return json.get<std::int64_t>();
    if (json.is_array()) {
        List* list = work.make_list(true);
        for (const Json& item : json)
            work.append(*list, make_value(work, item, kind, depth + 1));
        return list;
    }
    if (json.is_object()) {
        Map* map = work.make_map(kind);
        for (const auto& [key, member] : json.get_ref<const Json::object_t&>())
            work.put(*map, key, make_value(work, member, kind, depth + 1));
        return map;
    }
    return {};
}

}  // namespace gatehouse::templates
