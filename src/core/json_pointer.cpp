#include "gatehouse/core/json_pointer.hpp"

namespace gatehouse {

std::string pointer_step(std::string_view member) {
    std::string step = "/";
    step.reserve(member.size() + 1);
    for (const char c : member) {
        if (c == '~') {
            step += "~0";
        } else if (c == '/') {
            step += "~1";
        } else {
            step += c;
        }
    }
    return step;
}

std::string pointer_step(std::size_t index) {
    return '/' + std::to_string(index);
}

}  // namespace gatehouse
