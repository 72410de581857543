#include "gatehouse/core/errc.hpp"

#include <iterator>
#include <string>

namespace gatehouse {
namespace {

struct Row {
    std::string_view id;
    std::string_view text;
};

constexpr Row kRows[] = {{"none", "no error"},
#define GATEHOUSE_X(name, text) {#name, text},
                         GATEHOUSE_ERRC_LIST(GATEHOUSE_X)
#undef GATEHOUSE_X
};

const Row& row(int value) noexcept {
    const bool known = value >= 0 && value < static_cast<int>(std::size(kRows));
    return kRows[known ? value : static_cast<int>(Errc::internal)];
}

// Boost keeps the base's destructor protected and not virtual on purpose: no category is deleted
// through it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

class Category final : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "gatehouse"; }

    std::string message(int value) const override { return std::string(row(value).text); }
};

#pragma GCC diagnostic pop

}  // namespace

std::string_view reason_id(Errc code) noexcept {
    return row(static_cast<int>(code)).id;
}

std::string_view reason_text(Errc code) noexcept {
    return row(static_cast<int>(code)).text;
}

int errc_count() noexcept {
    return static_cast<int>(std::size(kRows));
}

const boost::system::error_category& gatehouse_category() noexcept {
    static const Category kCategory;
    return kCategory;
}

}  // namespace gatehouse
