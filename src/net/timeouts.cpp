#include "timeouts.hpp"

namespace gatehouse::net {

TimeoutLists::List& TimeoutLists::list_of(std::chrono::milliseconds duration) {
    for (const auto& list : lists_) {
        if (list->duration == duration) return *list;
    }
    return *lists_.emplace_back(std::make_unique<List>(duration));
}

void TimeoutLists::arm(Timeout& timeout, std::chrono::milliseconds duration, SteadyTime now) {
    timeout.disarm();
    Timeout& head = list_of(duration).head;
    timeout.deadline_ = now + duration;
    timeout.previous_ = head.previous_;
    timeout.next_ = &head;
    head.previous_->next_ = &timeout;
    head.previous_ = &timeout;
}

void TimeoutLists::sweep(SteadyTime now) {
    for (std::size_t i = 0; i < lists_.size(); ++i) {  // by index: an owner may add a list
        Timeout& head = lists_[i]->head;
        while (head.next_ != &head && head.next_->deadline_ <= now) {
            Timeout& due = *head.next_;
            due.disarm();
            due.expired_(due.owner_, due);
        }
    }
}

}  // namespace gatehouse::net
