#include "gatehouse/http/chunked.hpp"

#include "chars.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/limits.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gatehouse::http {
namespace {

// Enough for any 64-bit size. More would be leading zeros without end, which no limit on the
// content catches.
constexpr int kMostSizeDigits = 16;

bool is_text(char c) noexcept {
    return !is_control(c) || c == '\t';
}

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::feed(std::string_view input) noexcept {
    Step step;
    if (state_ == State::failed) step.error = Errc::chunk_invalid;
    while (step.error == Errc::none && step.consumed < input.size() && state_ != State::done) {
        if (state_ == State::data) {
            const std::string_view rest = input.substr(step.consumed);
            step.data = rest.substr(
                0, static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, rest.size())));
            step.consumed += step.data.size();
            remaining_ -= step.data.size();
            content_bytes_ += step.data.size();
            if (remaining_ == 0) state_ = State::data_cr;
            return step;
        }
        step.error = take(input[step.consumed]);
        if (step.error == Errc::none) {
            ++step.consumed;
        } else {
            state_ = State::failed;
        }
    }
    return step;
}

Errc ChunkedDecoder::take(char c) noexcept {
    switch (state_) {
        case State::size_first:
        case State::size:
        case State::extension:
        case State::size_lf:
            return take_in_size_line(c);
        case State::data_cr:
            return expect(c, '\r', State::data_lf);
        case State::data_lf:
            size_digits_ = 0;
            return expect(c, '\n', State::size_first);
        case State::trailer_start:
        case State::trailer_name:
        case State::trailer:
        case State::trailer_lf:
        case State::end_lf:
            return take_in_trailers(c);
        case State::data:
        case State::done:
        case State::failed:
            break;
    }
    return Errc::chunk_invalid;
}

Errc ChunkedDecoder::expect(char c, char wanted, State next) noexcept {
    if (c != wanted) return Errc::chunk_invalid;
    state_ = next;
    return Errc::none;
}

// chunk-size [ chunk-ext ] CRLF. White space before a chunk-ext (BWS) is in the grammar, sent by
// nobody, and read in different ways; it is refused.
Errc ChunkedDecoder::take_in_size_line(char c) noexcept {
    if (state_ == State::size_lf) {
        return expect(c, '\n', remaining_ == 0 ? State::trailer_start : State::data);
    }
    if (state_ == State::extension) {
        if (c == '\r') return expect(c, '\r', State::size_lf);
        if (!is_text(c)) return Errc::chunk_invalid;
        return ++extension_bytes_ > limits::kChunkExtensionBytes ? Errc::chunk_overhead
                                                                 : Errc::none;
    }
    if (const int digit = hex_value(c); digit >= 0) {
        if (++size_digits_ > kMostSizeDigits) return Errc::chunk_invalid;
        remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
        state_ = State::size;
        return Errc::none;
    }
    if (state_ == State::size_first) return Errc::chunk_invalid;
    if (c == ';') return expect(c, ';', State::extension);
    return expect(c, '\r', State::size_lf);
}

// Trailers are read as strictly as fields and thrown away: one must never become a field of the
// request (RFC 9110 6.5.1).
Errc ChunkedDecoder::take_in_trailers(char c) noexcept {
    if (state_ == State::end_lf) return expect(c, '\n', State::done);
    if (state_ == State::trailer_start && c == '\r') return expect(c, '\r', State::end_lf);
    if (++trailer_bytes_ > limits::kTrailerBytes) return Errc::chunk_overhead;
    switch (state_) {
        case State::trailer_start:
            if (!is_in(c, kToken)) return Errc::chunk_invalid;
            state_ = State::trailer_name;
            return Errc::none;
        case State::trailer_name:
            if (c == ':') return expect(c, ':', State::trailer);
            return is_in(c, kToken) ? Errc::none : Errc::chunk_invalid;
        case State::trailer:
            if (c == '\r') return expect(c, '\r', State::trailer_lf);
            return is_text(c) ? Errc::none : Errc::chunk_invalid;
        default:
            return expect(c, '\n', State::trailer_start);
    }
}

std::size_t write_chunk_head(char* out, std::uint64_t size) noexcept {
    constexpr char kHex[] = "0123456789abcdef";
    std::size_t digits = 1;
    while (digits < 16 && (size >> (4 * digits)) != 0)
        ++digits;
    for (std::size_t i = 0; i < digits; ++i)
        out[i] = kHex[(size >> (4 * (digits - 1 - i))) & 15];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}

}  // namespace gatehouse::http
