#include "gatehouse/authz/local_grants.hpp"

#include <new>

namespace gatehouse::authz {

void LocalGrants::note(const std::shared_ptr<const Grant>& grant) noexcept {
    Slot& slot = slot_of(grant.get());
    if (slot.last != grant.get()) {
        slot.last = grant.get();
        return;
    }
    try {
        slot.own = std::shared_ptr<const Grant>(grant.get(), [grant](const Grant*) noexcept {});
        slot.used = true;
    } catch (const std::bad_alloc&) {
        slot.last = nullptr;  // the shared count does as well
    }
}

void LocalGrants::release_unused() noexcept {
    for (Slot& slot : slots_) {
        if (!slot.used) slot.own.reset();
        slot.used = false;
    }
}

}  // namespace gatehouse::authz
