#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatehouse::bench {

/// What the poll tells of.
struct Watched {
    enum class Kind : std::uint8_t { listener, server, client };
    Kind kind;
    int fd;
};

/// One end of a connection, plain or TLS, that never blocks. What it sends is a text and then any
/// number of filler bytes, so that a gigabyte needs no gigabyte.
class Connection : public Watched {
  public:
    /// @param tls  null: plain
    Connection(int poll, int socket, Kind role, SSL_CTX* tls);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Sends what the socket takes; the rest when it takes more. `text` must stay in place.
    /// @return false: the connection is gone
    bool send(std::string_view text, std::uint64_t filler);

    /// Goes on sending.
    bool flush();

    bool sent_all() const noexcept { return text_.empty() && filler_ == 0; }

    /// @return bytes read; 0: nothing there now; -1: the other side has ended, or a fault
    ssize_t read(char* into, std::size_t most);

    /// Bytes that TLS has taken from the socket already: the poll will not tell of them.
    bool has_more() const;

    // The state of who uses it: Client, Upstream.
    std::string in;           ///< a head until it is whole, and a chunked body
    std::string out;          ///< a request that is like no other
    std::uint64_t skip = 0;   ///< content still to come
    std::uint64_t began = 0;  ///< ns
    std::size_t place = 0;    ///< in its owner's list
    bool in_body = false;
    bool waiting = false;  ///< for an answer
    bool good = true;

  private:
    ssize_t write(const char* from, std::size_t size);
    void arm(bool for_writing);

    int poll_;
    bool armed_ = false;
    SSL* ssl_ = nullptr;
    std::string_view text_;
    std::uint64_t filler_ = 0;
};

}  // namespace gatehouse::bench
