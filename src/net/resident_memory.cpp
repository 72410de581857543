#include "gatehouse/net/resident_memory.hpp"

#include <cstddef>
#include <cstdint>

#ifdef __GLIBC__
#include <algorithm>
#include <array>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace gatehouse::net {
namespace {

constexpr std::uint64_t kPresent = std::uint64_t{1} << 63;
constexpr std::uint64_t kSwapped = std::uint64_t{1} << 62;
constexpr std::uint64_t kOfFile = std::uint64_t{1} << 61;

// proc_pid_pagemap(5): what is known of each page of a process.
class PageMap {
  public:
    PageMap() noexcept : fd_(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}

    PageMap(const PageMap&) = delete;
    PageMap& operator=(const PageMap&) = delete;

    ~PageMap() {
        if (fd_ >= 0) ::close(fd_);
    }

    // Whether each of these pages that is there is a file's. A page that was written to in memory
    // (text relocations, a debugger's breakpoint, a program moved to huge pages) is not, and would
    // not come back.
    bool is_all_of_files(std::uintptr_t first, std::uintptr_t count) const noexcept {
        std::array<std::uint64_t, 512> pages;
        while (count > 0) {
            const std::size_t some = std::min<std::size_t>(count, pages.size());
            const ssize_t wanted = static_cast<ssize_t>(some * sizeof pages[0]);
            const auto offset = static_cast<off_t>(first * sizeof pages[0]);
            if (::pread(fd_, pages.data(), static_cast<std::size_t>(wanted), offset) != wanted)
                return false;
            const bool all =
                std::all_of(pages.begin(),
                            pages.begin() + static_cast<std::ptrdiff_t>(some),
                            [](std::uint64_t page) {
                                return (page & (kPresent | kSwapped)) == 0 || (page & kOfFile) != 0;
                            });
            if (!all) return false;
            first += some;
            count -= some;
        }
        return true;
    }

  private:
    int fd_;
};

// A fault maps sixteen pages, wanted or not, and start runs through most of the program. A segment
// that may not be written is what its file has, so that its pages come back; what the loader
// relocates and then makes read-only lies in one that may.
int release_pages(dl_phdr_info* object, std::size_t, void* map) noexcept {
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
        const std::uintptr_t first = begin / page;
        const std::uintptr_t count = (begin + segment.p_memsz + page - 1) / page - first;
        if (!static_cast<const PageMap*>(map)->is_all_of_files(first, count)) continue;
        // Best effort: what the kernel maps itself (the vDSO) cannot be dropped.
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives addresses as numbers.
        madvise(reinterpret_cast<void*>(first * page), count * page, MADV_DONTNEED);
    }
    return 0;
}

}  // namespace

void release_unused_memory() noexcept {
    malloc_trim(0);
    PageMap map;
    dl_iterate_phdr(release_pages, &map);
}

}  // namespace gatehouse::net

#else

void gatehouse::net::release_unused_memory() noexcept {}

#endif
