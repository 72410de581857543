// Heads of upstreams' answers: as many fields as lines, none with a byte that ends one early, and
// whatever an upstream says about the length of its content has one meaning.
#include "fuzz/require.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/request_head.hpp"
#include "net/head_parser.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace {

using gatehouse::equals_ignoring_case;
using gatehouse::Errc;
using gatehouse::http::Field;
using gatehouse::http::Framing;
using gatehouse::http::ResponseHead;
using gatehouse::net::HeadScanner;

constexpr HeadScanner::Limits kLimits{1024, 4096, 64};

struct Said {
    std::optional<std::string_view> length;
    std::size_t codings = 0;
};

Said check_fields(const ResponseHead& head) {
    Said said;
    for (const Field& field : head.fields) {
        require(gatehouse::is_token(field.name), "names are tokens");
        require(std::ranges::none_of(field.value,
                                     [](char c) { return gatehouse::is_control(c) && c != '\t'; }),
                "values have no control");
        if (equals_ignoring_case(field.name, "transfer-encoding")) ++said.codings;
        if (!equals_ignoring_case(field.name, "content-length")) continue;
        require(!said.length || *said.length == field.value, "one length");
        said.length = field.value;
    }
    require(said.codings <= 1 && (said.codings == 0 || !said.length), "a coding or a length");
    return said;
}

void check_framing(const ResponseHead& head, std::string_view method) {
    const Said said = check_fields(head);
    const bool bare =
        method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304;
    const Framing::Kind wanted = bare                ? Framing::Kind::none
                                 : said.codings == 1 ? Framing::Kind::chunked
                                 : said.length       ? Framing::Kind::length
                                                     : Framing::Kind::until_close;
    require(head.framing.kind == wanted, "framing as the fields say");
    if (wanted == Framing::Kind::length)
        require(std::to_string(head.framing.length) ==
                    std::string(said.length->substr(
                        std::min(said.length->find_first_not_of('0'), said.length->size() - 1))),
                "the length that was said");
    require(wanted != Framing::Kind::until_close || !head.keep_alive,
            "content until the end leaves no connection");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "OPTIONS"};
    const std::string_view method = kMethods[data[0] % 4];
    // An exact-size copy, so that a read past the end is seen.
    const std::unique_ptr<char[]> copy(new char[size - 1]);
    std::copy(data + 1, data + size, copy.get());
    const std::string_view input(copy.get(), size - 1);

    HeadScanner scanner;
    if (!scanner.scan(input, kLimits) || scanner.head_begin() != 0) return 0;
    ResponseHead head;
    const std::string_view text = input.substr(0, scanner.head_end());
    const Errc fault = scanner.read_response_head(method, head);
    ResponseHead again = head;
    require(head.fields.empty() || gatehouse::http::check_response(again, method) == fault,
            "as if no line had been checked when it was taken");
    if (fault != Errc::none) return 0;

    require(head.status >= 100 && head.status <= 599 && head.status != 101, "a final status");
    require(text.substr(9, 3) == std::to_string(head.status), "the status that stands there");
    const auto lines = std::ranges::count(text, '\n');
    require(static_cast<std::size_t>(lines) == head.fields.size() + 2, "as many fields as lines");
    check_framing(head, method);
    return 0;
}
