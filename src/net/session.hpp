#pragma once

#include "exchange.hpp"
#include "gatehouse/app/gateway.hpp"
#include "read_wait.hpp"
#include "timeouts.hpp"
#include "transport.hpp"
#include "upstream.hpp"
#include "worker.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

namespace gatehouse::net {

class ServerTls;

/// One client connection: a state machine of small steps, driven by readiness. No step blocks, none
/// allocates on a cached Allow.
///
/// Order of phases, and what may follow each:
///
///     handshaking → (TLS; then as without)
///     idle → head → deciding → connecting → relaying → idle | lingering | closed
///                 ↘ collecting → connecting, or deciding (a function) ↘
///                 ↘ answering (a refusal, a mock, a failure) ↗
///
/// Two pumps run while relaying: upload (client → upstream, relay_up.cpp) and download (upstream →
/// client, relay_down.cpp). Each writes what it has, then reads more; where one side takes no more,
/// nothing is read from the other (back-pressure).
class Session final : public UpstreamUser,
                      public boost::intrusive_ref_counter<Session, boost::thread_unsafe_counter> {
  public:
    enum class Phase : std::uint8_t {
        handshaking,
        idle,
        head,
        deciding,
        collecting,
        connecting,
        relaying,
        answering,
        lingering,
        closed
    };

    /// @param decision  a proxy's connection to the listener of `decision`
    Session(Worker& worker,
            Socket socket,
            const boost::asio::ip::tcp::endpoint& peer,
            std::uint16_t listener_port,
            bool decision);
    ~Session();

    /// Begins to wait for a request; on a TLS listener for a handshake before it.
    void start(const ServerTls* tls = nullptr);

    /// Shutdown: an idle connection closes, a busy one after its answer.
    void drain();

    /// Closes at once.
    void abort();

    /// Writes what was put off until the end of the loop's turn.
    void write_now();

  private:
    friend class Worker;
    using Ptr = boost::intrusive_ptr<Session>;

    // Events. Each runs inside guarded(): an exception is a bug, answered by 500 or a close, never
    // by an open gate.
    template <class Event>
    void guarded(Event&& event) {
        guarded_in_turn([&] {
            worker_.wake();
            event();
        });
    }

    template <class Event>
    void guarded_in_turn(Event&& event) {
        const Ptr keep(this);
        try {
            event();
        } catch (const std::exception& fault) {
            worker_.report_bug(fault.what());
            // A half-written answer cannot be mended, and whatever was not begun is refused by the
            // close.
            abort();
        }
    }

    void on_client_ready(boost::system::error_code ec);
    void on_client_readable();
    void on_client_writable();
    void on_upstream_readable() override;
    void on_upstream_writable() override;
    void on_down_timeout();
    bool takes_more();
    void on_up_timeout();

    enum class Side : std::uint8_t { upstream = 1, client = 2 };

    bool put_off(Side side);
    void arm_client_read(Expect expect);
    void arm_client_write();
    void arm_up_timeout(std::chrono::milliseconds duration);

    // session_tls.cpp: the handshake.
    void begin_handshake(const ServerTls& tls);
    void shake_hands();
    void handshake_failed(std::string_view why);

    // session.cpp: reading a request and deciding.
    void read_head();
    bool scan_head();
    void begin_request();
    bool has_place();
    bool is_last_request() noexcept;
    bool keep_content(std::string& into, std::string_view bytes);
    void refuse_unread(Errc error);
    void proceed(app::Step step);
    void wake(std::uint64_t ticket, const std::shared_ptr<const app::AuthorizeResult>& result);
    app::Wake make_wake();
    void answer_refusal();
    void answer_mock();
    void fail(Errc error, std::string detail);
    void answer(int status, std::string_view headers, std::string_view body);
    bool discard_request_body();
    void finish_exchange();
    void next_request();
    void look_again();
    void linger();
    void close();

    // collect.cpp: a request whose content is needed whole.
    void begin_collect();
    void collect();
    bool take_content();
    std::uint64_t most_content() const;
    std::uint64_t buffered_most() const;
    void authenticate();
    void execute();

    // invoke.cpp: a function's answer to it.
    void invoke();
    void on_outcome(std::uint64_t ticket, const std::shared_ptr<const app::LambdaOutcome>& outcome);

    // relay_up.cpp: to the upstream.
    void begin_forward();
    UpstreamPtr take_idle();
    void reach_upstream();
    void connect_upstream();
    void on_connected(Connected connected);
    void target_unreached(Errc error, std::string detail);
    void judge_target(Errc error);
    void note_target();
    void send_request();
    void pump_up();
    bool flush_up();
    bool produce_up();
    bool read_client_body();
    bool may_splice_up() const noexcept;
    bool splice_up();
    void await_room_up();
    void await_client_body();
    bool is_upload_late();
    void upload_finished();
    void upload_failed();
    bool is_repeatable() const;
    bool may_retry() const;
    bool try_again();
    void retry();

    // relay_down.cpp: to the client.
    void pump_down();
    bool flush_down();
    bool produce_down();
    void make_room_down();
    bool parse_answer_head();
    void begin_answer();
    bool take_answer_body();
    bool keep_answer_body();
    std::chrono::milliseconds answer_patience() const;
    void answer_mapped();
    bool read_upstream();
    void await_upstream();
    bool may_splice_down() const noexcept;
    bool splice_down();
    void client_left();
    void end_call();
    void release_upstream();
    void upstream_ended(IoStatus status);
    void answer_finished();
    void drop_upstream(bool reset);

    Worker& worker_;
    Ptr self_;  ///< an open session owns itself, whoever waits for what; close() ends that
    Transport client_;
    ReadWait<Session, &Session::client_, &Session::on_client_ready> client_read_;
    app::ClientFacts client_facts_;
    AddressCounts::Place address_place_;
    std::size_t requests_ = 0;  ///< begun on this connection
    std::unique_ptr<Exchange> exchange_;
    UpstreamPtr upstream_;
    std::uint64_t connecting_ = 0;  ///< ticket of a connect under way
    std::uint64_t wake_ticket_ = 0;
    Timeout down_timeout_;
    Session* previous_ = nullptr;  ///< the worker's list of sessions
    Session* next_ = nullptr;
    Phase phase_ = Phase::idle;
    bool write_armed_ = false;
    std::uint8_t put_off_ = 0;  ///< Side of each write that waits for the end of the loop's turn
    std::uint32_t linger_bytes_ = 0;
    int unsent_ = 0;  ///< when the wait for room began
    bool keep_alive_ = true;
    bool served_one_ = false;
    bool looked_again_ = true;  ///< while idle: see look_again()
};

}  // namespace gatehouse::net
