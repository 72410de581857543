// Signature Version 4: whatever a request says, reading it ends; what was signed verifies, and
// nothing else does.
#include "fuzz/require.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/sigv4/signature.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace gatehouse;
using namespace gatehouse::sigv4;

// The target's line, then lines of fields up to an empty one, then content.
std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string input(reinterpret_cast<const char*>(data), size);
    std::string_view text = input;
    http::RequestHead head;
    head.method = "POST";
    head.target = take_line(text);
    std::vector<http::Field> fields;
    while (!text.empty()) {
        const std::string_view line = take_line(text);
        if (line.empty()) break;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0) return 0;
        fields.push_back(
            {line.substr(0, colon), trim(line.substr(colon + 1)), http::FieldId::other});
    }
    head.fields = fields;

    Authorization signature;
    if (const Fault fault = read_authorization(head, signature)) {
        require(fault.error == Errc::signature_missing || fault.error == Errc::signature_incomplete,
                "reading has two faults");
        return 0;
    }
    require(!signature.access_key.empty() && !signature.signed_headers.empty(), "it is whole");
    require(make_timestamp(signature.time) == signature.timestamp, "the time is the text's");
    const Scope own{signature.region, signature.service};
    const bool late = signature.time + std::chrono::seconds(604801) < signature.time;
    require(!late, "times do not overflow");
    (void)check_authorization(signature, head, own, signature.time);

    const SignedRequest request{head.method, head.target, &head, text};
    const std::string canonical = make_canonical_request(request, signature);
    require(canonical == make_canonical_request(request, signature), "one canonical form");
    signature.signature = sign(signature, "secret", make_string_to_sign(signature, canonical));
    require(!check_signature(request, signature, "secret"), "what was signed verifies");
    require(bool(check_signature(request, signature, "secret2")), "by its own key alone");
    const std::string more = std::string(text) + "x";
    const SignedRequest changed{head.method, head.target, &head, more};
    require(bool(check_signature(changed, signature, "secret")), "content is signed");
    return 0;
}
