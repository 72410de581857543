// Request heads: what is accepted does not depend on how the bytes arrive, every field is where a
// plain reading of the lines finds it, and no second reader could see other framing or another
// host.
#include "fuzz/require.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/http/request_head.hpp"
#include "net/head_parser.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using gatehouse::equals_ignoring_case;
using gatehouse::Errc;
using gatehouse::http::Field;
using gatehouse::http::Framing;
using gatehouse::http::RequestHead;
using gatehouse::net::HeadScanner;

constexpr HeadScanner::Limits kLimits{256, 1024, 16};

struct Scan {
    bool whole = false;
    std::size_t begin = 0;
    std::size_t end = 0;
    Errc error = Errc::none;

    // Which of two faults is met first may depend on how the bytes come; whether there is one not.
    bool operator==(const Scan& other) const noexcept {
        return whole == other.whole && begin == other.begin && end == other.end &&
               (error == Errc::none) == (other.error == Errc::none);
    }
};

// `step`: how many bytes arrive at a time. Only what has arrived is handed over, in a buffer of
// just that size.
Scan scan(std::string_view input, std::size_t step) {
    HeadScanner scanner;
    Scan result;
    for (std::size_t there = std::min(step, input.size());;
         there = std::min(there + step, input.size())) {
        const std::unique_ptr<char[]> copy(new char[there]);
        input.copy(copy.get(), there);
        result.whole = scanner.scan({copy.get(), there}, kLimits);
        if (result.whole || scanner.error() != Errc::none || there == input.size()) break;
    }
    result.error = scanner.error();
    if (result.whole) {
        result.begin = scanner.head_begin();
        result.end = scanner.head_end();
        require(result.begin < result.end && result.end <= input.size(), "the head is inside");
    }
    return result;
}

// A name as the many readers take it that make `_` of `-`.
bool reads_as(std::string_view name, std::string_view wanted) {
    std::string folded(name);
    std::ranges::replace(folded, '_', '-');
    return equals_ignoring_case(folded, wanted);
}

// The lines of the head between its first and its empty one, cut at the first colon.
std::vector<Field> read_plainly(std::string_view head) {
    std::vector<Field> fields;
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.starts_with("\r\n")) {
        const std::string_view line = head.substr(0, head.find("\r\n"));
        const std::size_t colon = line.find(':');
        require(colon != std::string_view::npos, "every line has a colon");
        fields.push_back({line.substr(0, colon), gatehouse::trim(line.substr(colon + 1))});
        head.remove_prefix(line.size() + 2);
    }
    require(head.size() == 2, "one empty line ends it");
    return fields;
}

void check_fields(const RequestHead& head, const std::vector<Field>& plain) {
    require(head.fields.size() == plain.size(), "as many fields as lines");
    std::size_t hosts = 0;
    std::size_t lengths = 0;
    std::size_t codings = 0;
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const auto& [name, value, id] = head.fields[i];
        require(name == plain[i].name && value == plain[i].value, "field by field");
        require(gatehouse::is_token(name), "names are tokens");
        require(std::ranges::none_of(value,
                                     [](char c) { return gatehouse::is_control(c) && c != '\t'; }),
                "values have no control");
        if (reads_as(name, "host")) ++hosts;
        if (reads_as(name, "content-length")) ++lengths;
        if (reads_as(name, "transfer-encoding")) ++codings;
    }
    require(hosts == 1 || (hosts == 0 && head.version == gatehouse::http::Version::http_1_0),
            "one Host");
    require(lengths + codings <= 1, "framing is said once");
    const Framing::Kind wanted = codings == 1   ? Framing::Kind::chunked
                                 : lengths == 1 ? Framing::Kind::length
                                                : Framing::Kind::none;
    require(head.framing.kind == wanted, "framing as the fields say");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input(reinterpret_cast<const char*>(data), size);
    const Scan whole = scan(input, std::max<std::size_t>(size, 1));
    const Scan bytes = scan(input, 1);
    require(whole == bytes, "byte by byte as at once");
    if (!whole.whole) return 0;

    const std::size_t length = whole.end - whole.begin;
    const std::unique_ptr<char[]> copy(new char[length]);
    input.copy(copy.get(), length, whole.begin);
    const std::string_view text(copy.get(), length);
    RequestHead head;
    HeadScanner scanner;
    require(scanner.scan(text, kLimits), "the head alone as with what surrounds it");
    const Errc fault = scanner.read_request_head(head);
    RequestHead again = head;
    require(fault == Errc::request_malformed || fault == Errc::version_unsupported ||
                gatehouse::http::check_request(again) == fault,
            "as if no line had been checked when it was taken");
    if (fault != Errc::none) return 0;

    const std::string_view line = text.substr(0, text.find("\r\n"));
    const std::string written =
        std::string(head.method) + " " + std::string(head.target) + " " +
        (head.version == gatehouse::http::Version::http_1_0 ? "HTTP/1.0" : "HTTP/1.1");
    require(line == written, "the request line, part by part");
    require(gatehouse::is_token(head.method), "the method is a token");
    check_fields(head, read_plainly(text));
    return 0;
}
