#pragma once

#include "gatehouse/authz/response_type.hpp"
#include "gatehouse/core/errc.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/core/time.hpp"
#include "gatehouse/jwt/verify.hpp"
#include "gatehouse/policy/evaluate.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::app {

struct Snapshot;

/// What the second level of the policy cache, which replicas share, had of a miss.
enum class SharedUse : std::uint8_t {
    none,  ///< not asked
    hit,
    miss,
    away,  ///< Redis is, or was late
    bad,   ///< an entry that is not ours
};

std::string_view to_string(SharedUse use) noexcept;

enum class CacheUse : std::uint8_t { none, hit, miss, negative_hit, joined, off };

std::string_view to_string(CacheUse use) noexcept;

/// What to do about a refusal or failure; empty where its text says all.
std::string_view hint_for(Errc reason) noexcept;

/// What is kept of every request: enums, indices and numbers, written by the code that decides.
/// Text is made when somebody asks.
struct TraceRecord {
    std::array<unsigned char, 16> request_id{};
    std::int64_t wall_ms = 0;
    std::uint64_t request_bytes = 0;  ///< content
    std::uint64_t response_bytes = 0;
    std::uint32_t total_us = 0;
    std::uint32_t authorizer_us = 0;
    std::uint32_t connect_us = 0;
    std::uint32_t first_byte_us = 0;
    std::uint32_t cache_age_ms = 0;
    std::uint32_t cache_left_ms = 0;
    std::uint32_t identity = 0;  ///< first 4 bytes of the SHA-256 of the identity value
    std::uint16_t reason = 0;    ///< Errc
    std::uint16_t status = 0;
    std::uint16_t upstream_status = 0;
    std::int16_t api = -1;
    std::int16_t route = -1;
    std::int16_t authorizer = -1;
    std::int16_t statement = -1;
    std::int16_t resource = -1;
    std::int16_t api_key = -1;  ///< index into Snapshot::usage
    CacheUse cache = CacheUse::none;
    policy::Outcome outcome = policy::Outcome::implicit_deny;
    authz::ResponseType response = authz::ResponseType::default_5xx;
    bool judged : 1 = false;
    bool refused : 1 = false;  ///< answered by the gateway; response tells the type
    bool identity_found : 1 = false;
    bool retried : 1 = false;
    bool reused_upstream : 1 = false;
    bool path_cut : 1 = false;
    bool overridden : 1 = false;  ///< by x-gatehouse-override
    bool decision : 1 = false;    ///< for another proxy
    std::uint8_t epoch = 0;       ///< whose names its indices mean; the journal's affair
    std::uint8_t path_bytes : 6 = 0;
    std::uint8_t attempts : 2 = 0;  ///< targets asked; 0: no upstream has any
    std::uint8_t target = 0;        ///< of the route's upstream, the last that was asked
    char method_path[35] = {};      ///< "GET /items", cut
};

static_assert(sizeof(TraceRecord) == 128);

/// What refusals and misses add: owned, at most limits::kTraceDetailBytes in all.
struct TraceDetail {
    std::string path;  ///< without the query; printable
    std::string host;
    std::string method_arn;
    std::string issued_for;  ///< ARN that a cached policy was first made for
    std::string principal;
    std::string error;  ///< Error::detail
    std::string hint;   ///< what to do about it
    std::string kid;
    std::int64_t key_age_s = -1;
    SharedUse shared = SharedUse::none;
    std::string policy;  ///< compact JSON, cut
    jwt::CheckTrail checks;
    std::vector<policy::StatementTrail> statements;
    std::vector<std::string> left_out;  ///< statements that are not in the policy, and why
    std::string validation;             ///< what was wrong, without any value of the client's
    std::string request_template;       ///< its MIME type, or what was done without one
    std::string integration_response;   ///< key of the one that matched
    std::string response_template;      ///< its MIME type; empty: none

    /// Shortens texts and lists until the whole is within the bound.
    void bound();
};

struct Trace {
    TraceRecord record;
    std::shared_ptr<const TraceDetail> detail;  ///< null for a cached Allow
    std::shared_ptr<const Snapshot> snapshot;   ///< the configuration that it was judged by
};

/// The same as a journal has it, whose detail is not read yet (packed_detail.hpp): a worker hands
/// out thousands, and somebody else reads them.
struct KeptTrace {
    TraceRecord record;
    std::shared_ptr<const char[]> detail;
    std::shared_ptr<const Snapshot> snapshot;

    Trace unpack() const;
};

/// The trace as GET /traces shows it and `gatehouse explain` prints it. Steps in order of the
/// pipeline.
/// {"requestId", "time", "method", "path", "status", "reason", "reasonText", "verdict":
/// "allow"|"refuse", "steps": [{"step", "result", …}], …}
Json to_json(const Trace& trace);
Json to_json(const KeptTrace& trace);

/// The record with the indices of another configuration, by the names of API, route and authorizer;
/// -1 where it has them no more.
TraceRecord translate(const TraceRecord& record, const Snapshot& from, const Snapshot& to);

/// Lower-case UUID text of a request id, and back.
std::string request_id_text(const std::array<unsigned char, 16>& id);
std::optional<std::array<unsigned char, 16>> parse_request_id(std::string_view text) noexcept;

/// The 16 characters that an HTTP API's answer carries as apigw-requestid, a REST API's as
/// x-amz-apigw-id: made of the request id, so that one finds the other, but for ids that a client
/// chose.
std::array<char, 16> make_extended_id(const std::array<unsigned char, 16>& id) noexcept;

/// What GET /traces can filter by.
struct TraceFilter {
    std::optional<int> status;
    std::optional<std::string> reason;
    std::optional<std::string> route;  ///< route key, e.g. "GET /items"
    std::size_t limit = 50;
    std::optional<std::array<unsigned char, 16>> request_id;
    std::optional<std::string> extended_id;
};

bool matches(const TraceFilter& filter, const TraceRecord& record, const Snapshot& snapshot);

/// One worker's ring of the last traces, with the configurations that their indices mean: the last
/// limits::kJournalEpochs; traces of older ones are forgotten. Belongs to the worker's thread.
class Journal {
  public:
    explicit Journal(std::size_t records = limits::kJournalRecords);

    /// A configuration from which requests will begin.
    void begin(std::shared_ptr<const Snapshot> snapshot);

    /// @param detail  null: none
    /// @param snapshot  by which the request was judged, one that was begun
    void add(const TraceRecord& record, const TraceDetail* detail, const Snapshot* snapshot);

    /// Newest first.
    std::vector<KeptTrace> find(const TraceFilter& filter) const;

  private:
    struct Epoch {
        std::uint8_t id = 0;
        std::shared_ptr<const Snapshot> snapshot;
    };

    void forget(std::uint8_t epoch);

    std::vector<TraceRecord> records_;
    std::vector<std::shared_ptr<const char[]>> details_;  ///< packed_detail.hpp; null: none
    std::uint64_t next_ = 0;
    std::vector<Epoch> epochs_;  ///< oldest first
    std::uint8_t last_epoch_ = 0;
};

}  // namespace gatehouse::app
