#pragma once

#include "buffered_share.hpp"
#include "buffers.hpp"
#include "gatehouse/app/gateway.hpp"
#include "gatehouse/http/chunked.hpp"
#include "gatehouse/http/request_head.hpp"
#include "gatehouse/upstream/upstream.hpp"
#include "head_parser.hpp"
#include "pipes.hpp"
#include "timeouts.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::net {

/// Up to this many bytes of content are copied behind the head and go out with it in one send.
constexpr std::size_t kOneSend = 4096;

/// Gives a string's storage back. Assigning an empty one does not: it keeps the larger storage.
inline void release(std::string& text) noexcept {
    if (text.capacity() > std::string().capacity()) {
        std::string().swap(text);
    } else {
        text.clear();  // it has none
    }
}

/// Bytes on their way to one side: text of our own first, then a run of content that still stands
/// in a buffer.
struct Outgoing {
    std::string text;
    std::size_t text_sent = 0;
    std::string_view content;

    std::string_view rest_of_text() const noexcept {
        return std::string_view(text).substr(text_sent);
    }

    bool empty() const noexcept { return text_sent == text.size() && content.empty(); }

    /// Takes note that `bytes` of it were written.
    void advance(std::size_t bytes) noexcept {
        const std::size_t from_text = std::min(bytes, text.size() - text_sent);
        text_sent += from_text;
        content.remove_prefix(bytes - from_text);
        if (text_sent == text.size()) {
            text.clear();
            text_sent = 0;
        }
    }

    /// Storage stays for the next request, but not that of a large answer of ours.
    void clear() noexcept {
        constexpr std::size_t kMostKept = 262144;
        if (text.capacity() > kMostKept) release(text);
        text.clear();
        text_sent = 0;
        content = {};
    }
};

/// What one request needs while it is under way: storage comes from the worker and goes back when
/// the answer is sent, so that an idle connection holds none of it.
struct Exchange {
    // The request's head stays here until the exchange ends: `request.head` points into it.
    Buffer head;
    std::size_t head_filled = 0;
    HeadScanner scanner;
    app::Request request;
    bool asked_by_head = false;  ///< the client's own method, whatever an override or the
                                 ///< integration makes of it: its answer has no content

    bool asked_to_close = false;  ///< by the client, who sends nothing behind this request

    // Content from the client: first what came with the head, then through `body`.
    Buffer body;
    std::size_t body_begin =
        0;  ///< unread bytes of `body`, or of `head` while `body` was never used
    std::size_t body_end = 0;
    bool body_in_head = true;
    bool replayable = true;  ///< all content so far came with the head, where it still stands
    http::Framing framing;   ///< of the client's request
    std::uint64_t body_left = 0;
    http::ChunkedDecoder decoder;
    std::string content;          ///< the whole of it, or what a request template made of it
    BufferedShare share;          ///< of what is kept for all requests: content, and large answers
    bool signed_content = false;  ///< it is collected for a signature, to be judged next
    bool collected = false;       ///< `content` is the request's, whole, and goes to the upstream
    bool upload_done = false;
    bool upload_broken = false;  ///< the upstream takes no more: only its answer is awaited
    SteadyTime body_began{};
    Outgoing up;
    Timeout up_timeout;  ///< the client's content, or room for it
    Pipe up_pipe;        ///< content that is on its way without having been read

    upstream::Call call;  ///< where the route's upstream has targets; the request holds it

    // The upstream's answer.
    Buffer down;
    std::size_t down_begin = 0;
    std::size_t down_end = 0;
    HeadScanner answer_scanner;
    http::ResponseHead answer;
    http::ChunkedDecoder answer_decoder;
    std::uint64_t answer_left = 0;
    int interim = 0;
    bool answer_head_done = false;
    bool buffered = false;       ///< the answer is read whole, then mapped
    std::string answer_text;     ///< head of a buffered answer: `answer` points into it
    std::string answer_content;  ///< of a buffered answer
    bool answer_any_byte = false;
    bool answer_begun = false;  ///< bytes of the upstream's answer went to the client
    bool rechunk = false;       ///< the client gets chunked coding
    Outgoing to_client;
    Pipe down_pipe;
    bool splices = true;       ///< the kernel has not refused it yet
    bool answer_done = false;  ///< nothing will be added to to_client
    bool own_answer = false;
    bool keep_upstream = false;

    bool retried = false;
    SteadyTime forward_began{};

    void clear();

    /// How the content stands in the upstream's request.
    http::Framing up_framing() const noexcept {
        if (!collected) return framing;
        // A client that says that it sends nothing is repeated as that.
        if (content.empty() && framing.kind != http::Framing::Kind::length) return {};
        return {http::Framing::Kind::length, content.size()};
    }

    /// The end of the answer's content is told to the client by closing alone (HTTP/1.0).
    bool ends_by_close() const noexcept {
        const http::Framing::Kind kind = answer.framing.kind;
        return !rechunk &&
               (kind == http::Framing::Kind::chunked || kind == http::Framing::Kind::until_close);
    }

    /// Unread content bytes that have arrived.
    std::string_view arrived() const noexcept {
        const char* data = body_in_head ? head.data() : body.data();
        return {data + body_begin, body_end - body_begin};
    }
};

}  // namespace gatehouse::net
