#include "gatehouse/cli/commands.hpp"
#include "gatehouse/config/validate.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace gatehouse::cli {
namespace {

constexpr const char* kUsualFile = "config/gatehouse.json";
constexpr const char* kEnvironmentName = "environment";
constexpr const char* kSentName = "the configuration that was sent";
constexpr std::size_t kMostBytes = kMostConfigurationBytes;

Result<std::string> read_text(const std::string& path) {
    if (path.empty()) return fail(Errc::config_unreadable, "the file's name is empty");
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        return fail(Errc::config_unreadable, "is a directory");
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return fail(Errc::config_unreadable,
                    errno == 0 ? "cannot be opened" : std::strerror(errno));
    // Bounded while it is read: a device or a pipe may have no end.
    std::string text(kMostBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return fail(Errc::config_unreadable, "cannot be read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMostBytes) return fail(Errc::config_unreadable, "is larger than 4 MB");
    return text;
}

std::string lines_of(const std::vector<config::Problem>& problems, std::string_view file) {
    std::string lines;
    for (const config::Problem& problem : problems)
        lines += config::to_string(problem, file) + "\n";
    return lines;
}

Found take(config::Loaded loaded, std::string name) {
    Found found;
    found.name = std::move(name);
    found.warnings = std::move(loaded.warnings);
    found.errors = lines_of(loaded.problems, found.name);
    if (loaded.problems.empty()) found.model = std::move(loaded.model);
    return found;
}

// file:jwks.json means the file beside the configuration, wherever the program was started; so do a
// function's folder and the files of a listener's certificates.
void anchor_files(config::Model& model, const std::string& path) {
    constexpr std::string_view kScheme = "file:";
    std::error_code ignored;
    const std::filesystem::path folder = std::filesystem::absolute(path, ignored).parent_path();
    const auto anchor = [&folder](std::string& file) {
        if (!file.empty()) file = (folder / file).string();
    };
    for (config::Listener& listener : model.listeners) {
        if (!listener.tls) continue;
        anchor(listener.tls->client_ca);
        for (config::CertificateFiles& files : listener.tls->certificates) {
            anchor(files.certificate);
            anchor(files.private_key);
        }
    }
    if (model.upstream_tls) {
        anchor(model.upstream_tls->ca);
        anchor(model.upstream_tls->certificate);
        anchor(model.upstream_tls->private_key);
    }
    for (config::Function& function : model.functions) {
        if (!function.command.empty()) function.directory = (folder / function.directory).string();
    }
    for (config::Api& api : model.apis) {
        for (config::Authorizer& authorizer : api.authorizers) {
            for (config::JwtProvider& provider : authorizer.jwt.providers) {
                const bool relative = provider.jwks_uri.starts_with(kScheme) &&
                                      provider.jwks_uri.substr(kScheme.size(), 1) != "/";
                if (relative)
                    provider.jwks_uri =
                        std::string(kScheme) +
                        (folder / provider.jwks_uri.substr(kScheme.size())).string();
            }
        }
    }
}

bool has_tls(const config::Listener& listener) {
    return listener.tls.has_value();
}

// What the command line says in place of the file is held to the same rules, e.g. no admin API
// beyond loopback without a token.
void apply_overrides(const ServeOptions& options, Found& found) {
    config::Model& model = *found.model;
    if (options.listen) {
        const bool several = model.listeners.size() > 1;
        if (several && std::ranges::any_of(model.listeners, has_tls)) {
            found.errors = found.name +
                           ": --listen takes the place of several listeners, one with \"tls\": it "
                           "is not clear which is meant; change \"listeners\" instead\n";
            found.model.reset();
            return;
        }
        // An address given by hand does not turn TLS off.
        config::Listener only{options.listen->address, options.listen->port};
        if (!several) only.tls = std::move(model.listeners.front().tls);
        model.listeners = {std::move(only)};
    }
    if (options.admin) {
        model.admin.address = options.admin->address;
        model.admin.port = options.admin->port;
    }
    if (options.threads) model.threads = *options.threads;
    if (!options.listen && !options.admin) return;
    std::vector<config::Problem> problems;
    std::vector<config::Problem> warnings;
    config::validate(model, problems, warnings);
    if (problems.empty()) return;
    found.errors = lines_of(problems, found.name + " with the command line");
    found.model.reset();
}

Found refuse(std::string text) {
    Found found;
    found.errors = std::move(text);
    return found;
}

Found take_text(const std::string& text,
                const std::string& name,
                const std::string& path,
                const config::Environment& environment) {
    Found found = take(config::parse(text, environment), name);
    found.path = path;
    if (found.model) anchor_files(*found.model, path);
    return found;
}

Found look_for(const config::Environment& environment) {
    std::error_code ignored;
    const bool file = std::filesystem::exists(kUsualFile, ignored);
    const auto upstream = environment("UPSTREAM_URL");
    const bool from_environment = upstream && !upstream->empty();
    if (file && from_environment) {
        return refuse(std::string("ambiguous: there is ") + kUsualFile +
                      ", and UPSTREAM_URL is set; name the file with -c, or unset UPSTREAM_URL\n");
    }
    if (file) return load_file(kUsualFile, environment);
    if (from_environment) return take(config::parse_environment(environment), kEnvironmentName);
    return refuse(std::string("no configuration. Either\n") +
                  "  - name a file:          gatehouse serve -c FILE      "
                  "(config/gatehouse.example.json is one to start from)\n"
                  "  - or put it in place:   " +
                  kUsualFile +
                  "\n"
                  "  - or use no file:       UPSTREAM_URL, EXPECTED_ISSUER and EXPECTED_AUDIENCE "
                  "in the environment\n"
                  "To look around first:     gatehouse demo\n");
}

}  // namespace

Found load_file(const std::string& path, const config::Environment& environment) {
    const Result<std::string> text = read_text(path);
    if (!text) {
        Found found;
        found.name = path;
        found.errors = (path.empty() ? "configuration" : path) + ": " + text.error().detail + "\n";
        return found;
    }
    return take_text(*text, path, path, environment);
}

Found load_configuration(const ServeOptions& options,
                         const config::Environment& environment,
                         const std::optional<std::string>& text) {
    const std::string path = options.config.empty() ? kUsualFile : options.config;
    Found found = text                     ? take_text(*text, kSentName, path, environment)
                  : options.config.empty() ? look_for(environment)
                                           : load_file(options.config, environment);
    if (found.model) apply_overrides(options, found);
    return found;
}

}  // namespace gatehouse::cli
