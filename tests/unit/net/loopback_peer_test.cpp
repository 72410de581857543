#include "gatehouse/net/loopback_peer.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <unistd.h>

namespace loopback_peer_test {

using namespace gatehouse::net;

TEST_SUITE("net/loopback_peer") {
    TEST_CASE("the owner is that of the other end alone") {
        // As the kernel prints them: a listener, our end, the peer's end, another peer of that
        // port.
        const std::string table =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
            "timeout inode\n"
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     7     "
            " "
            "  0 1063 1 000000002fe0789c 100 0 0 10 0\n"
            "   1: 0100007F:1F90 0100007F:CF62 01 00000000:00000000 00:00000000 00000000     8     "
            " "
            "  0 1064 1 000000002fe0789c 20 4 30 10 -1\n"
            "  10: 0100007F:CF62 0100007F:1F90 01 00000000:00000000 03:000000CA 00000000  1000     "
            " "
            "  0 1065 3 0000000079c7c1f9\n"
            "  11: 0100007F:CF63 0100007F:1F90 01 00000000:00000000 03:000000CA 00000000  1001     "
            " "
            "  0 1066 3 0000000079c7c1f9\n"
            "  12: 0100007F:CF64 0200007F:1F90 01 00000000:00000000 03:000000CA 00000000  1002     "
            " "
            "  0 1067 3 0000000079c7c1f9\n"
            "  13: 0000000000000000FFFF00000100007F:CF65 0000000000000000FFFF00000100007F:1F90 01 "
            "00000000:00000000 00:00000000 00000000  1003        0 1068 1 0000\n"
            "  14: 0100007F:CF66 0100007F:1F90 01 00000000:00000000";

        struct Row {
            const char* name;
            std::uint16_t peer;
            std::uint16_t ours;
            std::optional<uid_t> owner;
        };

        const Row rows[] = {
            {"a peer", 0xCF62, 0x1F90, 1000},
            {"its neighbour", 0xCF63, 0x1F90, 1001},
            {"the other way round", 0x1F90, 0xCF62, 8},
            {"IPv4 from an IPv6 socket", 0xCF65, 0x1F90, 1003},
            {"another address", 0xCF64, 0x1F90, std::nullopt},
            {"another port of ours", 0xCF62, 0x1F91, std::nullopt},
            {"a listener is no peer", 0x1F90, 0, std::nullopt},
            {"no such peer", 0x0F62, 0x1F90, std::nullopt},
            {"a line cut short", 0xCF66, 0x1F90, std::nullopt},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(parse_loopback_owner(table, row.peer, row.ours) == row.owner);
        }
        CHECK_FALSE(parse_loopback_owner("", 1, 2));
        CHECK_FALSE(parse_loopback_owner("\n\n \n", 1, 2));
    }

    TEST_CASE("the kernel's own table names us") {
        using boost::asio::ip::tcp;
        boost::asio::io_context io;
        tcp::acceptor acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
        tcp::socket client(io);
        client.connect(acceptor.local_endpoint());
        const tcp::socket served = acceptor.accept();
        CHECK(find_loopback_owner(served.remote_endpoint().port(),
                                  served.local_endpoint().port()) == ::geteuid());
        CHECK_FALSE(find_loopback_owner(served.local_endpoint().port(), 0));
    }
}

}  // namespace loopback_peer_test
