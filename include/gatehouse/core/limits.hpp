#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// Every numeric limit that is not configurable, and the default of every one that is. Sources: the
// contract (README), API Gateway's quotas, RFC 8725. Configurable ones are marked with their key.
namespace gatehouse::limits {

using namespace std::chrono_literals;

// Requests. `limits.*`
constexpr std::size_t kRequestLineBytes = 10240;
constexpr std::size_t kHeaderBytes = 10240;
constexpr std::size_t kHeaderCount = 100;
constexpr std::uint64_t kBodyBytes = 10485760;
constexpr std::size_t kConnections = 10000;
constexpr std::size_t kConnectionsPerAddress = 0;               // 0: no limit
constexpr std::size_t kRequestsPerConnection = 0;               // 0: no limit
constexpr std::uint64_t kBufferedBytes = 256ULL * 1024 * 1024;  // content kept, all connections
constexpr std::size_t kChunkExtensionBytes = 4096;
constexpr std::size_t kTrailerBytes = 8192;
constexpr std::size_t kMethodBytes = 32;

// Answers of upstreams. The first two are `limits.upstreamHeaderBytes` and `upstreamHeaderCount`.
constexpr std::size_t kUpstreamHeadBytes = 65536;
constexpr std::size_t kUpstreamHeaderCount = 256;
constexpr std::size_t kUpstreamBodyBytes = 10485760;  // of one that is mapped; others are streamed
constexpr int kInterimResponses = 8;

// Times. `timeouts.*`
constexpr std::chrono::milliseconds kHeaderTime = 10000ms;
constexpr std::chrono::milliseconds kBodyTime = 30000ms;
constexpr std::chrono::milliseconds kBodyTotalTime = 300000ms;
constexpr std::chrono::milliseconds kKeepAliveTime = 75000ms;
constexpr std::chrono::milliseconds kWriteTime = 30000ms;
constexpr std::chrono::milliseconds kConnectTime = 3000ms;
constexpr std::chrono::milliseconds kUpstreamIdleTime = 29000ms;
constexpr std::chrono::milliseconds kDrainTime = 25000ms;
constexpr std::chrono::milliseconds kIntegrationTimeDefault =
    29000ms;  // timeoutInMillis, 50 to 29000
constexpr std::chrono::milliseconds kIntegrationTimeLeast = 50ms;
constexpr std::chrono::milliseconds kIntegrationTimeMost = 29000ms;
constexpr std::chrono::milliseconds kHttpApiIntegrationTime = 30000ms;  // default, and the most

// Upstreams of several targets. The first two are `healthCheck.intervalInMillis` and
// `timeoutInMillis`, the third is `ejection.baseTimeInMillis`, the last `maxIdleConnections`.
constexpr std::chrono::milliseconds kHealthInterval = 10000ms;
constexpr std::chrono::milliseconds kHealthTimeout = 2000ms;
constexpr std::chrono::milliseconds kEjectionTime = 30000ms;
constexpr std::chrono::milliseconds kEjectionTimeMost = 300000ms;
constexpr std::size_t kUpstreamTargets = 256;  // a trace numbers them in a byte
constexpr std::size_t kIdleConnections = 1024;

// Look-ups of names. What they find is kept as long as the name server says, within these bounds; a
// name that is not there is asked for again after the first. Where nobody answers, the last good
// addresses serve on for the third.
constexpr std::chrono::seconds kNameTimeLeast = 1s;
constexpr std::chrono::seconds kNameTimeMost = 300s;
constexpr std::chrono::seconds kNameStale = 300s;

// Buffers of the data plane.
constexpr std::size_t kHeadBuffer = 16384;
constexpr std::size_t kBodyBuffer = 65536;
constexpr std::size_t kPipeBytes = 262144;  // content that the kernel moves, at most at once
constexpr std::size_t kSpliceFrom = 16384;  // less than this is copied: cheaper than two calls

// Routing and policies.
constexpr std::size_t kMethodArnBytes = 1600;
constexpr std::size_t kPolicyResourceBytes = 512;
constexpr std::size_t kPolicyBytes = 256 * 1024;
constexpr std::size_t kPathSegments = 128;

// Functions. Lambda takes and gives 6 MB in one synchronous invocation; a REST authorizer's limit
// is not documented.
constexpr std::size_t kFunctionEventBytes = 6291556;
constexpr std::size_t kFunctionAnswerBytes = 6291556;
constexpr std::size_t kAuthorizerResultBytes = 1024 * 1024;

// Tokens and key sets.
constexpr std::size_t kTokenBytes = 16384;
constexpr int kTokenJsonDepth = 32;
constexpr std::size_t kJwksBytes = 1024 * 1024;
constexpr std::size_t kJwksKeys = 1000;
constexpr int kRsaBitsLeast = 2048;
constexpr int kRsaBitsMost = 8192;
constexpr std::chrono::seconds kClockSkewMost = 300s;
constexpr std::chrono::seconds kJwksRefresh = 300s;         // jwks.refreshInSeconds
constexpr std::chrono::seconds kJwksCooldown = 10s;         // jwks.cooldownInSeconds
constexpr std::chrono::seconds kJwksMaxStale = 3600s;       // jwks.maxStaleInSeconds
constexpr std::chrono::milliseconds kJwksTimeout = 2000ms;  // jwks.timeoutInMillis

// Asking what an opaque token is (RFC 7662).
constexpr std::chrono::milliseconds kIntrospectionTime = 2000ms;  // introspection.timeoutInMillis
constexpr std::size_t kIntrospectionBytes = 65536;                // of an answer
constexpr std::size_t kIntrospectionCalls = 64;                   // under way, all endpoints
constexpr std::size_t kIntrospectionQueue = 1000;                 // that wait for one to end

// Signature Version 4: how far a request's time may be from ours, and how long a signed URL may be
// good for ("Authenticating Requests: Using Query Parameters").
constexpr std::chrono::seconds kSignatureWindow = 300s;
constexpr std::chrono::seconds kSignedUrlMost = 604800s;

// Regular expressions of the configuration (RE2): program and automaton of each, at most.
constexpr std::int64_t kExpressionBytes = 1024 * 1024;

// Mapping templates. The first two are the service's (developer guide, "limits"); the others keep a
// template that is legal but hostile from holding a worker.
constexpr std::size_t kTemplateBytes = 300 * 1024;
constexpr std::size_t kTemplateLoops = 1000;     // iterations of one #foreach
constexpr int kTemplateDepth = 64;               // blocks, brackets and strings in each other
constexpr int kTemplateValueDepth = 64;          // lists and maps in each other
constexpr std::size_t kTemplateSteps = 1000000;  // of one rendering
constexpr std::size_t kTemplateStepBytes = 64;   // bytes looked at or copied that make one step
constexpr std::size_t kTemplateOutputBytes = 10485760;
constexpr std::size_t kTemplateMemoryBytes = 64ULL * 1024 * 1024;  // of one rendering

// Models of request bodies (JSON Schema): what one validation may cost, whatever model and body.
constexpr int kBodyJsonDepth = 64;
constexpr int kSchemaDepth = 256;              // schemas applied within each other
constexpr std::size_t kSchemaSteps = 5000000;  // schemas applied, elements and bytes looked at
constexpr std::size_t kSchemaFailures = 16;    // told at most
constexpr std::size_t kSchemaMessageBytes = 300;

// Policy cache.
constexpr std::chrono::seconds kResultTtlDefault = 300s;  // authorizerResultTtlInSeconds
constexpr std::chrono::seconds kResultTtlMost = 3600s;
constexpr std::chrono::seconds kNegativeTtl = 5s;
constexpr std::size_t kCacheEntries = 1000000;              // limits.cacheEntries
constexpr std::size_t kCacheBytes = 1024ULL * 1024 * 1024;  // limits.cacheBytes
constexpr std::size_t kNegativeEntries = 10000;

// What replicas share in Redis.
constexpr std::chrono::milliseconds kSharedTime = 100ms;  // shared.timeoutInMillis
constexpr std::chrono::milliseconds kSharedTimeLeast = 5ms;
constexpr std::chrono::milliseconds kSharedTimeMost = 5000ms;
constexpr std::chrono::milliseconds kSharedSilence = 1000ms;  // then the connection is given up
constexpr std::chrono::milliseconds kSharedTick = 1000ms;     // usage counters are exchanged
constexpr std::chrono::milliseconds kSharedRetryFirst = 100ms;
constexpr std::chrono::milliseconds kSharedRetryMost = 5000ms;
constexpr std::size_t kSharedSecretBytes = 32;                  // at least
constexpr std::size_t kSharedEntryBytes = 131072;               // of an authorizer's answer
constexpr std::size_t kSharedReplyBytes = 4ULL * 1024 * 1024;   // of a reply of Redis
constexpr std::size_t kSharedQueueBytes = 16ULL * 1024 * 1024;  // that wait to be sent
constexpr std::size_t kSharedQueue = 10000;                     // batches without an answer
constexpr std::size_t kSharedFlushes = 1000;  // that wait for Redis; beyond it whole stages are
constexpr std::size_t kSharedCounters = 500;  // usage counters exchanged in one tick

// Running and calling functions. Lambda: 3 s for a call unless told otherwise, 10 s to start.
constexpr std::chrono::milliseconds kFunctionTime = 3000ms;  // functions.*.timeoutInMillis
constexpr std::chrono::milliseconds kFunctionTimeLeast = 50ms;
constexpr std::chrono::milliseconds kFunctionTimeMost = 900000ms;  // Lambda's own: 15 minutes
constexpr std::int64_t kFunctionProcesses = 64;                    // functions.*.concurrency
// The service documents none for REST APIs; its requests end after this time in all.
constexpr std::chrono::milliseconds kAuthorizerTime = 29000ms;
constexpr std::chrono::milliseconds kHttpApiAuthorizerTime = 10000ms;  // documented
constexpr std::chrono::milliseconds kFunctionStartTime = 10000ms;
constexpr std::chrono::milliseconds kFunctionGrace = 1000ms;  // between SIGTERM and SIGKILL
constexpr std::chrono::milliseconds kFunctionRestartFirst = 100ms;
constexpr std::chrono::milliseconds kFunctionRestartMost = 10000ms;
constexpr std::size_t kFunctionQueue = 1000;      // calls that wait for a turn, per function
constexpr std::size_t kEndpointConnections = 64;  // calls under way, per endpoint
constexpr std::size_t kFunctionLogLine = 4096;    // a longer line is cut

// Explanation.
constexpr std::size_t kJournalRecords = 4096;     // per worker
inline constexpr std::size_t kJournalEpochs = 8;  // configurations whose traces are kept
constexpr std::size_t kTraceDetailBytes = 2048;

/// Of a list or an object in the configuration: traces number what is in them in 15 bits.
constexpr std::size_t kConfiguredMost = 32767;

}  // namespace gatehouse::limits
