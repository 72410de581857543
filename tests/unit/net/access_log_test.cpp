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

namespace access_log_test {

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
    std::string wanted = lines;
    std::string taken;
    std::string block(65536, '\0');
    while (taken.size() < wanted.size()) {
        const ssize_t got = ::read(reader, block.data(), block.size());
        REQUIRE(got > 0);
        taken.append(block, 0, static_cast<std::size_t>(got));
        // More, while some is kept; and in the end, when all that is kept goes at once.
        const std::string more =
            taken.size() < lines.size() ? "more at " + std::to_string(taken.size()) + "\n" : "";
        wanted += more;
        CHECK(log.write(more).empty());
    }
    CHECK(log.write({}).empty());
    CHECK(::read(reader, block.data(), block.size()) <= 0);
    CHECK(taken == wanted);
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

TEST_CASE("a log that was moved away is opened anew and each line is in one of the files") {
    const Folder folder;
    const auto path = folder.path / "access.log";
    const auto moved = folder.path / "access.log.1";
    AccessLogFile log;
    REQUIRE(log.open(path.string()).has_value());
    log.write("one\n");
    std::filesystem::rename(path, moved);
    log.write("two\n");
    const Result<bool> reopened = log.reopen();
    REQUIRE(reopened.has_value());
    CHECK(*reopened);
    log.write("three\n");
    CHECK(content(moved) == "one\ntwo\n");
    CHECK(content(path) == "three\n");
    CHECK(log.lost() == 0);
}

TEST_CASE("a path that cannot be opened anew keeps the old file") {
    const Folder folder;
    const auto sub = folder.path / "logs";
    std::filesystem::create_directory(sub);
    AccessLogFile log;
    REQUIRE(log.open((sub / "access.log").string()).has_value());
    std::filesystem::rename(sub, folder.path / "moved");
    const Result<bool> reopened = log.reopen();
    REQUIRE_FALSE(reopened.has_value());
    CHECK(reopened.error().detail.find("access.log: No such file") != std::string::npos);
    log.write("kept\n");
    CHECK(content(folder.path / "moved" / "access.log") == "kept\n");
}

TEST_CASE("stdout and a log that was never opened have nothing to open anew") {
    AccessLogFile none;
    CHECK_FALSE(none.reopen().value());
    AccessLogFile stdout_log;
    REQUIRE(stdout_log.open("-").has_value());
    CHECK_FALSE(stdout_log.reopen().value());
}

TEST_CASE("a line that was begun ends where it began") {
    // A pipe that takes half of a long line; then its reader makes room, or never does.
    for (const bool read_on : {true, false}) {
        CAPTURE(read_on);
        const Folder folder;
        const auto path = folder.path / "pipe";
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
        REQUIRE(reader >= 0);
        AccessLogFile log;
        REQUIRE(log.open(path.string()).has_value());
        const std::string first = std::string(70000, 'a') + "\n";  // a pipe holds 64 KiB
        const std::string second = "second\n";
        log.write(first + second);
        std::string taken;
        std::string block(65536, '\0');
        if (read_on) {
            const ssize_t got = ::read(reader, block.data(), block.size());
            REQUIRE(got > 0);
            taken.append(block, 0, static_cast<std::size_t>(got));
        }
        // The new file, in the place of the pipe.
        std::filesystem::rename(path, folder.path / "old");
        REQUIRE(log.reopen().value());
        for (ssize_t got = 1; got > 0;) {
            got = ::read(reader, block.data(), block.size());
            if (got > 0) taken.append(block, 0, static_cast<std::size_t>(got));
        }
        ::close(reader);
        CHECK(content(path) == second);
        CHECK(first.substr(0, taken.size()) == taken);
        CHECK((taken == first) == read_on);
        CHECK(log.lost() == (read_on ? 0 : 1));
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

TEST_CASE(
    "the memory of lines that were written is for the next ones, and what is kept keeps its own") {
    const Folder folder;
    const auto path = folder.path / "access.log";
    AccessLogFile log;
    CHECK(log.write("nobody's\n").empty());
    REQUIRE(log.open(path.string()).has_value());
    const std::string lines(8000, 'x');
    std::string buffer = log.write(lines + '\n');
    CHECK(buffer.empty());
    CHECK(buffer.capacity() >= lines.size());
    CHECK(content(path) == lines + '\n');

    LogBuffers buffers;
    CHECK(buffers.take().capacity() < 64);  // none yet
    const char* const memory = buffer.data();
    buffers.give_back(std::move(buffer));
    buffer = buffers.take();
    CHECK(buffer.data() == memory);
    CHECK(buffer.empty());
    CHECK(buffers.take().capacity() < 64);  // given once
    std::string huge;
    huge.reserve(2 * 1024 * 1024);
    buffers.give_back(std::move(huge));
    buffers.give_back({});
    CHECK(buffers.take().capacity() < 64);  // neither is worth keeping
}

TEST_SUITE_END();

}  // namespace access_log_test
