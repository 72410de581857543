#include "gatehouse/app/key_store.hpp"

#include "gatehouse/app/key_refresh.hpp"
#include "gatehouse/http/conceal_url.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace gatehouse::app {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Source {
    explicit Source(KeySourceOptions source_options)
        : options(std::move(source_options)),
          refresh(options.refresh, options.cooldown),
          location(http::conceal_url(options.jwks_uri)) {}

    KeySourceOptions options;
    KeyRefresh refresh;
    bool in_use = true;
    std::optional<Keys> keys;
    std::vector<std::function<void()>> waiting;
    std::string location;
    std::string last_error;
    std::uint64_t fetches = 0;
    std::uint64_t failures = 0;
    SteadyTime fetch_began{};
    Histogram fetch_seconds;

    bool usable(SteadyTime now) const { return keys && now - keys->fetched <= options.max_stale; }
};

bool lost_a_key(const std::optional<Keys>& before, const jwt::KeySet& after) {
    if (!before) return false;
    for (const auto& key : before->set->keys) {
        if (!after.has_thumbprint(key->thumbprint())) return true;
    }
    return false;
}

// One, so that the thread that ticks is held for 20 ms and not for as long as all keys take.
void make_one_table(const std::vector<std::shared_ptr<const jwt::KeySet>>& sets) {
    for (const auto& set : sets) {
        for (const auto& key : set->keys) {
            if (key->make_table()) return;
        }
    }
}

}  // namespace

struct KeyStore::Impl {
    mutable std::mutex mutex;
    std::vector<std::unique_ptr<Source>> sources;  // never shrinks: ids stay
    StartFetch start_fetch;
    KeysChanged keys_changed;
};

KeyStore::KeyStore() : impl_(std::make_unique<Impl>()) {}

KeyStore::~KeyStore() = default;

void KeyStore::on_start_fetch(StartFetch start_fetch) {
    impl_->start_fetch = std::move(start_fetch);
}

void KeyStore::on_keys_changed(KeysChanged keys_changed) {
    impl_->keys_changed = std::move(keys_changed);
}

std::uint32_t KeyStore::add(const KeySourceOptions& options) {
    const std::lock_guard lock(impl_->mutex);
    for (std::size_t i = 0; i < impl_->sources.size(); ++i) {
        if (impl_->sources[i]->options != options) continue;
        if (!std::exchange(impl_->sources[i]->in_use, true)) impl_->sources[i]->refresh.make_due();
        return static_cast<std::uint32_t>(i);
    }
    impl_->sources.push_back(std::make_unique<Source>(options));
    return static_cast<std::uint32_t>(impl_->sources.size() - 1);
}

void KeyStore::retain(const std::vector<std::uint32_t>& sources) {
    const std::lock_guard lock(impl_->mutex);
    for (std::size_t i = 0; i < impl_->sources.size(); ++i)
        impl_->sources[i]->in_use = std::ranges::binary_search(sources, i);
}

void KeyStore::refetch() {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& source : impl_->sources)
        source->refresh.make_due();
}

std::optional<Keys> KeyStore::current(std::uint32_t source, SteadyTime now) const {
    const std::lock_guard lock(impl_->mutex);
    const Source& found = *impl_->sources[source];
    if (!found.usable(now)) return std::nullopt;
    return found.keys;
}

bool KeyStore::await_fetch(std::uint32_t source, SteadyTime now, std::function<void()> ready) {
    KeySourceOptions options;
    {
        const std::lock_guard lock(impl_->mutex);
        Source& found = *impl_->sources[source];
        const bool start = found.refresh.wanted(now);
        if (!start && !found.refresh.under_way()) return false;
        found.waiting.push_back(std::move(ready));
        if (!start) return true;
        found.fetch_began = now;
        options = found.options;
    }
    impl_->start_fetch(source, options);
    return true;
}

milliseconds KeyStore::cooldown_left(std::uint32_t source, SteadyTime now) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->sources[source]->refresh.cooldown_left(now);
}

std::string KeyStore::location(std::uint32_t source) const {
    const std::lock_guard lock(impl_->mutex);
    const Source& found = *impl_->sources[source];
    return found.location.empty() ? found.options.issuer : found.location;
}

void KeyStore::tick(SteadyTime now) {
    std::vector<std::pair<std::uint32_t, KeySourceOptions>> due;
    std::vector<std::shared_ptr<const jwt::KeySet>> sets;
    {
        const std::lock_guard lock(impl_->mutex);
        for (std::size_t i = 0; i < impl_->sources.size(); ++i) {
            Source& source = *impl_->sources[i];
            if (!source.in_use) continue;
            if (source.keys) sets.push_back(source.keys->set);
            if (!source.refresh.tick(now)) continue;
            source.fetch_began = now;
            due.emplace_back(static_cast<std::uint32_t>(i), source.options);
        }
    }
    for (const auto& [source, options] : due)
        impl_->start_fetch(source, options);
    make_one_table(sets);
}

void KeyStore::fetched(std::uint32_t source,
                       Result<std::shared_ptr<const jwt::KeySet>> keys,
                       std::string location,
                       SteadyTime now) {
    std::vector<std::function<void()>> waiting;
    std::shared_ptr<const jwt::KeySet> changed;
    {
        const std::lock_guard lock(impl_->mutex);
        Source& found = *impl_->sources[source];
        ++found.fetches;
        if (found.refresh.under_way())
            found.fetch_seconds.observe(
                std::chrono::duration<double>(now - found.fetch_began).count());
        if (!location.empty()) found.location = http::conceal_url(location);
        if (keys) {
            if (lost_a_key(found.keys, **keys)) changed = *keys;
            found.keys = Keys{*keys, now};
            found.last_error.clear();
            found.refresh.succeeded(now);
        } else {
            ++found.failures;
            const Error& error = keys.error();
            found.last_error = std::string(reason_text(error.errc())) +
                               (error.detail.empty() ? "" : ": " + error.detail);
            found.refresh.failed(now);
        }
        waiting = std::exchange(found.waiting, {});
    }
    // First what a retired key verified leaves the cache, then those who wait for the new keys go
    // on.
    if (changed && impl_->keys_changed) impl_->keys_changed(source, *changed);
    for (const auto& ready : waiting)
        ready();
}

std::vector<KeySourceStatus> KeyStore::status(SteadyTime now) const {
    const std::lock_guard lock(impl_->mutex);
    std::vector<KeySourceStatus> rows;
    for (const auto& source : impl_->sources) {
        KeySourceStatus row;
        row.in_use = source->in_use;
        row.issuer = source->options.issuer;
        row.location = source->location;
        row.usable = source->usable(now);
        row.fetches = source->fetches;
        row.failures = source->failures;
        row.fetch_seconds = source->fetch_seconds;
        row.last_error = source->last_error;
        if (!source->refresh.under_way()) row.next_fetch_in = source->refresh.next_in(now);
        if (source->keys) {
            row.age = duration_cast<seconds>(now - source->keys->fetched);
            row.stale = row.usable && *row.age > source->options.refresh + seconds(1);
            for (const auto& key : source->keys->set->keys)
                row.keys.push_back(key->describe());
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace gatehouse::app
