#pragma once

#include "gatehouse/core/json.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace gatehouse::test {

/// The text of tests/golden/<name>. With GATEHOUSE_REWRITE_GOLDEN set the file is written instead,
/// and the difference is for a person to judge.
inline std::string golden(const std::string& name, const std::string& found) {
    const std::string path = std::string(GATEHOUSE_SOURCE_DIR) + "/tests/golden/" + name;
    if (std::getenv("GATEHOUSE_REWRITE_GOLDEN") != nullptr) {
        std::ofstream(path, std::ios::binary) << found;
        return found;
    }
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// JSON text is what tests/golden/<name>.want.json says, members in any order.
inline void check_golden_json(const std::string& name, std::string_view text) {
    CAPTURE(name);
    const auto parsed = parse_json(text);
    REQUIRE(parsed.has_value());
    const std::string found = dump_json(*parsed, 2) + "\n";
    CHECK(found == golden(name + ".want.json", found));
}

}  // namespace gatehouse::test
