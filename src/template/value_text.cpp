#include "value_text.hpp"

#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"

#include <charconv>
#include <cmath>

namespace gatehouse::templates {
namespace {

constexpr char kUpperHex[] = "0123456789abcdef";

/// Writes one value, in Java's or in JSON's form.
class Writer {
  public:
    Writer(Work& work, std::string& out) : work_(work), out_(out) {}

    void write(const Value& value, bool json, int depth) {
        if (depth > limits::kTemplateValueDepth)
            work_.fail(Errc::limit_exceeded, "a value is too deep, or holds itself");
        if (!work_.spend()) return;
        if (const auto* text = std::get_if<std::string_view>(&value); text != nullptr) {
            json ? quote(*text) : put(*text);
        } else if (const auto* list = std::get_if<List*>(&value); list != nullptr) {
            write_list(**list, json || (*list)->json, depth);
        } else if (const auto* map = std::get_if<Map*>(&value); map != nullptr) {
            write_map(**map, json, depth);
        } else if (const auto* entry = std::get_if<Entry*>(&value); entry != nullptr) {
            write_member(**entry, json, depth);
        } else {
            put(scalar(value));
        }
    }

  private:
    static std::string scalar(const Value& value) {
        if (const auto* flag = std::get_if<bool>(&value); flag != nullptr)
            return *flag ? "true" : "false";
        if (const auto* integer = std::get_if<std::int64_t>(&value); integer != nullptr)
            return std::to_string(*integer);
        if (const auto* real = std::get_if<double>(&value); real != nullptr)
            return java_double(*real);
        if (const auto* big = std::get_if<BigInteger>(&value); big != nullptr)
            return std::string(big->digits);
        return "null";
    }

    void put(std::string_view text) {
        if (out_.size() + text.size() > limits::kTemplateOutputBytes)
            work_.fail(Errc::limit_exceeded, "the text of a value is too long");
        if (work_.spend(text.size())) out_ += text;
    }

    void quote(std::string_view text) {
        std::string quoted = "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') {
                quoted += '\\';
                quoted += c;
            } else if (c == '\n') {
                quoted += "\\n";
            } else if (c == '\r') {
                quoted += "\\r";
            } else if (c == '\t') {
                quoted += "\\t";
            } else if (static_cast<unsigned char>(c) < 0x20) {
                quoted += "\\u00";
                quoted += kUpperHex[static_cast<unsigned char>(c) >> 4];
                quoted += kUpperHex[static_cast<unsigned char>(c) & 15];
            } else {
                quoted += c;
            }
        }
        quoted += '"';
        put(quoted);
    }

    void write_list(const List& list, bool json, int depth) {
        put("[");
        bool first = true;
        for (const Value& item : list.items) {
            if (!work_.ok()) return;
            if (!first) put(json ? "," : ", ");
            first = false;
            write(item, json, depth + 1);
        }
        put("]");
    }

    void write_map(const Map& map, bool json, int depth) {
        put("{");
        bool first = true;
        for (const Entry& entry : map.entries()) {
            if (!work_.ok()) return;
            if (!first) put(json ? "," : ", ");
            first = false;
            write_member(entry, json, depth);
        }
        put("}");
    }

    void write_member(const Entry& entry, bool json, int depth) {
        json ? quote(entry.key) : put(entry.key);
        put(json ? ":" : "=");
        write(entry.value, json, depth + 1);
    }

    Work& work_;
    std::string& out_;
};

}  // namespace

void append_text(Work& work, const Value& value, std::string& out) {
    Writer(work, out).write(value, false, 0);
}

void append_json(Work& work, const Value& value, std::string& out) {
    Writer(work, out).write(value, true, 0);
}

std::string_view to_text(Work& work, const Value& value) {
    if (const auto* text = std::get_if<std::string_view>(&value); text != nullptr) return *text;
    std::string out;
    append_text(work, value, out);
    return work.keep(std::move(out));
}

std::string java_double(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
    if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
    char buffer[32];
    const double size = std::abs(value);
    if (size >= 1e-3 && size < 1e7) {
        const auto end =
            std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
        std::string text(buffer, end);
        if (text.find('.') == std::string::npos) text += ".0";
        return text;
    }
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
    const std::string text(buffer, end);
    const std::size_t e = text.find('e');
    std::string mantissa = text.substr(0, e);
    if (mantissa.find('.') == std::string::npos) mantissa += ".0";
    return mantissa + "E" + std::to_string(std::stoi(text.substr(e + 1)));
}

}  // namespace gatehouse::templates
