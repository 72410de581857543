#pragma once

namespace gatehouse::net {

/// Gives back to the system what start alone needed: freed heap memory, and pages of the program
/// and its libraries, which come back from the page cache when they are next read. To be called
/// once, while there is little to do: the allocator's locks are held meanwhile. Linux with glibc;
/// elsewhere it does nothing.
void release_unused_memory() noexcept;

}  // namespace gatehouse::net
