#include "gatehouse/core/ascii.hpp"
#include "parts.hpp"
#include "reader.hpp"

#include <algorithm>
#include <array>

// What the file says of TLS. The files that it names are opened elsewhere.
namespace gatehouse::config {
namespace {

constexpr auto kVersions = std::to_array<std::string_view>({"TLS_1_2", "TLS_1_3"});

std::string fault_in_file(std::string_view text) {
    if (text.empty()) return "is empty; allowed: a PEM file, beside this file or absolute";
    if (text.starts_with("-----BEGIN"))
        return "has the PEM text itself; the name of a file that has it is wanted";
    return std::ranges::any_of(text, is_control) ? "has a control character" : "";
}

}  // namespace

std::string fault_in_server_name(std::string_view text) {
    const auto fits = [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '.'; };
    if (!text.empty() && text.size() <= 253 && std::ranges::all_of(text, fits) &&
        !text.starts_with('.') && !text.ends_with('.'))
        return {};
    return "is no DNS name";
}

namespace {

CertificateFiles read_certificate(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kCertificate, source);
    CertificateFiles files;
    files.pointer = pointer;
    reader.require("certificate", "a PEM file with the certificate and those it is signed by");
    reader.require("privateKey", "a PEM file with the certificate's key");
    reader.read_checked("certificate", files.certificate, fault_in_file);
    reader.read_checked("privateKey", files.private_key, fault_in_file);
    return files;
}

}  // namespace

ListenerTls read_listener_tls(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kListenerTls, source);
    ListenerTls tls;
    tls.pointer = pointer;
    const Json* list = reader.require("certificates", "at least one { certificate, privateKey }");
    reader.each_element("certificates", [&](const Json& element, const std::string& at) {
        tls.certificates.push_back(read_certificate(element, at, source));
    });
    if (list != nullptr && list->is_array() && list->empty())
        reader.problem("certificates", "is empty; at least one { certificate, privateKey }");
    reader.read_checked("clientCa", tls.client_ca, fault_in_file);
    reader.read_choice("minimumVersion", tls.minimum_version, kVersions);
    return tls;
}

UpstreamTls read_upstream_tls(const Json& value, const std::string& pointer, Source& source) {
    ObjectReader reader(value, pointer, keys::kUpstreamTls, source);
    UpstreamTls tls;
    tls.pointer = pointer;
    reader.read_checked("ca", tls.ca, fault_in_file);
    reader.read_checked("certificate", tls.certificate, fault_in_file);
    reader.read_checked("privateKey", tls.private_key, fault_in_file);
    if (reader.has("certificate")) reader.require("privateKey", "the certificate's key");
    if (reader.has("privateKey")) reader.require("certificate", "the key's certificate");
    reader.read_choice("minimumVersion", tls.minimum_version, kVersions);
    return tls;
}

void read_tls_config(ObjectReader& outer, Integration& integration) {
    const Json* value = outer.find("tlsConfig");
    if (value == nullptr) return;
    if (integration.type != IntegrationType::http_proxy &&
        integration.type != IntegrationType::http)
        return outer.refuse("tlsConfig", "only HTTP and HTTP_PROXY integrations call by TLS");
    if (integration.upstream >= 0)
        return outer.refuse("tlsConfig", "the \"uri\" names an upstream, which has \"tls\" for it");
    if (!integration.uri.empty() && !integration.uri.starts_with("https://"))
        return outer.refuse("tlsConfig", "the \"uri\" is not https");
    ObjectReader reader(*value, outer.at("tlsConfig"), keys::kTlsConfig, outer.source());
    bool insecure = false;
    if (reader.read("insecureSkipVerification", insecure) && insecure)
        reader.problem("insecureSkipVerification",
                       "is true, and Gatehouse verifies whom it calls: name the upstream's "
                       "authority in \"upstreamTls\" as \"ca\", and the name in its certificate "
                       "as \"serverNameToVerify\"");
    reader.read_checked(
        "serverNameToVerify", integration.server_name_to_verify, fault_in_server_name);
}

}  // namespace gatehouse::config
