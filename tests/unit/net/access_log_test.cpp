#include "../../../src/net/access_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace gatehouse;
using namespace gatehouse::net;

TEST_SUITE_BEGIN("net/access_log");

namespace {

class Folder {
  public:
    Folder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "gatehouse-log-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }

    ~Folder() { std::filesystem::remove_all(path); }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::filesystem::path path;
};

std::string content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("lines are appended to what the file has") {
    const Folder folder;
    const auto path = folder.path / "access.log";
    std::ofstream(path) << "before\n";
    {
        AccessLogFile log;
        REQUIRE(log.open(path.string()).has_value());
        log.write("one\n");
        log.write("");
        log.write("two\nthree\n");
    }
    AccessLogFile next;
    REQUIRE(next.open(path.string()).has_value());
    next.write("four\n");
    CHECK(content(path) == "before\none\ntwo\nthree\nfour\n");
}

TEST_CASE("a pipe that is read slowly gets all and one that nobody reads holds nobody up") {
    const Folder folder;
    const auto path = folder.path / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(reader >= 0);
    AccessLogFile log;
    REQUIRE(log.open(path.string()).has_value());
    std::string lines;
    constexpr std::size_t kLines = 20000;
    for (std::size_t i = 0; i < kLines; ++i)
        lines += "line " + std::to_string(i) + "\n";
    log.write(lines);
    std::string taken;
    std::string block(65536, '\0');
    while (taken.size() < lines.size()) {
        const ssize_t got = ::read(reader, block.data(), block.size());
        REQUIRE(got > 0);
        taken.append(block, 0, static_cast<std::size_t>(got));
        log.write({});
    }
    CHECK(taken == lines);
    CHECK(log.lost() == 0);
    // 12 MB for nobody: what is kept is bounded, and whole lines are lost.
    constexpr std::size_t kTimes = 60;
    for (std::size_t i = 0; i < kTimes; ++i)
        log.write(lines);
    CHECK(log.lost() > 0);
    CHECK(log.lost() % kLines == 0);
    CHECK(log.lost() < kTimes * kLines);
    ::close(reader);
}

TEST_CASE("a new file is not for everybody's eyes") {
    const Folder folder;
    const auto path = folder.path / "access.log";
    AccessLogFile log;
    REQUIRE(log.open(path.string()).has_value());

    struct stat facts {};

    REQUIRE(::stat(path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & S_IRWXO) == 0);
}

TEST_CASE("a file that cannot be opened is named with the reason") {
    const Folder folder;
    for (const auto& path :
         {folder.path, folder.path / "no" / "such.log", std::filesystem::path()}) {
        CAPTURE(path);
        AccessLogFile log;
        const Result<void> opened = log.open(path.string());
        REQUIRE_FALSE(opened.has_value());
        CHECK(opened.error().errc() == Errc::config_unreadable);
        CHECK(opened.error().detail.find("access log " + path.string() + ": ") == 0);
        log.write("into nothing\n");
    }
}

TEST_CASE("a log that was never opened takes lines without harm") {
    AccessLogFile log;
    log.write("line\n");
}

TEST_CASE("a reader that left costs lines and nothing else") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const std::string path = "/proc/self/fd/" + std::to_string(ends[1]);
    AccessLogFile log;
    REQUIRE(log.open(path).has_value());
    log.write("seen\n");
    char seen[5];
    CHECK(::read(ends[0], seen, sizeof(seen)) == 5);
    ::close(ends[0]);
    ::close(ends[1]);
    const auto before = ::signal(SIGPIPE, SIG_IGN);  // as the program does at its start
    log.write("lost\n");
    ::signal(SIGPIPE, before);
}

TEST_SUITE_END();
