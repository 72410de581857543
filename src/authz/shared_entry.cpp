#include "gatehouse/authz/shared_entry.hpp"

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"

#include <algorithm>
#include <cstdint>

namespace gatehouse::authz {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMembers = 5;
constexpr int kDepth = 2;  // the reply is a text in it

std::optional<std::int64_t> find_integer(const Json& object, std::string_view name) {
    const Json* value = find_member(object, name);
    if (value == nullptr || !value->is_number_integer()) return std::nullopt;
    // An unsigned number beyond what is signed comes out negative, and so is over.
    return value->get<std::int64_t>();
}

bool read_epochs(const Json& object, FlushEpochs& into) {
    const Json* list = find_member(object, "epochs");
    if (list == nullptr || !list->is_array() || list->size() != into.size()) return false;
    for (std::size_t i = 0; i < into.size(); ++i) {
        const Json& epoch = list->at(i);
        if (!epoch.is_string()) return false;
        into[i] = epoch.get_ref<const std::string&>();
    }
    return true;
}

}  // namespace

std::string make_shared_entry(const SharedEntry& entry) {
    return dump_json({{"v", kVersion},
                      {"epochs", entry.epochs},
                      {"arn", entry.method_arn},
                      {"reply", entry.reply},
                      {"ends", entry.ends.time_since_epoch().count()}});
}

std::optional<SharedEntry> parse_shared_entry(std::string_view text) {
    // A text in JSON can take six bytes for each of its own.
    const auto parsed = parse_json(text, {limits::kSharedEntryBytes * 6 + 16384, kDepth});
    if (!parsed || !parsed->is_object() || parsed->size() != kMembers) return std::nullopt;
    const auto version = find_integer(*parsed, "v");
    const auto ends = find_integer(*parsed, "ends");
    const auto arn = get_string(*parsed, "arn");
    const auto reply = get_string(*parsed, "reply");
    SharedEntry entry;
    if (version != kVersion || !ends || !arn || !reply || !read_epochs(*parsed, entry.epochs))
        return std::nullopt;
    entry.method_arn = *arn;
    entry.reply = *reply;
    entry.ends = WallTime(std::chrono::milliseconds(*ends));
    return entry;
}

std::chrono::milliseconds life_left(const SharedEntry& entry,
                                    const FlushEpochs& epochs,
                                    WallTime now,
                                    std::chrono::milliseconds ttl) noexcept {
    if (entry.epochs != epochs || entry.ends <= now) return std::chrono::milliseconds(0);
    // Compared before it is subtracted: an end may be anywhere.
    if (entry.ends >= now + ttl) return ttl;
    return entry.ends - now;
}

}  // namespace gatehouse::authz
