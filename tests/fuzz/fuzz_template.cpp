#include "fuzz/require.hpp"
#include "gatehouse/core/limits.hpp"
#include "gatehouse/template/template.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// Input: a template, a line "---", then the payload. Properties: a refusal and a fault say why; a
// rendering has a bounded output and comes out the same a second time; text without $, # and
// backslashes prints itself. That it ends soon is the fuzzer's own -timeout.
namespace {

using namespace gatehouse;

void check(std::string_view text, std::string_view body) {
    const auto compiled = templates::compile(text);
    if (!compiled) {
        require(compiled.error().errc() == Errc::config_invalid, "a refusal has one reason");
        require(!compiled.error().detail.empty(), "a refusal says why");
        return;
    }
    const templates::Parameter parameters[] = {{"id", "7"}, {"q", body.substr(0, 16)}};
    const Json context{{"stage", "prod"}, {"authorizer", {{"principalId", "u"}}}};
    const templates::Inputs inputs{
        body, parameters, parameters, parameters, &context, &context, nullptr};
    const auto rendered = templates::render(*compiled, inputs);
    const auto again = templates::render(*compiled, inputs);
    require(rendered.has_value() == again.has_value(), "the same outcome twice");
    if (!rendered) {
        require(!rendered.error().detail.empty(), "a fault says why");
        require(rendered.error().detail == again.error().detail, "the same fault twice");
        return;
    }
    require(rendered->text == again->text, "the same text twice");
    require(rendered->text.size() <= limits::kTemplateOutputBytes, "the output is bounded");
    if (text.find_first_of("$#\\") == std::string_view::npos)
        require(rendered->text == text, "plain text prints itself");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // An exact copy, so that a read past the end is seen.
    const auto copy = std::make_unique<char[]>(size);
    std::copy_n(data, size, copy.get());
    const std::string_view input(copy.get(), size);
    constexpr std::string_view kSeparator = "\n---\n";
    const std::size_t end = std::min(input.find(kSeparator), size);
    const std::size_t body = std::min(end + kSeparator.size(), size);
    check(input.substr(0, end), input.substr(body));
    return 0;
}
