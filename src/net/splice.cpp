#include "splice.hpp"

#include "gatehouse/core/limits.hpp"

#include <algorithm>

namespace gatehouse::net {

Spliced splice(Transport& source, Transport& sink, Pipe& pipe, std::uint64_t& left) noexcept {
    for (;;) {
        while (pipe.held() > 0) {
            const IoResult sent = sink.splice_out_of(pipe);
            if (sent.status == IoStatus::would_block) return Spliced::sink_full;
            if (sent.status != IoStatus::done) return Spliced::sink_failed;
        }
        if (left < limits::kSpliceFrom) return Spliced::done;
        const auto most =
            static_cast<std::size_t>(std::min<std::uint64_t>(left, limits::kPipeBytes));
        const IoResult got = source.splice_into(pipe, most);
        if (got.status == IoStatus::would_block) return Spliced::source_empty;
        if (got.status == IoStatus::closed) return Spliced::source_ended;
        if (got.status != IoStatus::done) return Spliced::source_failed;
        left -= got.bytes;
    }
}

}  // namespace gatehouse::net
