#include "../../../src/net/file_watch.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace file_watch_test {

using namespace gatehouse::net;
namespace fs = std::filesystem;

namespace {

// A folder of its own, and two looks as one: the second sees that nothing is being written.
struct Fixture {
    fs::path folder;
    FileWatch watch;

    Fixture() {
        std::string name = (fs::temp_directory_path() / "gatehouse-watch-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        folder = name;
    }

    ~Fixture() {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }

    std::string path(const std::string& name) const { return (folder / name).string(); }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name) << text;
    }

    bool changed() { return watch.look() || watch.look(); }
};

}  // namespace

TEST_SUITE("net/file_watch") {
    TEST_CASE_FIXTURE(Fixture, "a change is told once and not while it goes on") {
        write("a", "1");
        watch.watch({path("a")});
        CHECK_FALSE(changed());
        write("a", "22");
        CHECK_FALSE(watch.look());  // may be half
        write("a", "333");
        CHECK_FALSE(watch.look());
        CHECK(watch.look());
        CHECK_FALSE(changed());
    }

    TEST_CASE_FIXTURE(Fixture, "a file that was renamed into place is another one") {
        write("a", "1");
        watch.watch({path("a")});
        write("b", "2");
        fs::rename(folder / "b", folder / "a");
        CHECK(changed());
        CHECK_FALSE(changed());
    }

    TEST_CASE_FIXTURE(Fixture, "a link that points elsewhere is a change") {
        fs::create_directory(folder / "1");
        fs::create_directory(folder / "2");
        write("1/a", "x");
        write("2/a", "x");
        fs::create_symlink("1", folder / "now");
        watch.watch({path("now/a")});
        CHECK_FALSE(changed());
        fs::create_symlink("2", folder / "next");
        fs::rename(folder / "next", folder / "now");
        CHECK(changed());
    }

    TEST_CASE_FIXTURE(Fixture, "nothing is told while a file is missing") {
        write("a", "1");
        write("b", "1");
        watch.watch({path("a"), path("b")});
        fs::remove(folder / "a");
        write("b", "22");
        CHECK_FALSE(changed());
        write("a", "2");
        CHECK(changed());
    }

    TEST_CASE_FIXTURE(Fixture, "what was marked as seen is no change and what came later is") {
        write("a", "1");
        watch.watch({path("a")});
        write("a", "22");
        watch.mark();
        watch.watch({path("a")});
        CHECK_FALSE(changed());
        watch.mark();
        write("a", "333");
        watch.watch({path("a")});  // written while it was read
        CHECK(changed());
    }
}

}  // namespace file_watch_test
