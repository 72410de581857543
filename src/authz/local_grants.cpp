#include "gatehouse/authz/local_grants.hpp"

namespace gatehouse::authz {

void LocalGrants::note(const std::shared_ptr<const Grant>& grant) {
    Slot& slot = slot_of(grant.get());
    if (slot.last != grant.get()) {
        slot.last = grant.get();
        return;
    }
    slot.own = std::shared_ptr<const Grant>(grant.get(), [grant](const Grant*) noexcept {});
    slot.used = true;
}

void LocalGrants::release_unused() noexcept {
    for (Slot& slot : slots_) {
        if (!slot.used) slot.own.reset();
        slot.used = false;
    }
}

}  // namespace gatehouse::authz
