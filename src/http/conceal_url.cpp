#include "gatehouse/http/conceal_url.hpp"

#include <algorithm>
#include <cstddef>

namespace gatehouse::http {

std::string conceal_url(std::string_view url) {
    constexpr std::string_view kHidden = "***";
    std::string text;
    const std::size_t mark = url.find("://");
    if (mark != std::string_view::npos) {
        text = url.substr(0, mark + 3);
        url.remove_prefix(mark + 3);
        const std::string_view authority = url.substr(0, url.find_first_of("/?#"));
        if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
            text += kHidden;
            url.remove_prefix(at);
        }
    }
    const std::size_t query = std::min(url.find('?'), url.size());
    text += url.substr(0, query);
    url.remove_prefix(query);
    while (!url.empty()) {
        const std::string_view pair = url.substr(0, std::min(url.find('&', 1), url.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
        text += pair.substr(0, equals + 1);
        text += value.empty() || value.starts_with('{') ? value : kHidden;
        url.remove_prefix(pair.size());
    }
    return text;
}

}  // namespace gatehouse::http
