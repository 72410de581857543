#include "packed_detail.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gatehouse::app {
namespace {

// One list for both directions, and one that does not compile when it is not whole.
template <class Detail, class Each>
void visit_detail(Detail& detail, Each& each) {
    auto& [path,
           host,
           method_arn,
           issued_for,
           principal,
           error,
           hint,
           kid,
           key_age_s,
           shared,
           policy,
           checks,
           statements,
           left_out,
           validation,
           request_template,
           integration_response,
           response_template] = detail;
    each(path);
    each(host);
    each(method_arn);
    each(issued_for);
    each(principal);
    each(error);
    each(hint);
    each(kid);
    each(key_age_s);
    each(shared);
    each(policy);
    each(checks);
    each(statements);
    each(left_out);
    each(validation);
    each(request_template);
    each(integration_response);
    each(response_template);
}

template <class Statement, class Each>
void visit_statement(Statement& trail, Each& each) {
    auto& [statement, effect, sid, matched, why] = trail;
    each(statement);
    each(effect);
    each(sid);
    each(matched);
    each(why);
}

template <class Value>
concept Plain = std::is_arithmetic_v<Value> || std::is_enum_v<Value>;

// Counts where there is nowhere to write.
class Packer {
  public:
    explicit Packer(char* to) noexcept : to_(to) {}

    std::size_t bytes() const noexcept { return bytes_; }

    template <Plain Value>
    void operator()(const Value& value) noexcept {
        add(&value, sizeof value);
    }

    void operator()(std::string_view text) noexcept {
        (*this)(static_cast<std::uint32_t>(text.size()));
        add(text.data(), text.size());
    }

    void operator()(const jwt::CheckTrail& checks) noexcept {
        (*this)(static_cast<std::uint32_t>(checks.size()));
        for (const jwt::Check check : checks) {
            add(&check.name, sizeof check.name);  // of static storage
            (*this)(check.passed);
            (*this)(check.expected);
            (*this)(check.found);
        }
    }

    void operator()(const policy::StatementTrail& statement) noexcept {
        visit_statement(statement, *this);
    }

    template <class Value>
    void operator()(const std::vector<Value>& values) noexcept {
        (*this)(static_cast<std::uint32_t>(values.size()));
        for (const Value& value : values)
            (*this)(value);
    }

  private:
    void add(const void* from, std::size_t bytes) noexcept {
        if (to_ != nullptr && bytes != 0) std::memcpy(to_ + bytes_, from, bytes);
        bytes_ += bytes;
    }

    char* to_;
    std::size_t bytes_ = 0;
};

class Unpacker {
  public:
    explicit Unpacker(const char* from) noexcept : from_(from) {}

    template <Plain Value>
    void operator()(Value& value) noexcept {
        take(&value, sizeof value);
    }

    void operator()(std::string& text) { text = take_text(); }

    void operator()(jwt::CheckTrail& checks) {
        for (std::uint32_t left = take_count(); left > 0; --left) {
            std::string_view name;
            bool passed = false;
            take(&name, sizeof name);
            (*this)(passed);
            const std::string_view expected = take_text();
            checks.add(name, passed, expected, take_text());
        }
    }

    void operator()(policy::StatementTrail& statement) { visit_statement(statement, *this); }

    template <class Value>
    void operator()(std::vector<Value>& values) {
        for (std::uint32_t left = take_count(); left > 0; --left)
            (*this)(values.emplace_back());
    }

  private:
    void take(void* to, std::size_t bytes) noexcept {
        std::memcpy(to, from_, bytes);
        from_ += bytes;
    }

    std::uint32_t take_count() noexcept {
        std::uint32_t count = 0;
        take(&count, sizeof count);
        return count;
    }

    std::string_view take_text() noexcept {
        const std::size_t bytes = take_count();
        const std::string_view text(from_, bytes);
        from_ += bytes;
        return text;
    }

    const char* from_;
};

}  // namespace

std::shared_ptr<const char[]> pack_detail(const TraceDetail& detail) {
    Packer counted(nullptr);
    visit_detail(detail, counted);
    auto packed = std::make_shared_for_overwrite<char[]>(counted.bytes());
    Packer packer(packed.get());
    visit_detail(detail, packer);
    return packed;
}

std::shared_ptr<const TraceDetail> unpack_detail(const char* packed) {
    auto detail = std::make_shared<TraceDetail>();
    Unpacker unpacker(packed);
    visit_detail(*detail, unpacker);
    return detail;
}

}  // namespace gatehouse::app
