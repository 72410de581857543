#include "gatehouse/app/shared_state.hpp"

#include "gatehouse/app/snapshot.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/jwt/seal.hpp"
#include "shared_usage.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <random>
#include <utility>
#include <vector>

namespace gatehouse::app {
namespace {

using std::chrono::milliseconds;
using Kind = RedisReply::Kind;

// An identity's flush is remembered for as long as what it is against can live: the longest TTL of
// an entry, behind the longest call of a function.
constexpr milliseconds kIdentityFlush = limits::kResultTtlMost * 2;
constexpr std::int64_t kMessageVersion = 1;
constexpr std::size_t kMessageBytes = 8192;

struct Target {
    std::string api_id;
    std::string stage;
    std::optional<std::string> authorizer;  ///< nothing: the whole stage
};

/// An epoch, and what is to be dropped here when it has moved without us.
struct Watched {
    Target target;
    std::optional<std::uint64_t> known;
};

struct Flush {
    std::uint64_t number = 0;
    Target target;
    std::optional<jwt::Sha256> identity;
    bool under_way = false;
};

struct EntryNames {
    std::string entry;
    std::array<std::string, 3> epochs;  ///< as authz::FlushEpochs
};

std::string make_self() {
    std::random_device device;
    std::string text;
    for (int i = 0; i < 3; ++i)
        text += std::to_string(device());
    return text;
}

std::string_view bytes_of(const jwt::Sha256& digest) noexcept {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string utc_text(WallTime time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(
        std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

const RedisReply* find_error(const std::vector<RedisReply>& replies) {
    const auto found = std::ranges::find(replies, Kind::error, &RedisReply::kind);
    return found == replies.end() ? nullptr : &*found;
}

std::string refusal_of(const std::string& command, const RedisReply& error) {
    return "Redis refuses " + command + ": " + printable(error.text, 200);
}

}  // namespace

struct SharedState::Impl : std::enable_shared_from_this<SharedState::Impl> {
    Impl(SharedOptions options,
         RedisLink& redis,
         authz::GrantCache& grants,
         const Clock& time,
         Warn say)
        : seal(options.secret),
          prefix(std::move(options.prefix)),
          channel(SharedState::channel(prefix)),
          self(make_self()),
          link(redis),
          cache(grants),
          clock(time),
          warn(std::move(say)),
          usage(seal, prefix, self) {}

    // ---- names
    std::string epoch_name(const Target& target) const {
        return prefix + "f:" +
               (target.authorizer
                    ? seal.name({"authorizer", target.api_id, target.stage, *target.authorizer})
                    : seal.name({"stage", target.api_id, target.stage}));
    }

    /// Counts flushes of single identities in a stage, for those who were away.
    std::string identities_name(const Target& target) const {
        return prefix + "f:" + seal.name({"identities", target.api_id, target.stage});
    }

    std::string identity_name(const Target& target, const jwt::Sha256& identity) const {
        return prefix +
               "f:" + seal.name({"identity", target.api_id, target.stage, bytes_of(identity)});
    }

    EntryNames names_of(const SharedQuestion& question) const;

    std::string new_epoch() const {
        return std::to_string(clock.now().wall.time_since_epoch().count());
    }

    // ---- look-ups
    SharedFound read_found(const SharedQuestion& question,
                           const EntryNames& names,
                           SteadyTime began,
                           const std::vector<RedisReply>& replies);
    std::optional<authz::FlushEpochs> read_epochs(const EntryNames& names,
                                                  const std::vector<RedisReply>& values);
    void read_entry(const SharedQuestion& question,
                    const EntryNames& names,
                    const RedisReply& value,
                    const RedisReply& life,
                    SharedFound& found);

    // ---- epochs
    bool observe(const std::string& name, std::uint64_t value);
    void learn(const std::string& name, std::uint64_t value);
    void create_epochs(const std::vector<std::string>& names);
    void compare_epochs(bool again, const std::function<void(std::string)>& done);

    // ---- flushes
    void send_flushes(const std::function<void(std::string)>& done);
    void send_flush(const Flush& flush, const std::function<void(std::string)>& done);
    void publish(const Flush& flush,
                 const std::map<std::string, std::uint64_t>& epochs,
                 const std::function<void(std::string)>& done);
    void end_flush(std::uint64_t number, bool done);

    void exchange_usage();
    void count_error(const RedisReply& error);
    void count_bad(const char* what);

    void count(std::uint64_t SharedFacts::*what) {
        const std::lock_guard lock(mutex);
        ++(facts.*what);
    }

    const jwt::Seal seal;
    const std::string prefix;
    const std::string channel;
    const std::string self;
    RedisLink& link;
    authz::GrantCache& cache;
    const Clock& clock;
    const Warn warn;
    std::atomic<bool> serving{false};
    SharedUsage usage;  ///< the link's thread

    mutable std::mutex mutex;
    std::shared_ptr<const Snapshot> snapshot;  ///< guarded, and all below
    std::map<std::string, Watched> watched;    ///< by name
    std::deque<Flush> flushes;
    std::uint64_t next_flush = 0;
    SharedFacts facts;
    bool warned_of_bad = false;
    bool warned_of_error = false;
};

// ---- names ------------------------------------------------------------------------------------

EntryNames SharedState::Impl::names_of(const SharedQuestion& question) const {
    const Target stage{question.api_id, question.stage, std::nullopt};
    const Target authorizer{question.api_id, question.stage, question.authorizer};
    return {
        prefix + "e:" + seal.name({"entry", bytes_of(question.scope), bytes_of(question.identity)}),
        {epoch_name(stage), epoch_name(authorizer), identity_name(stage, question.identity)}};
}

// ---- faults -----------------------------------------------------------------------------------

void SharedState::Impl::count_error(const RedisReply& error) {
    bool first = false;
    {
        const std::lock_guard lock(mutex);
        ++facts.errors;
        first = !std::exchange(warned_of_error, true);
    }
    if (first)
        warn(
            "shared state: Redis refuses a command (told once; see "
            "gatehouse_shared_errors_total): " +
            printable(error.text, 200));
}

void SharedState::Impl::count_bad(const char* what) {
    {
        const std::lock_guard lock(mutex);
        if (std::exchange(warned_of_bad, true)) return;
    }
    warn(std::string("shared state: ") + what +
         " in Redis was not sealed with this gateway's secret: another secret, or another hand "
         "(told "
         "once; see gatehouse_shared_lookups_total and gatehouse_shared_errors_total)");
}

// ---- epochs -----------------------------------------------------------------------------------

// An epoch that nobody has made yet, or that Redis has lost, begins with the time: higher than any
// before it. Until then nothing is found or put.
void SharedState::Impl::create_epochs(const std::vector<std::string>& names) {
    std::vector<RedisCommand> commands;
    for (const std::string& name : names)
        commands.push_back({"SET", name, new_epoch(), "NX"});
    link.send(std::move(commands), [](const std::vector<RedisReply>&) {});
}

void SharedState::Impl::learn(const std::string& name, std::uint64_t value) {
    const std::lock_guard lock(mutex);
    const auto found = watched.find(name);
    if (found == watched.end()) return;
    std::optional<std::uint64_t>& known = found->second.known;
    known = std::max(known.value_or(0), value);
}

// False: it is lower than it was, so that what was flushed would be alive again.
bool SharedState::Impl::observe(const std::string& name, std::uint64_t value) {
    Target moved;
    std::uint64_t fallen = 0;
    {
        const std::lock_guard lock(mutex);
        const auto found = watched.find(name);
        if (found == watched.end()) return true;
        std::optional<std::uint64_t>& known = found->second.known;
        if (known == value) return true;
        if (known && *known > value) {
            fallen = *known - value;
        } else {
            known = value;
            moved = found->second.target;
        }
    }
    if (fallen > 0) {
        link.send({{"INCRBY", name, std::to_string(fallen)}},
                  [](const std::vector<RedisReply>&) {});
        return false;
    }
    // Somebody flushed, and we have not heard of it.
    std::optional<std::string_view> authorizer;
    if (moved.authorizer) authorizer = *moved.authorizer;
    cache.flush(moved.api_id, moved.stage, authorizer);
    return true;
}

// Two rounds where some have to be made first.
void SharedState::Impl::compare_epochs(bool again, const std::function<void(std::string)>& done) {
    std::vector<std::string> names;
    {
        const std::lock_guard lock(mutex);
        for (const auto& [name, watch] : watched)
            names.push_back(name);
    }
    if (names.empty()) return done({});
    RedisCommand command{"MGET"};
    command.insert(command.end(), names.begin(), names.end());
    link.send({std::move(command)},
              [impl = shared_from_this(), again, done, names](std::vector<RedisReply> replies) {
                  if (replies.empty()) return done("no answer");
                  if (const RedisReply* error = find_error(replies))
                      return done(refusal_of("MGET", *error));
                  const std::vector<RedisReply>& values = replies.front().list;
                  if (values.size() != names.size()) return done("an answer that is none");
                  std::vector<std::string> absent;
                  for (std::size_t i = 0; i < names.size(); ++i) {
                      const auto value = parse_count(values[i].text);
                      if (value) {
                          impl->observe(names[i], *value);
                      } else {
                          absent.push_back(names[i]);
                      }
                  }
                  if (absent.empty() || again) return done({});
                  impl->create_epochs(absent);
                  impl->compare_epochs(true, done);
              });
}

// ---- look-ups ---------------------------------------------------------------------------------

std::optional<authz::FlushEpochs> SharedState::Impl::read_epochs(
    const EntryNames& names, const std::vector<RedisReply>& values) {
    authz::FlushEpochs epochs;
    std::vector<std::string> absent;
    bool good = true;
    for (std::size_t i = 0; i < epochs.size(); ++i) {
        epochs[i] = values[i].text;
        const bool optional = i == 2;  // of an identity: most were never flushed
        if (values[i].kind == Kind::nil) {
            if (!optional) absent.push_back(names.epochs[i]);
            continue;
        }
        const auto value = parse_count(epochs[i]);
        if (!value) count(&SharedFacts::errors);  // another hand's
        good = good && value && observe(names.epochs[i], *value);
    }
    if (!absent.empty()) create_epochs(absent);
    if (!good || !absent.empty()) return std::nullopt;
    return epochs;
}

void SharedState::Impl::read_entry(const SharedQuestion& question,
                                   const EntryNames& names,
                                   const RedisReply& value,
                                   const RedisReply& life,
                                   SharedFound& found) {
    const auto text = seal.open(names.entry, value.text);
    auto entry = text ? authz::parse_shared_entry(*text) : std::nullopt;
    if (!entry) {
        found.use = SharedUse::bad;
        return count_bad("an entry");
    }
    found.left = authz::life_left(*entry, *found.epochs, clock.now().wall, question.ttl);
    // Redis counts the time of all entries by one clock.
    if (life.kind == Kind::integer && life.integer > 0)
        found.left = std::min(found.left, milliseconds(life.integer));
    if (found.left <= milliseconds(0)) return;
    found.use = SharedUse::hit;
    found.reply = std::move(entry->reply);
    found.method_arn = std::move(entry->method_arn);
}

SharedFound SharedState::Impl::read_found(const SharedQuestion& question,
                                          const EntryNames& names,
                                          SteadyTime began,
                                          const std::vector<RedisReply>& replies) {
    SharedFound found;
    if (replies.size() != 2) {
        count(&SharedFacts::away);
        return found;
    }
    found.use = SharedUse::miss;
    const RedisReply& values = replies.front();
    if (const RedisReply* error = find_error(replies)) {
        count_error(*error);
    } else if (values.kind == Kind::list && values.list.size() == names.epochs.size() + 1) {
        found.epochs = read_epochs(names, values.list);
        if (found.epochs && values.list.back().kind == Kind::text)
            read_entry(question, names, values.list.back(), replies.back(), found);
    }
    const std::lock_guard lock(mutex);
    ++(found.use == SharedUse::hit   ? facts.hits
       : found.use == SharedUse::bad ? facts.bad
                                     : facts.misses);
    facts.look_up_seconds.observe(
        std::chrono::duration<double>(clock.now().steady - began).count());
    return found;
}

void SharedState::find(const SharedQuestion& question, std::function<void(SharedFound)> done) {
    Impl& impl = *impl_;
    if (!impl.serving.load(std::memory_order_acquire)) {
        impl.count(&SharedFacts::away);
        return done({});
    }
    EntryNames names = impl.names_of(question);
    RedisCommand command{"MGET"};
    command.insert(command.end(), names.epochs.begin(), names.epochs.end());
    command.push_back(names.entry);
    const SteadyTime began = impl.clock.now().steady;
    impl.link.send({std::move(command), {"PTTL", names.entry}},
                   [impl = impl_, question, names, began, told = std::move(done)](
                       const std::vector<RedisReply>& replies) {
                       SharedFound found;
                       try {
                           found = impl->read_found(question, names, began, replies);
                       } catch (const std::exception&) {  // as if there were no Redis
                           found = {};
                       }
                       told(std::move(found));
                   });
}

void SharedState::put(const SharedQuestion& question,
                      const authz::FlushEpochs& epochs,
                      std::string_view reply,
                      std::string_view method_arn,
                      milliseconds life) {
    Impl& impl = *impl_;
    if (!impl.serving.load(std::memory_order_acquire) || life <= milliseconds(0) ||
        reply.size() > limits::kSharedEntryBytes)
        return;
    const std::string name = impl.names_of(question).entry;
    const std::string text = authz::make_shared_entry(
        {epochs, std::string(method_arn), std::string(reply), impl.clock.now().wall + life});
    impl.link.send({{"SET", name, impl.seal.seal(name, text), "PX", std::to_string(life.count())}},
                   [impl = impl_](const std::vector<RedisReply>& replies) {
                       if (const RedisReply* error = find_error(replies)) impl->count_error(*error);
                   });
}

// ---- flushes ----------------------------------------------------------------------------------

void SharedState::flush(std::string_view api_id,
                        std::string_view stage,
                        const std::optional<std::string>& authorizer,
                        const std::optional<jwt::Sha256>& identity) {
    Impl& impl = *impl_;
    {
        const std::lock_guard lock(impl.mutex);
        // Too many to be kept one by one: each stage as a whole, which is all of them and more.
        if (impl.flushes.size() >= limits::kSharedFlushes) {
            std::map<std::pair<std::string, std::string>, Flush> stages;
            for (const Flush& flush : impl.flushes) {
                Flush& whole = stages[{flush.target.api_id, flush.target.stage}];
                whole.number = impl.next_flush++;
                whole.target = {flush.target.api_id, flush.target.stage, std::nullopt};
            }
            impl.flushes.clear();
            for (const auto& [key, whole] : stages)
                impl.flushes.push_back(whole);
        }
        impl.flushes.push_back({impl.next_flush++,
                                {std::string(api_id), std::string(stage), authorizer},
                                identity,
                                false});
    }
    if (impl.serving.load(std::memory_order_acquire)) impl.send_flushes([](const std::string&) {});
}

// All that are not under way. `done` is told once, when the last of them has ended: nothing, or
// what went wrong with one.
void SharedState::Impl::send_flushes(const std::function<void(std::string)>& done) {
    std::vector<Flush> sent;
    {
        const std::lock_guard lock(mutex);
        for (Flush& flush : flushes) {
            if (!std::exchange(flush.under_way, true)) sent.push_back(flush);
        }
    }
    if (sent.empty()) return done({});

    struct Pending {
        std::atomic<std::size_t> left;
        std::mutex mutex;
        std::string why;
    };

    const auto pending = std::make_shared<Pending>();
    pending->left = sent.size();
    for (const Flush& flush : sent) {
        send_flush(flush, [pending, done](const std::string& why) {
            if (!why.empty()) {
                const std::lock_guard lock(pending->mutex);
                pending->why = why;
            }
            if (pending->left.fetch_sub(1) == 1) done(pending->why);
        });
    }
}

void SharedState::Impl::send_flush(const Flush& flush,
                                   const std::function<void(std::string)>& done) {
    const std::string first =
        flush.identity ? identity_name(flush.target, *flush.identity) : epoch_name(flush.target);
    std::vector<std::string> names{first};
    std::vector<RedisCommand> commands{{"SET", first, new_epoch(), "NX"}, {"INCR", first}};
    if (flush.identity) {
        names.push_back(identities_name(flush.target));
        commands.push_back({"SET", names.back(), new_epoch(), "NX"});
        commands.push_back({"INCR", names.back()});
        commands.push_back({"PEXPIRE", first, std::to_string(kIdentityFlush.count())});
    }
    link.send(std::move(commands),
              [impl = shared_from_this(), flush, names, done](std::vector<RedisReply> replies) {
                  if (const RedisReply* error = find_error(replies)) {
                      impl->count_error(*error);
                      impl->end_flush(flush.number, false);
                      return done(refusal_of("INCR", *error));
                  }
                  if (replies.size() < 2 * names.size()) {
                      impl->end_flush(flush.number, false);
                      return done("no answer");
                  }
                  std::map<std::string, std::uint64_t> epochs;
                  for (std::size_t i = 0; i < names.size(); ++i)
                      epochs[names[i]] = static_cast<std::uint64_t>(
                          std::max<std::int64_t>(replies[2 * i + 1].integer, 0));
                  for (const auto& [name, value] : epochs)
                      impl->learn(name, value);
                  impl->publish(flush, epochs, done);
              });
}

void SharedState::Impl::publish(const Flush& flush,
                                const std::map<std::string, std::uint64_t>& epochs,
                                const std::function<void(std::string)>& done) {
    Json message = {{"v", kMessageVersion},
                    {"from", self},
                    {"api", flush.target.api_id},
                    {"stage", flush.target.stage},
                    {"epochs", epochs}};
    if (flush.target.authorizer) message["authorizer"] = *flush.target.authorizer;
    if (flush.identity) message["identity"] = jwt::to_hex(*flush.identity);
    link.send({{"PUBLISH", channel, seal.seal(channel, dump_json(message))}},
              [impl = shared_from_this(), number = flush.number, done](
                  const std::vector<RedisReply>& replies) {
                  const RedisReply* error = find_error(replies);
                  if (error != nullptr) impl->count_error(*error);
                  const bool sent = !replies.empty() && error == nullptr;
                  impl->end_flush(number, sent);
                  done(sent               ? std::string()
                       : error == nullptr ? std::string("no answer")
                                          : refusal_of("PUBLISH", *error));
              });
}

// What was not done is done again: another epoch hurts nobody.
void SharedState::Impl::end_flush(std::uint64_t number, bool done) {
    const std::lock_guard lock(mutex);
    const auto found = std::ranges::find(flushes, number, &Flush::number);
    if (found == flushes.end()) return;
    if (done) {
        flushes.erase(found);
    } else {
        found->under_way = false;
    }
}

namespace {

std::optional<jwt::Sha256> parse_identity(std::string_view hex) {
    jwt::Sha256 digest{};
    if (hex.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const int high = hex_value(hex[2 * i]);
        const int low = hex_value(hex[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        digest[i] = static_cast<unsigned char>(high << 4 | low);
    }
    return digest;
}

}  // namespace

void SharedState::received(std::string_view message) {
    Impl& impl = *impl_;
    const auto text = impl.seal.open(impl.channel, message);
    const auto parsed = text ? parse_json(*text, {kMessageBytes, 3}) : fail(Errc::json_syntax);
    const auto version = parsed ? find_member(*parsed, "v") : nullptr;
    if (version == nullptr || *version != kMessageVersion) {
        impl.count(&SharedFacts::errors);
        return impl.count_bad("a message");
    }
    const auto from = get_string(*parsed, "from");
    if (from && *from == impl.self) return;
    const auto api = get_string(*parsed, "api");
    const auto stage = get_string(*parsed, "stage");
    const auto authorizer = get_string(*parsed, "authorizer");
    const auto identity = get_string(*parsed, "identity");
    const Json* epochs = find_member(*parsed, "epochs");
    if (!api || !stage || epochs == nullptr || !epochs->is_object()) return;
    for (const auto& [name, value] : epochs->items()) {
        if (value.is_number_unsigned()) impl.learn(name, value.get<std::uint64_t>());
    }
    std::optional<std::string_view> named;
    if (authorizer) named = *authorizer;
    // An identity that cannot be read is no reason to drop nothing.
    impl.cache.flush(*api, *stage, named, identity ? parse_identity(*identity) : std::nullopt);
    impl.count(&SharedFacts::flushes);
}

// ---- usage plans ------------------------------------------------------------------------------

void SharedState::Impl::exchange_usage() {
    std::shared_ptr<const Snapshot> current;
    {
        const std::lock_guard lock(mutex);
        current = snapshot;
    }
    if (current == nullptr) return;
    SharedUsage::Batch batch = usage.exchange(current, clock.now().wall);
    if (batch.commands.empty()) return;
    link.send(std::move(batch.commands),
              [impl = shared_from_this(),
               take = std::move(batch.take)](const std::vector<RedisReply>& replies) {
                  if (replies.empty()) return impl->usage.forget();
                  if (const RedisReply* error = find_error(replies)) impl->count_error(*error);
                  if (take(replies, impl->clock.now().wall) > 0) impl->count(&SharedFacts::errors);
              });
}

// ---- the link ---------------------------------------------------------------------------------

SharedState::SharedState(
    SharedOptions options, RedisLink& link, authz::GrantCache& cache, const Clock& clock, Warn warn)
    : impl_(std::make_shared<Impl>(std::move(options), link, cache, clock, std::move(warn))) {}

SharedState::~SharedState() = default;

std::string SharedState::channel(std::string_view prefix) {
    return std::string(prefix) + "flush";
}

void SharedState::adopt(std::shared_ptr<const Snapshot> snapshot) {
    Impl& impl = *impl_;
    std::map<std::string, Watched> watched;
    for (const CompiledApi& api : snapshot->apis) {
        const Target stage{api.stage.api_id, api.stage.stage, std::nullopt};
        watched[impl.epoch_name(stage)] = {stage, std::nullopt};
        watched[impl.identities_name(stage)] = {stage, std::nullopt};
        for (const auto& authorizer : api.authorizers) {
            if (authorizer->access_keys) continue;  // nothing of it is cached
            const Target one{stage.api_id, stage.stage, authorizer->source->name};
            watched[impl.epoch_name(one)] = {one, std::nullopt};
        }
    }
    bool news = false;
    {
        const std::lock_guard lock(impl.mutex);
        for (auto& [name, watch] : watched) {
            const auto before = impl.watched.find(name);
            if (before != impl.watched.end()) {
                watch.known = before->second.known;
            } else {
                news = true;
            }
        }
        impl.watched = std::move(watched);
        impl.snapshot = std::move(snapshot);
    }
    if (news && impl.serving.load(std::memory_order_acquire))
        impl.compare_epochs(false, [](const std::string&) {});
}

void SharedState::connected(std::function<void(std::string why)> ready) {
    const auto impl = impl_;
    impl->usage.forget();
    {
        const std::lock_guard lock(impl->mutex);
        // Nothing that was sent before will be answered.
        for (Flush& flush : impl->flushes)
            flush.under_way = false;
    }
    impl->send_flushes([impl, ready](const std::string& flushed) {
        if (!flushed.empty()) return ready(flushed);
        impl->compare_epochs(false, [impl, ready](std::string why) {
            if (why.empty()) {
                impl->serving.store(true, std::memory_order_release);
                impl->exchange_usage();
            }
            ready(std::move(why));
        });
    });
}

void SharedState::lost() {
    impl_->serving.store(false, std::memory_order_release);
}

void SharedState::tick() {
    if (!impl_->serving.load(std::memory_order_acquire)) return;
    impl_->send_flushes([](const std::string&) {});
    impl_->exchange_usage();
}

SharedFacts SharedState::facts() const {
    const std::lock_guard lock(impl_->mutex);
    SharedFacts facts = impl_->facts;
    facts.up = impl_->serving.load(std::memory_order_acquire);
    return facts;
}

std::string SharedState::warning() const {
    const RedisStatus status = impl_->link.status();
    if (status.up) return {};
    return "shared state: redis " + status.place + " away since " + utc_text(status.since) +
           (status.why.empty() ? "" : ": " + status.why);
}

}  // namespace gatehouse::app
