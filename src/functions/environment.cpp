#include "environment.hpp"

#include "gatehouse/core/ascii.hpp"

#include <map>

namespace gatehouse::functions {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

constexpr const char* kInherited[] = {
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"};

// "app.handler", "src/app.lambda_handler": what runtimes take as their last argument.
bool is_handler(std::string_view text) {
    const std::size_t dot = text.rfind('.');
    if (dot == std::string_view::npos || dot == 0 || text.starts_with('-')) return false;
    for (const char c : text) {
        if (!is_alpha(c) && !is_digit(c) &&
            std::string_view("._-/:$").find(c) == std::string_view::npos)
            return false;
    }
    return is_alpha(text.back()) || is_digit(text.back()) || text.back() == '_';
}

}  // namespace

std::vector<std::string> make_environment(std::string_view name,
                                          const Command& command,
                                          std::string_view directory,
                                          std::uint16_t port,
                                          const Inherited& inherited) {
    std::map<std::string, std::string> values;
    for (const char* variable : kInherited) {
        if (const char* value = inherited(variable)) values[variable] = value;
    }
    values.try_emplace("PATH", kDefaultPath);
    values["AWS_LAMBDA_FUNCTION_NAME"] = name;
    values["AWS_LAMBDA_FUNCTION_VERSION"] = "$LATEST";
    values["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = "128";
    values["AWS_LAMBDA_INITIALIZATION_TYPE"] = "on-demand";
    values["AWS_LAMBDA_LOG_GROUP_NAME"] = "/aws/lambda/" + std::string(name);
    values["AWS_LAMBDA_LOG_STREAM_NAME"] = "$LATEST";
    values["AWS_REGION"] = command.region;
    values["AWS_DEFAULT_REGION"] = command.region;
    values["LAMBDA_TASK_ROOT"] = directory;
    if (command.command.size() > 1 && is_handler(command.command.back()))
        values["_HANDLER"] = command.command.back();
    for (const auto& [variable, value] : command.environment)
        values[variable] = value;
    values["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:" + std::to_string(port);
    std::vector<std::string> lines;
    for (const auto& [variable, value] : values)
        lines.push_back(variable + "=" + value);
    return lines;
}

std::vector<std::string> find_program(std::string_view program,
                                      const std::vector<std::string>& environment) {
    if (program.find('/') != std::string_view::npos) return {std::string(program)};
    std::string_view path;
    for (const std::string& line : environment) {
        if (line.starts_with("PATH=")) path = std::string_view(line).substr(5);
    }
    std::vector<std::string> files;
    while (!path.empty()) {
        const std::size_t end = path.find(':');
        const std::string_view folder = path.substr(0, end);
        // An empty entry would be the current folder: nobody means that.
        if (!folder.empty()) files.push_back(std::string(folder) + "/" + std::string(program));
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    }
    return files;
}

}  // namespace gatehouse::functions
