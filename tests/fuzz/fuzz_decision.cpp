// What another proxy says of a request: one reading alone, nothing of the question in the request
// that is judged, and nothing that a direct request could not be.
#include "fuzz/require.hpp"
#include "gatehouse/core/ascii.hpp"
#include "gatehouse/core/ip_address.hpp"
#include "gatehouse/http/framing.hpp"
#include "gatehouse/http/original_request.hpp"
#include "net/head_parser.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace {

using gatehouse::equals_ignoring_case;
using gatehouse::Errc;
using gatehouse::http::Field;
using gatehouse::http::OriginalForm;
using gatehouse::http::OriginalRequest;
using gatehouse::http::RequestHead;

struct Form {
    OriginalForm form;
    std::array<std::string_view, 5> names;
};

constexpr Form kForms[] = {
    {OriginalForm::nginx,
     {"x-original-method", "x-original-uri", "x-original-host", "x-original-proto", "x-real-ip"}},
    {OriginalForm::forwarded,
     {"x-forwarded-method",
      "x-forwarded-uri",
      "x-forwarded-host",
      "x-forwarded-proto",
      "x-forwarded-for"}},
    {OriginalForm::envoy, {"", "", "", "x-forwarded-proto", "x-forwarded-for"}},
};

std::size_t count(std::span<const Field> fields, std::string_view wanted) {
    return static_cast<std::size_t>(std::ranges::count_if(
        fields, [&](const Field& field) { return equals_ignoring_case(field.name, wanted); }));
}

void check_reading(const Form& form, const RequestHead& asked, const OriginalRequest& read) {
    for (const std::string_view name : form.names) {
        if (name.empty()) continue;
        require(count(asked.fields, name) == 1, "what names the request stands once");
        // Of a list of addresses, what came with the request is the request's.
        const std::size_t left = name == "x-forwarded-for" ? 1 : 0;
        require(count(read.fields, name) <= left, "and is no field of the request");
    }
    require(count(read.fields, "host") <= 1, "one Host");
    require(gatehouse::is_token(read.head.method), "the method is a token");
    const auto address = gatehouse::parse_ip_address(read.source_ip);
    require(address && to_string(*address) == read.source_ip, "the address in its usual spelling");
    require(read.port != 0, "a port");
    if (form.form == OriginalForm::envoy) {
        require(read.head.method == asked.method && read.head.target == asked.target,
                "the request line is the client's");
    }
    RequestHead again = read.head;
    require(gatehouse::http::check_request(again) == Errc::none, "a direct request could be this");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::unique_ptr<char[]> copy(new char[size]);
    std::copy_n(data, size, copy.get());
    gatehouse::net::HeadScanner scanner;
    if (!scanner.scan({copy.get(), size}, {4096, 8192, 64})) return 0;
    RequestHead asked;
    if (scanner.read_request_head(asked) != Errc::none) return 0;
    OriginalRequest read;  // its storage is used again, as a session does
    for (const Form& form : kForms) {
        if (gatehouse::http::read_original_request(form.form, asked, read))
            check_reading(form, asked, read);
    }
    return 0;
}
