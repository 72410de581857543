#include "gatehouse/app/key_store.hpp"

#include "support/gateway_fixture.hpp"
#include "support/p256_tables.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

namespace key_store_test {

using namespace gatehouse;
using namespace gatehouse::app;
using namespace std::chrono_literals;

namespace {

KeySourceOptions options_of(std::string issuer) {
    KeySourceOptions options;
    options.issuer = std::move(issuer);
    options.jwks_uri = options.issuer + "jwks.json";
    return options;
}

struct StoreFixture {
    test::FakeClock clock;
    KeyStore keys;
    test::ScriptedFetcher fetcher{keys, clock};
    std::uint32_t source = keys.add(options_of("https://one.example/"));
    std::vector<std::string> events;

    SteadyTime now() const { return clock.now().steady; }

    bool await(const std::string& name) {
        return keys.await_fetch(source, now(), [this, name] { events.push_back(name); });
    }

    void fetch(const std::vector<std::string>& kids) {
        keys.tick(now());
        fetcher.succeed(kids);
    }

    bool has(std::string_view kid) const {
        const auto current = keys.current(source, clock.now().steady);
        return current && current->set->find(kid, jwt::Algorithm::es256) != nullptr;
    }

    std::shared_ptr<const jwt::PublicKey> key(std::string_view kid) const {
        return keys.current(source, now())->set->find(kid, jwt::Algorithm::es256);
    }

    // As much as it takes for the key to want its table.
    void use(const std::string& kid) const {
        const std::string signature = test::key_named(kid).sign("input").value();
        for (int i = 0; i < test::kOftenEnough; ++i)
            REQUIRE(key(kid)->verify(jwt::Algorithm::es256, "input", signature) == Errc::none);
    }

    int tables(const std::vector<std::string>& kids) const {
        int count = 0;
        for (const std::string& kid : kids)
            count += key(kid)->has_table() ? 1 : 0;
        return count;
    }

