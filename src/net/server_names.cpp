#include "server_names.hpp"

#include "gatehouse/core/ascii.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace gatehouse::net {
namespace {

struct FreeNames {
    void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
};

constexpr std::string_view kStar = "*.";

bool is_usable(std::string_view name) noexcept {
    if (name.starts_with(kStar)) name.remove_prefix(kStar.size());
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    });
}

}  // namespace

std::vector<std::string> dns_names(const X509* certificate) {
    std::vector<std::string> found;
    const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS) continue;
        const std::string_view text(
            reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
            static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
        if (is_usable(text)) found.push_back(to_lower(text));
    }
    return found;
}

bool ServerNames::add(const std::vector<std::string>& names) {
    const std::size_t index = size_++;
    bool fresh = false;
    for (const std::string& name : names) {
        const bool wildcard = name.starts_with(kStar);
        std::string key = wildcard ? name.substr(1) : name;
        if (find_entry(key, wildcard) != nullptr) continue;
        entries_.push_back({std::move(key), wildcard, index});
        fresh = true;
    }
    return fresh;
}

const ServerNames::Entry* ServerNames::find_entry(std::string_view name,
                                                  bool wildcard) const noexcept {
    const auto it = std::ranges::find_if(entries_, [&](const Entry& entry) {
        return entry.wildcard == wildcard && equals_ignoring_case(entry.name, name);
    });
    return it == entries_.end() ? nullptr : &*it;
}

std::optional<std::size_t> ServerNames::find(std::string_view name) const noexcept {
    if (const Entry* entry = find_entry(name, false)) return entry->index;
    const std::size_t dot = name.find('.');
    if (dot == 0 || dot == std::string_view::npos) return std::nullopt;
    const Entry* entry = find_entry(name.substr(dot), true);
    return entry == nullptr ? std::nullopt : std::optional(entry->index);
}

}  // namespace gatehouse::net
