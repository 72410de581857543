#include "gatehouse/authz/shared_entry.hpp"

#include "gatehouse/core/json.hpp"
#include "gatehouse/core/limits.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace shared_entry_test {

using namespace gatehouse;
using namespace gatehouse::authz;
using namespace std::chrono_literals;

namespace {

const WallTime kNow{std::chrono::seconds(1795492800)};

SharedEntry make_entry() {
    return {{"12", "34", ""}, "arn:aws:execute-api:r:1:a/s/GET/x", R"({"a":"é\""})", kNow + 60s};
}

}  // namespace

TEST_SUITE("authz/shared_entry") {
    TEST_CASE("an entry is read as it was made") {
        const auto read = parse_shared_entry(make_shared_entry(make_entry()));
        REQUIRE(read);
        CHECK(read->epochs == make_entry().epochs);
        CHECK(read->method_arn == make_entry().method_arn);
        CHECK(read->reply == make_entry().reply);
        CHECK(read->ends == make_entry().ends);
        SharedEntry large = make_entry();
        large.reply = std::string(limits::kSharedEntryBytes, '\x01');  // six bytes each
        CHECK(parse_shared_entry(make_shared_entry(large)));
    }

    TEST_CASE("what another version or hand makes is none") {
        struct Row {
            const char* name;
            const char* pointer;
            Json value;  ///< null: taken away
        };

        const Row rows[] = {
            {"no version", "/v", nullptr},
            {"another version", "/v", 2},
            {"a version that is text", "/v", "1"},
            {"a version that is no integer", "/v", 1.0},
            {"no end", "/ends", nullptr},
            {"an end that is text", "/ends", "1"},
            {"an end that is no integer", "/ends", 1e300},
            {"no reply", "/reply", nullptr},
            {"a reply that is no text", "/reply", Json::object()},
            {"no ARN", "/arn", nullptr},
            {"an ARN that is no text", "/arn", 1},
            {"no epochs", "/epochs", nullptr},
            {"epochs that are no list", "/epochs", "1"},
            {"two epochs", "/epochs", {"1", "2"}},
            {"four epochs", "/epochs", {"1", "2", "3", "4"}},
            {"an epoch that is no text", "/epochs", {"1", "2", 3}},
            {"one member more", "/more", 1},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Json entry = Json::parse(make_shared_entry(make_entry()));
            const Json::json_pointer pointer(row.pointer);
            if (row.value.is_null()) {
                entry.erase(pointer.back());
            } else {
                entry[pointer] = row.value;
            }
            CHECK_FALSE(parse_shared_entry(dump_json(entry)));
        }
        const std::string good = make_shared_entry(make_entry());
        for (const std::string& text : {std::string(),
                                        std::string("null"),
                                        std::string("[]"),
                                        good.substr(1),
                                        good + " {}",
                                        "{\"v\":1," + good.substr(1)}) {
            CAPTURE(text);
            CHECK_FALSE(parse_shared_entry(text));
        }
    }

    TEST_CASE("an entry lives until its end and no longer than the TTL") {
        struct Row {
            const char* name;
            WallTime ends;
            std::chrono::milliseconds ttl;
            std::chrono::milliseconds want;
        };

        using Count = std::numeric_limits<std::int64_t>;
        const Row rows[] = {
            {"some left", kNow + 7s, 60s, 7s},
            {"all left", kNow + 60s, 60s, 60s},
            {"a clock that is ahead", kNow + 3600s, 60s, 60s},
            {"a clock that is mad", WallTime(std::chrono::milliseconds(Count::max())), 60s, 60s},
            {"over now", kNow, 60s, 0s},
            {"over for long", kNow - 1s, 60s, 0s},
            {"over for ever", WallTime(std::chrono::milliseconds(Count::min())), 60s, 0s},
            {"a millisecond", kNow + 1ms, 60s, 1ms},
            {"no TTL", kNow + 7s, 0s, 0s},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            SharedEntry entry = make_entry();
            entry.ends = row.ends;
            CHECK(life_left(entry, entry.epochs, kNow, row.ttl) == row.want);
        }
    }

    TEST_CASE("an entry of before a flush is dead") {
        const SharedEntry entry = make_entry();
        CHECK(life_left(entry, {"12", "34", ""}, kNow, 60s) == 60s);
        for (const FlushEpochs& epochs : {FlushEpochs{"13", "34", ""},
                                          FlushEpochs{"11", "34", ""},
                                          FlushEpochs{"12", "35", ""},
                                          FlushEpochs{"12", "34", "1"},
                                          FlushEpochs{"012", "34", ""},
                                          FlushEpochs{"34", "12", ""},
                                          FlushEpochs{"", "", ""}})
            CHECK(life_left(entry, epochs, kNow, 60s) == 0s);
    }
}

}  // namespace shared_entry_test
