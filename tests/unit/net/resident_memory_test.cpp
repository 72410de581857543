#include "gatehouse/net/resident_memory.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <vector>

namespace gatehouse::net {
namespace resident_memory_test {

TEST_SUITE_BEGIN("net/resident_memory");

// Of pages that files back (the program, its libraries), in KiB; proc_pid_status(5), RssFile.
long mapped_of_files() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssFile:")) return std::stol(line.substr(sizeof "RssFile:" - 1));
    }
    return -1;
}

struct Animal {
    virtual ~Animal() = default;
    virtual std::string says() const = 0;
};

struct Cat : Animal {
    std::string says() const override { return "meow"; }
};

// Tables of functions and addresses of texts are relocated by the loader, in segments that were
// written once: were their pages dropped too, there would be nothing to come back.
const char* const kTexts[] = {"one", "two", "three"};
const std::string kMade = "made by a constructor before main, and too long for its object";
int counted = 7;

TEST_CASE("pages of the program are given back, and nothing is lost") {
    counted = 8;
    const std::vector<std::string> heap(1000, std::string(100, 'x'));
    const Cat cat;
    const Animal& animal = cat;
    const long before = mapped_of_files();
    release_unused_memory();
    const long after = mapped_of_files();
    CHECK(after > 0);
    // What runs from here on maps less of it.
    CAPTURE(before);
    CAPTURE(after);
    CHECK(after < before * 3 / 4);
    CHECK(animal.says() == "meow");
    CHECK(std::string(kTexts[2]) == "three");
    CHECK(kMade == "made by a constructor before main, and too long for its object");
    CHECK(counted == 8);
    for (const std::string& text : heap)
        REQUIRE(text == std::string(100, 'x'));
}

// In a segment that may not be written, alone on its page.
constexpr std::size_t kPage = 4096;
alignas(kPage) const char kConstants[kPage] = {'o', 'l', 'd'};

TEST_CASE("a page that was written to in memory stays as it is") {
    // As a text relocation, a debugger's breakpoint or a program's move to huge pages leaves it.
    void* const page = const_cast<char*>(&kConstants[0]);
    REQUIRE(mprotect(page, kPage, PROT_READ | PROT_WRITE) == 0);
    std::memcpy(page, "new", 3);
    REQUIRE(mprotect(page, kPage, PROT_READ) == 0);
    release_unused_memory();
    CHECK(*static_cast<const volatile char*>(&kConstants[0]) == 'n');
    CHECK(*static_cast<const volatile char*>(&kConstants[2]) == 'w');
}

TEST_CASE("twice is once") {
    release_unused_memory();
    release_unused_memory();
    std::ostringstream text;
    text << 1.5;
    CHECK(text.str() == "1.5");
}

TEST_SUITE_END();

}  // namespace resident_memory_test
}  // namespace gatehouse::net
