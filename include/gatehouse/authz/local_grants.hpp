#pragma once

#include "gatehouse/authz/grant.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace gatehouse::authz {

/// The grants that one thread uses over and over, each with a count of its own. Threads that find
/// the same grant in the policy cache would all write to the line of its count; this way a thread
/// touches that once, and then counts where nobody else does. Belongs to a thread.
class LocalGrants {
  public:
    /// The grant by this thread's count; null where it has none.
    std::shared_ptr<const Grant> find(const Grant* grant) noexcept {
        Slot& slot = slot_of(grant);
        if (slot.own.get() != grant) return nullptr;
        slot.used = true;
        slot.last = grant;
        return slot.own;
    }

    /// Told of a grant that find() did not have: one that comes to its slot twice running is kept,
    /// in place of what was there. Allocates then, and only then.
    void note(const std::shared_ptr<const Grant>& grant) noexcept;

    /// Lets those go that were not found since the last call, so that a policy which has left the
    /// cache is not kept for long: to be called each second or so.
    void release_unused() noexcept;

  private:
    static constexpr std::size_t kSlots = 64;

    struct Slot {
        std::shared_ptr<const Grant> own;  ///< it holds a shared count, so no other is at its place
        const Grant* last = nullptr;       ///< who came last; for comparison alone
        bool used = false;
    };

    Slot& slot_of(const Grant* grant) noexcept {
        // Pieces of memory of one size: what differs is in the bits above.
        return slots_[(reinterpret_cast<std::uintptr_t>(grant) * 0x9e3779b97f4a7c15U) >> 58U];
    }

    std::array<Slot, kSlots> slots_;
};

}  // namespace gatehouse::authz
