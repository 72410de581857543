#include "client.hpp"

#include "wire.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <sys/socket.h>

namespace gatehouse::bench {
namespace {

constexpr std::size_t kAtOnce = 64;  // of connections that are only to be held open

// One version and one cipher, so that proxies which choose otherwise are still compared in kind.
SSL_CTX* make_tls() {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

}  // namespace

Client::Client(int poll, const Options& options) : poll_(poll), options_(options) {
    if (options.tls) tls_ = make_tls();
    request_ = (options.post > 0 ? "POST " : "GET ") + options.path +
               " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load\r\nAccept: */*\r\n";
    for (const std::string& header : options.headers)
        request_ += header + "\r\n";
    if (options.post > 0) request_ += "Content-Length: " + std::to_string(options.post) + "\r\n";
    if (options.close) request_ += "Connection: close\r\n";
    if (!options.tokens.empty()) {
        std::ifstream file(options.tokens);
        for (std::string line; std::getline(file, line);)
            tokens_.push_back(line);
        if (tokens_.empty()) die("gatehouse_load: --tokens");
    }
    varies_ = !tokens_.empty() || request_.find("{n}") != std::string::npos;
    if (!varies_) request_ += "\r\n";
    latencies.reserve(1 << 20);
}

Connection& Client::connect() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(options_.target);
    if (fd < 0 ||
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        die("gatehouse_load: connect");
    }
    no_delay(fd);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    connections_.push_back(std::make_unique<Connection>(poll_, fd, Watched::Kind::client, tls_));
    connections_.back()->place = connections_.size() - 1;
    return *connections_.back();
}

/// All connections are opened before one is used again, and then in turn.
Connection* Client::find_free() {
    const auto most = static_cast<std::size_t>(options_.connections);
    if (connections_.size() < most) return &connect();
    if (free_.empty() || options_.idle) return nullptr;
    Connection* connection = free_.front();
    free_.pop_front();
    return connection;
}

bool Client::may_send() const noexcept {
    if (!sending_ || (options_.requests > 0 && sent_ >= options_.requests)) return false;
    const auto most = static_cast<std::size_t>(options_.connections);
    return in_flight_ < (options_.idle ? std::min(kAtOnce, most) : most);
}

void Client::begin(std::uint64_t now) {
    sending_ = true;
    sent_ = answered_ = 0;
    due_ = static_cast<double>(now);
    latencies.clear();
}

void Client::send_more(std::uint64_t now) {
    while (may_send()) {
        std::uint64_t began = now;
        if (options_.rate > 0) {
            if (static_cast<double>(now) < due_) return;
            began = static_cast<std::uint64_t>(due_);  // who waits for a connection waits already
            due_ += 1e9 / options_.rate;
        }
        Connection* connection = find_free();
        if (connection == nullptr) return;
        send(*connection, began);
    }
}

void Client::send(Connection& connection, std::uint64_t began) {
    connection.began = began;
    connection.waiting = true;
    connection.good = true;
    ++in_flight_;
    ++sent_;
    if (varies_) make_request(connection.out);
    if (!connection.send(varies_ ? connection.out : request_, options_.post))
        drop(connection, "the proxy took no request");
}

void Client::make_request(std::string& out) {
    std::uint64_t number = number_++ % options_.numbers;
    if (options_.random) {
        random_ ^= random_ << 13U;
        random_ ^= random_ >> 7U;
        random_ ^= random_ << 17U;
        number = random_ % options_.numbers;
    }
    out.clear();
    for (std::size_t begin = 0;;) {
        const std::size_t end = request_.find("{n}", begin);
        out.append(request_, begin, end - begin);
        if (end == std::string::npos) break;
        out += std::to_string(number);
        begin = end + 3;
    }
    if (!tokens_.empty()) {
        out += "Authorization: Bearer " + tokens_[token_] + "\r\n";
        token_ = (token_ + 1) % tokens_.size();
    }
    out += "\r\n";
}

void Client::fail(std::string text) {
    if (errors++ == 0) why = std::move(text);
}

void Client::drop(Connection& connection, const char* fault) {
    if (connection.waiting) {
        --in_flight_;
        fail(fault);
    } else {
        free_.erase(std::remove(free_.begin(), free_.end(), &connection), free_.end());
    }
    const std::size_t place = connection.place;
    connections_.back()->place = place;
    std::swap(connections_[place], connections_.back());
    connections_.pop_back();
}

void Client::on_ready(Connection& connection) {
    static char buffer[256 * 1024];
    if (!connection.sent_all() && !connection.flush()) {
        drop(connection, "the proxy closed in the middle of a request");
        return;
    }
    do {
        const ssize_t got = connection.read(buffer, sizeof(buffer));
        if (got == 0) return;
        if (got < 0) {
            drop(connection, "the proxy closed without a whole answer");
            return;
        }
        if (!take(connection, {buffer, static_cast<std::size_t>(got)})) return;
    } while (connection.has_more());
}

/// @return false: the connection is no more
bool Client::take(Connection& connection, std::string_view bytes) {
    if (connection.in_body) {
        connection.skip -= std::min<std::uint64_t>(connection.skip, bytes.size());
        return connection.skip > 0 || finish(connection);
    }
    std::string_view text = bytes;
    if (!connection.in.empty()) text = connection.in.append(bytes);
    const std::size_t end = text.find("\r\n\r\n");
    if (end != std::string_view::npos) return take_head(connection, text, end + 4);
    if (connection.in.empty()) connection.in = bytes;
    return true;
}

bool Client::take_head(Connection& connection, std::string_view text, std::size_t end) {
    const std::string_view head = text.substr(0, end);
    const auto length = content_length(head);
    if (!length && find_field(head, "Transfer-Encoding").starts_with("chunked")) {
        const auto chunked = measure_chunked(text.substr(end));
        if (!chunked) {
            if (connection.in.empty()) connection.in = text;
            return true;
        }
        judge(connection, head, chunked->content);
        return finish(connection);
    }
    judge(connection, head, length.value_or(0));
    const std::uint64_t whole = length.value_or(0);
    const std::uint64_t here = text.size() - end;
    connection.in.clear();
    if (here >= whole) return finish(connection);
    connection.skip = whole - here;
    connection.in_body = true;
    return true;
}

void Client::judge(Connection& connection, std::string_view head, std::uint64_t content) {
    const std::string_view status = head.substr(std::min<std::size_t>(9, head.size()), 3);
    const std::string expected = std::to_string(options_.status);
    if (status == expected && content == options_.body) return;
    connection.good = false;
    fail("status " + std::string(status) + " with " + std::to_string(content) +
         " bytes instead of " + expected + " with " + std::to_string(options_.body));
}

bool Client::finish(Connection& connection) {
    if (!connection.waiting) {
        fail("an answer that nobody asked for");
        drop(connection, "");
        return false;
    }
    if (connection.good) {
        ++answered_;
        latencies.push_back(static_cast<double>(now_ns() - connection.began));
    }
    connection.in.clear();
    connection.in_body = false;
    connection.waiting = false;
    --in_flight_;
    if (options_.close) {
        drop(connection, "");
        return false;
    }
    free_.push_back(&connection);
    return true;
}

}  // namespace gatehouse::bench
