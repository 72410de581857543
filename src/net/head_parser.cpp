#include "head_parser.hpp"

#include "gatehouse/http/fields.hpp"
#include "gatehouse/http/framing.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

#include <cstring>
#include <functional>

namespace gatehouse::net {
namespace {

namespace bhttp = boost::beast::http;

// Beast's parser with the fields as views into the read buffer: nothing is copied, nothing is
// allocated. It is used for its syntax only; framing is checked by http/framing, and the content
// never goes through it.
template <bool IsRequest>
class ViewParser final : public bhttp::basic_parser<IsRequest> {
  public:
    ViewParser(std::string_view bytes, std::vector<http::Field>& fields)
        : bytes_(bytes), fields_(fields) {
        this->header_limit(UINT32_MAX);  // HeadScanner has applied the limits
        this->body_limit(boost::none);
        this->eager(false);
    }

    std::string_view method;
    std::string_view target;
    std::string_view reason;
    int version = 0;
    int status = 0;
    bool copied =
        false;  ///< a value was folded into Beast's own storage: a view of it would dangle

  private:
    using string_view = boost::beast::string_view;
    using error_code = boost::beast::error_code;

    static std::string_view view(string_view text) noexcept { return {text.data(), text.size()}; }

    void on_request_impl(bhttp::verb,
                         string_view method_text,
                         string_view target_text,
                         int http_version,
                         error_code&) override {
        method = view(method_text);
        target = view(target_text);
        version = http_version;
    }

    void on_response_impl(int code,
                          string_view reason_text,
                          int http_version,
                          error_code&) override {
        status = code;
        reason = view(reason_text);
        version = http_version;
    }

    void on_field_impl(bhttp::field, string_view name, string_view value, error_code&) override {
        const char* end = bytes_.data() + bytes_.size();
        if (!value.empty() &&
            (std::less<>()(value.data(), bytes_.data()) || !std::less<>()(value.data(), end)))
            copied = true;
        fields_.push_back({view(name), view(value), http::find_field_id(view(name))});
    }

    void on_header_impl(error_code&) override {}

    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

    std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }

    void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}

    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
        return body.size();
    }

    void on_finish_impl(error_code&) override {}

    std::string_view bytes_;
    std::vector<http::Field>& fields_;
};

// Feeds the whole head. Beast's own complaints about Content-Length and Transfer-Encoding come out
// of put() as well: any error refuses.
template <bool IsRequest>
boost::beast::error_code parse(ViewParser<IsRequest>& parser, std::string_view bytes) {
    boost::beast::error_code ec;
    std::size_t used = 0;
    while (used < bytes.size() && !parser.is_header_done() && !ec) {
        const std::size_t taken =
            parser.put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used), ec);
        if (taken == 0 && !ec) break;
        used += taken;
    }
    if (!ec && !parser.is_header_done()) ec = bhttp::error::partial_message;
    return ec;
}

}  // namespace

bool HeadScanner::line(std::string_view bytes,
                       std::size_t line_end,
                       const Limits& limits) noexcept {
    if (line_end == line_begin_ || bytes[line_end - 1] != '\r') {
        error_ = Errc::request_malformed;  // bare LF
        return false;
    }
    const std::size_t length = line_end - 1 - line_begin_;
    const bool first = first_line_end_ == 0;
    if (length == 0) {
        if (!first) {
            end_ = line_end + 1;
            return true;
        }
        if (++empty_lines_ > 2) error_ = Errc::request_malformed;
        begin_ = line_end + 1;
    } else if (first) {
        if (length > limits.line_bytes) error_ = Errc::target_too_long;
        first_line_end_ = line_end + 1;
    } else {
        if (bytes[line_begin_] == ' ' || bytes[line_begin_] == '\t')
            error_ = Errc::field_invalid;  // obs-fold, RFC 9112 5.2
        if (++lines_ > limits.header_count) error_ = Errc::fields_too_many;
        if (line_end + 1 - first_line_end_ > limits.header_bytes) error_ = Errc::head_too_large;
    }
    line_begin_ = line_end + 1;
    return false;
}

bool HeadScanner::scan(std::string_view bytes, const Limits& limits) noexcept {
    while (error_ == Errc::none) {
        const char* from = bytes.data() + line_begin_;
        const auto* feed =
            static_cast<const char*>(std::memchr(from, '\n', bytes.size() - line_begin_));
        if (feed == nullptr) break;
        if (line(bytes, static_cast<std::size_t>(feed - bytes.data()), limits)) return true;
    }
    if (error_ != Errc::none) return false;
    // A line that is not whole yet counts too: memory stays bounded while reading.
    const std::size_t open = bytes.size() - line_begin_;
    if (first_line_end_ == 0 && open > limits.line_bytes + 1) error_ = Errc::target_too_long;
    if (first_line_end_ != 0 && bytes.size() - first_line_end_ > limits.header_bytes + 2)
        error_ = Errc::head_too_large;
    return false;
}

Errc parse_request_head(std::string_view bytes,
                        http::RequestHead& head,
                        std::vector<http::Field>& fields) {
    fields.clear();
    head = {};
    ViewParser<true> parser(bytes, fields);
    const auto ec = parse(parser, bytes);
    head.method = parser.method;
    head.target = parser.target;
    head.fields = fields;
    if (ec == bhttp::error::bad_version) return Errc::version_unsupported;
    if (ec == bhttp::error::bad_content_length || ec == bhttp::error::multiple_content_length)
        return Errc::content_length_invalid;
    if (ec == bhttp::error::bad_transfer_encoding) return Errc::transfer_encoding_invalid;
    if (ec || parser.copied) return Errc::request_malformed;
    head.version = parser.version == 10 ? http::Version::http_1_0 : http::Version::http_1_1;
    return http::check_request(head);
}

Errc parse_response_head(std::string_view bytes,
                         std::string_view method,
                         http::ResponseHead& head,
                         std::vector<http::Field>& fields) {
    fields.clear();
    head = {};
    ViewParser<false> parser(bytes, fields);
    if (method == "HEAD") parser.skip(true);
    if (parse(parser, bytes) || parser.copied) return Errc::upstream_malformed;
    head.status = parser.status;
    head.reason = parser.reason;
    head.fields = fields;
    head.version = parser.version == 10 ? http::Version::http_1_0 : http::Version::http_1_1;
    return http::check_response(head, method);
}

}  // namespace gatehouse::net
