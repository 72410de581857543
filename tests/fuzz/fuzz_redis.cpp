// What comes from Redis: replies are the same however their bytes arrive, and end at the bounds;
// a sealed entry is nothing unless it was sealed here; one that opens is read within its own form.
#include "fuzz/require.hpp"
#include "gatehouse/authz/shared_entry.hpp"
#include "gatehouse/jwt/seal.hpp"
#include "net/redis_reader.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using gatehouse::app::RedisReply;
using gatehouse::net::RedisReader;

struct Read {
    std::vector<RedisReply> replies;
    bool failed = false;
};

bool is_same(const RedisReply& a, const RedisReply& b) {
    return a.kind == b.kind && a.text == b.text && a.integer == b.integer &&
           std::ranges::equal(a.list, b.list, is_same);
}

// `step` bytes at a time, each run in a buffer of just its size.
Read read_by(std::string_view input, std::size_t step) {
    RedisReader reader;
    Read read;
    for (std::size_t at = 0; at < input.size() && !read.failed; at += step) {
        const std::size_t size = std::min(step, input.size() - at);
        const std::unique_ptr<char[]> copy(new char[size]);
        input.copy(copy.get(), size, at);
        if (reader.feed({copy.get(), size})) {
            while (auto reply = reader.next())
                read.replies.push_back(std::move(*reply));
        }
        read.failed = reader.failed();
    }
    return read;
}

void check_replies(std::string_view input) {
    const Read whole = read_by(input, std::max<std::size_t>(input.size(), 1));
    const Read bytes = read_by(input, 1);
    require(whole.failed == bytes.failed, "byte by byte it fails as at once");
    require(
        whole.replies.size() <= bytes.replies.size() &&
            std::equal(whole.replies.begin(), whole.replies.end(), bytes.replies.begin(), is_same),
        "byte by byte the same replies");
}

void check_entry(std::string_view input) {
    static const gatehouse::jwt::Seal seal("a secret of thirty-two bytes, at least");
    require(!seal.open("name", input), "nobody else can seal");
    const std::string sealed = seal.seal("name", input);
    require(seal.open("name", sealed) == input, "what was sealed opens");
    require(!seal.open("other", sealed), "under its own name alone");
    const auto entry = gatehouse::authz::parse_shared_entry(input);
    if (!entry) return;
    const auto again = gatehouse::authz::parse_shared_entry(make_shared_entry(*entry));
    require(again && again->epochs == entry->epochs && again->method_arn == entry->method_arn &&
                again->reply == entry->reply && again->ends == entry->ends,
            "what was read can be written and read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input(reinterpret_cast<const char*>(data), size);
    check_replies(input);
    check_entry(input);
    return 0;
}
