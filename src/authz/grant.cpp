#include "gatehouse/authz/grant.hpp"

namespace gatehouse::authz {
namespace {

// libstdc++ keeps up to 15 characters inside the string itself.
std::size_t bytes_of(const std::string& text) noexcept {
    return text.capacity() > 15 ? text.capacity() + 1 : 0;
}

// A std::map node of nlohmann's object: colour and three links beside key and value.
constexpr std::size_t kMapNode = 4 * sizeof(void*) + sizeof(std::string) + sizeof(Json);

// Depth is bounded by the limit of parse_json.
std::size_t bytes_of(const Json& value) noexcept {
    std::size_t bytes = 0;
    if (const auto* text = value.get_ptr<const Json::string_t*>()) {
        bytes = sizeof(std::string) + bytes_of(*text);
    } else if (const auto* object = value.get_ptr<const Json::object_t*>()) {
        bytes = sizeof(Json::object_t);
        for (const auto& [name, member] : *object) {
            bytes += kMapNode + bytes_of(name) + bytes_of(member);
        }
    } else if (const auto* array = value.get_ptr<const Json::array_t*>()) {
        bytes = sizeof(Json::array_t) + array->capacity() * sizeof(Json);
        for (const Json& element : *array)
            bytes += bytes_of(element);
    }
    return bytes;
}

}  // namespace

// nlohmann's destructor moves all members into a list of its own first, lest deep values overflow
// the stack. Claims are not deep (parse_json), and a grant that is thrown away is long cold: once
// through is enough.
Grant::~Grant() {
    if (auto* members = claims.get_ptr<Json::object_t*>()) members->clear();
}

std::size_t Grant::heap_bytes() const noexcept {
    std::size_t bytes = bytes_of(principal_id) + bytes_of(usage_identifier_key) +
                        bytes_of(issued_for) + bytes_of(key_thumbprint) + bytes_of(kid) +
                        bytes_of(header_block) + bytes_of(authorizer_json) + bytes_of(claims) +
                        sizeof(*policy) + policy->heap_bytes();
    bytes += context.capacity() * sizeof(ContextItem);
    for (const ContextItem& item : context)
        bytes += bytes_of(item.key) + bytes_of(item.value);
    for (const std::vector<std::string>* texts : {&scopes, &left_out}) {
        bytes += texts->capacity() * sizeof(std::string);
        for (const std::string& text : *texts)
            bytes += bytes_of(text);
    }
    return bytes;
}

const ContextItem* Grant::find_context(std::string_view key) const noexcept {
    for (const ContextItem& item : context) {
        if (item.key == key) return &item;
    }
    return nullptr;
}

}  // namespace gatehouse::authz