    KeySourceStatus status() const { return keys.status(clock.now().steady).at(source); }
};

}  // namespace

TEST_SUITE("app/key_store") {
    TEST_CASE("equal options share one source and any difference makes another") {
        KeyStore keys;
        const KeySourceOptions same = options_of("https://one.example/");
        const std::uint32_t first = keys.add(same);
        CHECK(keys.add(same) == first);

        struct Row {
            const char* name;
            KeySourceOptions options;
        };

        std::vector<Row> rows(6, Row{"", same});
        rows[0] = {"issuer", options_of("https://two.example/")};
        rows[1].name = "jwks_uri";
        rows[1].options.jwks_uri.clear();
        rows[2].name = "refresh";
        rows[2].options.refresh = 1s;
        rows[3].name = "cooldown";
        rows[3].options.cooldown = 1s;
        rows[4].name = "max_stale";
        rows[4].options.max_stale = 1s;
        rows[5].name = "timeout";
        rows[5].options.timeout = 1ms;
        for (const Row& row : rows) {
            CAPTURE(row.name);
            CHECK(keys.add(row.options) != first);
        }
        CHECK(keys.status({}).size() == 7);
    }

    TEST_CASE("a source has no keys until its first fetch has ended well") {
        StoreFixture f;
        CHECK_FALSE(f.keys.current(f.source, f.now()));
        CHECK(f.fetcher.started() == 0);
        f.keys.tick(f.now());
        f.keys.tick(f.now());
        CHECK(f.fetcher.started() == 1);
        CHECK_FALSE(f.keys.current(f.source, f.now()));
        f.fetcher.succeed({"k1"});
        CHECK(f.has("k1"));
        CHECK(f.keys.current(f.source, f.now())->fetched == f.now());
    }

    TEST_CASE("a failed fetch keeps the old keys and their age") {
        StoreFixture f;
        f.fetch({"k1"});
        const SteadyTime fetched = f.now();
        f.clock.step(300s);
        f.keys.tick(f.now());
        f.fetcher.fail();
        REQUIRE(f.has("k1"));
        CHECK(f.keys.current(f.source, f.now())->fetched == fetched);
        CHECK(f.status().failures == 1);
        CHECK(f.status().last_error == "key set could not be fetched: connection refused");
    }

    TEST_CASE("keys serve up to max_stale and not a moment longer") {
        StoreFixture f;
        f.fetch({"k1"});
        f.clock.step(3600s);
        CHECK(f.has("k1"));
        CHECK(f.status().usable);
        f.clock.step(1ms);
        CHECK_FALSE(f.keys.current(f.source, f.now()));
        CHECK_FALSE(f.status().usable);
        f.fetch({"k1"});
        CHECK(f.has("k1"));
    }

    TEST_CASE("all who wait are told once when the fetch ends well or not") {
        for (const bool well : {true, false}) {
            CAPTURE(well);
            StoreFixture f;
            CHECK(f.await("first"));
            CHECK(f.await("second"));
            CHECK(f.fetcher.started() == 1);
            CHECK(f.events.empty());
            if (well) {
                f.fetcher.succeed({"k1"});
            } else {
                f.fetcher.fail();
            }
            CHECK(f.events == std::vector<std::string>{"first", "second"});
            f.clock.step(1h);
            f.fetch({"k1"});
            CHECK(f.events.size() == 2);
        }
    }

    TEST_CASE("who comes within the cooldown is refused and never told") {
        StoreFixture f;
        f.fetch({"k1"});
        CHECK_FALSE(f.await("refused"));
        CHECK(f.keys.cooldown_left(f.source, f.now()) == 10s);
        f.clock.step(10s);
        CHECK(f.await("taken"));
        f.fetcher.succeed({"k1"});
        CHECK(f.events == std::vector<std::string>{"taken"});
    }

    TEST_CASE("a thousand unknown kids start at most one fetch per cooldown") {
        StoreFixture f;
        f.fetch({"k1"});
        const int before = f.fetcher.started();
        for (int i = 0; i < 1000; ++i) {
            f.clock.step(40ms);  // 40 s in all: at 10, 20, 30 and 40 s the cooldown is over
            f.await("x");
            if (f.fetcher.pending() > 0) f.fetcher.succeed({"k1"});
        }
        CHECK(f.fetcher.started() - before == 4);
    }

    TEST_CASE("who waits for a slow source does not wait for another") {
        StoreFixture f;
        const std::uint32_t other = f.keys.add(options_of("https://two.example/"));
        REQUIRE(f.await("one"));
        REQUIRE(f.keys.await_fetch(other, f.now(), [&] { f.events.push_back("two"); }));
        f.keys.fetched(other, test::key_set_of({"k2"}), "", f.now());
        CHECK(f.events == std::vector<std::string>{"two"});
        CHECK_FALSE(f.has("k2"));
        CHECK(f.keys.current(other, f.now()));
    }

    TEST_CASE("a refresh that drops a key tells so before those who wait go on") {
        StoreFixture f;
        f.keys.on_keys_changed([&](std::uint32_t source, const jwt::KeySet& keys) {
            CHECK(source == f.source);
            CHECK(keys.find("k2", jwt::Algorithm::es256) != nullptr);
            f.events.push_back("changed");
        });
        f.fetch({"k1"});
        f.clock.step(10s);
        REQUIRE(f.await("waiting"));
        f.fetcher.succeed({"k2"});
        CHECK(f.events == std::vector<std::string>{"changed", "waiting"});
        CHECK_FALSE(f.has("k1"));
        CHECK(f.has("k2"));
    }

    TEST_CASE("a refresh that only adds keys or changes nothing tells nothing") {
        StoreFixture f;
        f.keys.on_keys_changed(
            [&](std::uint32_t, const jwt::KeySet&) { f.events.push_back("changed"); });
        f.fetch({"k1"});
        f.clock.step(300s);
        f.fetch({"k1"});
        f.clock.step(300s);
        f.fetch({"k1", "k2"});
        CHECK(f.events.empty());
    }

    TEST_CASE("status tells usable and stale apart and counts fetches") {
        StoreFixture f;
        KeySourceStatus cold = f.status();
        CHECK_FALSE(cold.usable);
        CHECK_FALSE(cold.age);
        CHECK(cold.location == "https://one.example/jwks.json");
        CHECK(cold.keys.empty());
        f.fetch({"k1", "k2"});
        f.clock.step(302s);
        const KeySourceStatus old = f.status();
        CHECK(old.usable);
        CHECK(old.stale);
        CHECK(old.age == 302s);
        CHECK(old.fetches == 1);
        CHECK(old.next_fetch_in == 0ms);
        CHECK(old.keys.size() == 2);
        f.keys.tick(f.now());
        CHECK_FALSE(f.status().next_fetch_in);  // under way
        f.fetcher.succeed({"k1"});
        CHECK_FALSE(f.status().stale);
        CHECK(f.status().last_error.empty());
        CHECK(f.status().location == std::string(test::kJwksUri));
    }

    TEST_CASE("location is the issuer until discovery has named the key set") {
        KeyStore keys;
        KeySourceOptions options = options_of("https://one.example/");
        options.jwks_uri.clear();
        const std::uint32_t source = keys.add(options);
        CHECK(keys.location(source) == "https://one.example/");
        keys.fetched(source, test::key_set_of({"k1"}), "https://one.example/k", SteadyTime(1h));
        CHECK(keys.location(source) == "https://one.example/k");
        keys.fetched(source, fail(Errc::jwks_fetch_failed), "", SteadyTime(2h));
        CHECK(keys.location(source) == "https://one.example/k");
    }

    TEST_CASE_FIXTURE(StoreFixture, "a source of a configuration that is gone is fetched no more") {
        const std::uint32_t second = keys.add(options_of("https://two.example/"));
        keys.tick(now());
        fetcher.succeed({"k1"});
        fetcher.succeed({"k2"});
        keys.retain({second});
        CHECK_FALSE(status().in_use);
        CHECK(keys.status(now()).at(second).in_use);
        clock.step(301s);
        keys.tick(now());
        CHECK(fetcher.pending() == 1);
        fetcher.succeed({"k2"});
        // Requests that began before still verify by its keys.
        CHECK(has("k1"));
        // Named again, it has the same number, and is fetched at once.
        CHECK(keys.add(options_of("https://one.example/")) == source);
        CHECK(status().in_use);
        keys.tick(now());
        CHECK(fetcher.pending() == 1);
        fetcher.succeed({"k1"});
    }

    TEST_CASE_FIXTURE(StoreFixture, "all sources are fetched again when that is wanted") {
        fetch({"k1"});
        keys.tick(now());
        CHECK(fetcher.pending() == 0);
        keys.refetch();
        keys.tick(now());
        CHECK(fetcher.pending() == 1);
        fetcher.succeed({"k2"});
        CHECK(has("k2"));
        CHECK_FALSE(has("k1"));
    }

    TEST_CASE_FIXTURE(StoreFixture, "each tick makes the table of one key that is used") {
        if (!test::kTables) return;
        const std::vector<std::string> all = {"k1", "k2", "k3"};
        fetch(all);
        keys.tick(now());
        CHECK(tables(all) == 0);
        use("k1");
        use("k3");
        CHECK(tables(all) == 0);  // which no verification makes
        keys.tick(now());
        CHECK(tables(all) == 1);
        keys.tick(now());
        CHECK(tables(all) == 2);
        keys.tick(now());
        CHECK(tables({"k1", "k3"}) == 2);
        CHECK(tables({"k2"}) == 0);
        use("k1");
        use("k2");
        keys.tick(now());
        CHECK(tables(all) == 3);
    }

    TEST_CASE_FIXTURE(StoreFixture, "a key of a configuration that is gone gets no table") {
        if (!test::kTables) return;
        fetch({"k1"});
        use("k1");
        keys.retain({});
        keys.tick(now());
        CHECK(tables({"k1"}) == 0);
        keys.add(options_of("https://one.example/"));
        keys.tick(now());
        CHECK(tables({"k1"}) == 1);
    }
}

}  // namespace key_store_test
