#include "options.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace gatehouse::bench {
namespace {

[[noreturn]] void refuse(std::string_view what, std::string_view value) {
    std::fprintf(stderr,
                 "gatehouse_load: %.*s: \"%.*s\" is not understood\n",
                 static_cast<int>(what.size()),
                 what.data(),
                 static_cast<int>(value.size()),
                 value.data());
    std::exit(2);
}

double parse_number(std::string_view name, const char* text, double most) {
    char* end = nullptr;
    const double value = std::strtod(text, &end);
    if (end == text || *end != '\0' || !std::isfinite(value) || value < 0 || value > most)
        refuse(name, text);
    return value;
}

std::uint64_t parse_count(std::string_view name, const char* text) {
    return static_cast<std::uint64_t>(parse_number(name, text, 1e15));
}

std::vector<int> parse_list(std::string_view name, const std::string& text) {
    std::vector<int> values;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = text.find(',', begin);
        const std::string part = text.substr(begin, end - begin);
        values.push_back(static_cast<int>(parse_number(name, part.c_str(), 1e9)));
        if (end == std::string::npos) break;
        begin = end + 1;
    }
    return values;
}

bool set_flag(std::string_view name, Options& options) {
    if (name == "--close") return options.close = true;
    if (name == "--tls") return options.tls = true;
    if (name == "--idle") return options.idle = true;
    if (name == "--random") return options.random = true;
    return false;
}

bool set_text(std::string_view name, const char* value, Options& options) {
    if (name == "--path") return options.path = value, true;
    if (name == "--header") return options.headers.emplace_back(value), true;
    if (name == "--tokens") return options.tokens = value, true;
    if (name == "--expect") return options.expect = value, true;
    return false;
}

bool set_number(std::string_view name, const char* value, Options& options) {
    if (name == "--upstream") return options.upstreams = parse_list(name, value), true;
    if (name == "--watch") return options.watch = parse_list(name, value), true;
    if (name == "--target") return options.target = parse_list(name, value)[0], true;
    if (name == "--connections") return options.connections = parse_list(name, value)[0], true;
    if (name == "--seconds") return options.seconds = parse_number(name, value, 3600), true;
    if (name == "--warm-up") return options.warm_up = parse_number(name, value, 3600), true;
    if (name == "--rate") return options.rate = parse_number(name, value, 1e7), true;
    if (name == "--requests") return options.requests = parse_count(name, value), true;
    if (name == "--status") return options.status = parse_list(name, value)[0], true;
    if (name == "--body") return options.body = parse_count(name, value), true;
    if (name == "--post") return options.post = parse_count(name, value), true;
    if (name == "--numbers") return options.numbers = parse_count(name, value), true;
    if (name == "--starts") return options.starts = parse_count(name, value), true;
    if (name == "--core") return options.core = parse_list(name, value)[0], true;
    return false;
}

}  // namespace

Options parse_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--") {
            options.command.assign(argv + i + 1, argv + argc);
            break;
        }
        if (set_flag(name, options)) continue;
        if (i + 1 == argc) refuse("argument", name);
        ++i;
        if (!set_text(name, argv[i], options) && !set_number(name, argv[i], options))
            refuse("argument", name);
    }
    if (options.connections < 1 || options.numbers < 1) refuse("--connections, --numbers", "0");
    if (options.starts > 0 && (options.command.empty() || options.target == 0))
        refuse("--starts", "no command or target");
    if (options.starts == 0 && options.upstreams.empty()) refuse("--upstream", "");
    return options;
}

}  // namespace gatehouse::bench
