#pragma once

#include "gatehouse/core/time.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace gatehouse::authz {

/// How often what could hold a result was flushed: its stage, its authorizer, its identity; as
/// Redis has the numbers, an empty text for none.
using FlushEpochs = std::array<std::string, 3>;

/// An authorizer's answer on its way from one replica to another. What is kept is the answer, not
/// the grant: it is read again as if it had come from the authorizer, so that nothing can come by
/// this way that could not come by the other.
struct SharedEntry {
    FlushEpochs epochs;
    std::string method_arn;  ///< of the request that it was made for
    std::string reply;       ///< UTF-8
    WallTime ends;           ///< by the clock of the replica that made it
};

/// To be sealed: it holds what the authorizer said.
std::string make_shared_entry(const SharedEntry& entry);

/// Nothing for what make_shared_entry() of this version does not make.
std::optional<SharedEntry> parse_shared_entry(std::string_view text);

/// How long it may be used: until its end and no longer than `ttl`, since the other replica's clock
/// may be ahead. 0: not at all; it is over, or was flushed.
std::chrono::milliseconds life_left(const SharedEntry& entry,
                                    const FlushEpochs& epochs,
                                    WallTime now,
                                    std::chrono::milliseconds ttl) noexcept;

}  // namespace gatehouse::authz
