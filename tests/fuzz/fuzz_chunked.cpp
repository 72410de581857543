// Chunked coding: the outcome does not depend on how the bytes arrive, nothing behind the end is
// taken, and a decoder that reads the whole input at once, written for clarity, agrees.
#include "fuzz/require.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/http/chunked.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace {

using gatehouse::Errc;
using gatehouse::http::ChunkedDecoder;

struct Outcome {
    std::string content;
    std::size_t consumed = 0;
    Errc error = Errc::none;
    bool done = false;

    bool operator==(const Outcome&) const = default;
};

// `next_size` says how long the next piece is.
template <class NextSize>
Outcome decode(std::string_view input, NextSize next_size) {
    ChunkedDecoder decoder;
    Outcome outcome;
    while (!input.empty() && !decoder.done() && outcome.error == Errc::none) {
        const std::size_t length = std::min(next_size(), input.size());
        // A piece of its own, so that a read past its end is seen.
        const std::unique_ptr<char[]> copy(new char[length]);
        input.copy(copy.get(), length);
        std::string_view piece(copy.get(), length);
        input.remove_prefix(length);
        while (!piece.empty() && !decoder.done() && outcome.error == Errc::none) {
            const ChunkedDecoder::Step step = decoder.feed(piece);
            require(step.consumed <= piece.size(), "consumes no more than there is");
            require(step.consumed > 0 || step.error != Errc::none, "goes on");
            require(step.data.empty() ||
                        (step.data.data() >= piece.data() &&
                         step.data.data() + step.data.size() <= piece.data() + step.consumed),
                    "content is a view into what was consumed");
            outcome.content += step.data;
            outcome.consumed += step.consumed;
            outcome.error = step.error;
            piece.remove_prefix(step.consumed);
        }
    }
    outcome.done = decoder.done();
    require(decoder.content_bytes() == outcome.content.size(), "content is counted");
    return outcome;
}

// The line at `at`, which ends with CRLF and has no other control but the tab; npos-sized when
// there is none.
bool take_line(std::string_view input, std::size_t& at, std::string_view& line) {
    const std::size_t end = input.find("\r\n", at);
    if (end == std::string_view::npos) return false;
    line = input.substr(at, end - at);
    at = end + 2;
    for (const char c : line) {
        if (gatehouse::is_control(c) && c != '\t') return false;
    }
    return true;
}

// True when `input` begins with a whole valid body; its content and length are stored.
bool decode_naively(std::string_view input, std::string& content, std::size_t& at) {
    std::size_t extensions = 0;
    std::string_view line;
    while (true) {
        if (!take_line(input, at, line)) return false;
        const std::string_view size = line.substr(0, line.find(';'));
        if (size.size() < line.size()) extensions += line.size() - size.size() - 1;
        if (size.empty() || size.size() > 16 ||
            extensions > gatehouse::limits::kChunkExtensionBytes)
            return false;
        std::uint64_t length = 0;
        for (const char c : size) {
            if (gatehouse::hex_value(c) < 0) return false;
            length = length * 16 + static_cast<std::uint64_t>(gatehouse::hex_value(c));
        }
        if (length == 0) break;
        if (length > input.size() - at || input.substr(at + length, 2) != "\r\n") return false;
        content += input.substr(at, length);
        at += length + 2;
    }
    std::size_t trailers = 0;
    while (true) {
        if (!take_line(input, at, line)) return false;
        if (line.empty()) return true;
        trailers += line.size() + 2;
        if (trailers > gatehouse::limits::kTrailerBytes) return false;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !gatehouse::is_token(line.substr(0, colon)))
            return false;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // The first byte chooses how the rest is cut.
    std::uint32_t seed = data[0];
    const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);

    const Outcome whole = decode(input, [&] { return input.size(); });
    const Outcome bytes = decode(input, [] { return std::size_t{1}; });
    const Outcome pieces = decode(input, [&seed]() -> std::size_t {
        seed = seed * 1664525 + 1013904223;
        return 1 + (seed >> 24) % 13;
    });
    require(whole == bytes, "byte by byte as at once");
    require(whole == pieces, "in pieces as at once");

    std::string content;
    std::size_t length = 0;
    const bool valid = decode_naively(input, content, length);
    require(valid == whole.done, "agrees with the naive decoder");
    if (!valid) return 0;
    require(content == whole.content, "same content");
    require(length == whole.consumed, "ends at the same byte");
    return 0;
}
