#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace gatehouse::net {

/// What a name server, or the hosts file, said of a name.
struct NameAnswer {
    boost::system::error_code error;
    std::vector<boost::asio::ip::tcp::endpoint> found;
    /// For how long it is good: what the name server says, within limits::kNameTimeLeast and Most.
    std::chrono::seconds ttl{0};
};

/// Asks these name servers ("127.0.0.1:5353") from now on, in place of the system's. Before the
/// first look-up; empty: the system's.
void use_name_servers(const std::vector<std::string>& servers);

/// Looks a name up, which takes some seconds where nobody answers: on a thread of its own. The
/// hosts file comes first; a name that neither it nor a name server of the system's knows is asked
/// of the C library too, which may have other sources.
NameAnswer query_name(const std::string& host, const std::string& port);

}  // namespace gatehouse::net
