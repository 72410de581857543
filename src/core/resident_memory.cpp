#include "gatehouse/core/resident_memory.hpp"

#include <cstddef>
#include <cstdint>

#ifdef __GLIBC__
#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace gatehouse {
namespace {

// A segment that may not be written still is what its file has, so that to drop its pages loses
// nothing. What the loader relocates and then makes read-only lies in one that may be written.
bool is_as_in_file(const ElfW(Phdr) & segment) {
    return segment.p_type == PT_LOAD && (segment.p_flags & PF_W) == 0;
}

// A fault maps sixteen pages, wanted or not, and start runs through most of the program.
int release_pages(dl_phdr_info* object, std::size_t, void*) noexcept {
    const std::uintptr_t page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = object->dlpi_phdr[i];
        if (!is_as_in_file(segment)) continue;
        const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
        const std::uintptr_t first = begin & ~(page - 1);
        // Best effort: what the kernel maps itself (the vDSO) cannot be dropped.
        madvise(reinterpret_cast<void*>(first), begin + segment.p_memsz - first, MADV_DONTNEED);
    }
    return 0;
}

}  // namespace

void release_unused_memory() noexcept {
    malloc_trim(0);
    dl_iterate_phdr(release_pages, nullptr);
}

}  // namespace gatehouse

#else

void gatehouse::release_unused_memory() noexcept {}

#endif
