#include "parser.hpp"

#include "gatehouse/core/ascii.hpp"

#include <algorithm>

namespace gatehouse::cli {
namespace {

constexpr int kHelpColumn = 34;

std::string join(const std::vector<std::string_view>& words) {
    std::string text;
    for (const std::string_view word : words)
        text += (text.empty() ? "" : ", ") + std::string(word);
    return text;
}

}  // namespace

Parser::Parser(std::string_view call,
               const std::string& description,
               const config::Environment& environment)
    : call_(call),
      app_(description + "\n", "gatehouse " + std::string(call)),
      environment_(environment) {
    app_.set_help_flag("-h,--help", "print this and exit");
    app_.allow_extras();
    app_.get_formatter()->column_width(kHelpColumn);
    app_.get_formatter()->label("OPTIONS", "options");
    app_.get_formatter()->label("REQUIRED", "(required)");
}

Parser::Option& Parser::add(const std::string& flags, const std::string& variable) {
    Option& option = options_.emplace_back();
    option.flag = flags.substr(flags.rfind(',') + 1);
    option.environment = variable;
    return option;
}

Parser::Option& Parser::text(const std::string& flags,
                             const std::string& kind,
                             const std::string& description,
                             const std::string& variable) {
    Option& option = add(flags, variable);
    option.handle = app_.add_option(
        flags, option.value, description + (variable.empty() ? "" : " [" + variable + "]"));
    option.handle->option_text(kind);
    return option;
}

Parser::Option& Parser::list(const std::string& flags,
                             const std::string& kind,
                             const std::string& description) {
    Option& option = add(flags, {});
    option.handle = app_.add_option(flags, option.values, description);
    option.handle->option_text(kind);
    // One value each time it is named: what follows is not swallowed.
    if (flags.starts_with('-')) option.handle->allow_extra_args(false);
    return option;
}

Parser::Option& Parser::flag(const std::string& flags,
                             const std::string& description,
                             const std::string& variable) {
    Option& option = add(flags, variable);
    option.is_flag = true;
    option.handle = app_.add_flag(
        flags, option.set, description + (variable.empty() ? "" : " [" + variable + "]"));
    return option;
}

bool Parser::parse(const std::vector<std::string>& arguments) {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants them
    try {
        app_.parse(std::move(reversed));
    } catch (const CLI::CallForHelp&) {
        exit_ = Exit{0, app_.help(), {}};
        return false;
    } catch (const CLI::ArgumentMismatch& fault) {
        const std::string text = fault.what();  // "--config: 1 required TEXT missing"
        refuse(text.substr(0, text.find(':')) + " wants a value");
        return false;
    } catch (const CLI::ParseError& fault) {
        refuse(fault.what());
        return false;
    }
    for (const Option& option : options_) {
        // As from -c "$UNSET": what is meant to be there is not, and no default may stand in.
        if (option.flag.starts_with('-') && given(option) && option.value.empty() &&
            option.values.empty() && !option.is_flag)
            refuse(option.flag + " wants a value");
    }
    const std::vector<std::string> extras = app_.remaining();
    if (!extras.empty()) refuse_extra(extras.front());
    return !failed();
}

std::string Parser::get(const Option& option, std::string_view fallback) {
    if (given(option)) return option.value;
    if (!option.environment.empty()) {
        if (auto value = environment_(option.environment); value && !value->empty()) return *value;
    }
    return std::string(fallback);
}

bool Parser::get_flag(const Option& option) {
    if (given(option)) return option.set;
    const std::string value = to_lower(get(option));
    if (value == "1" || value == "true" || value == "yes" || value == "on") return true;
    if (!value.empty() && value != "0" && value != "false" && value != "no" && value != "off") {
        refuse_value(option, value, "true or false");
    }
    return false;
}

std::optional<Endpoint> Parser::get_endpoint(const Option& option) {
    const std::string value = get(option);
    if (value.empty() && !given(option)) return std::nullopt;
    auto endpoint = parse_endpoint(value);
    if (!endpoint) refuse_value(option, value, "ADDR:PORT, such as 127.0.0.1:8080 or [::1]:8080");
    return endpoint;
}

std::string Parser::get_admin_url(const Option& option) {
    const std::string value = get(option, "127.0.0.1:" + std::to_string(kAdminPort));
    auto url = parse_admin_url(value);
    if (!url) refuse_value(option, value, "an URL or ADDR:PORT, such as http://127.0.0.1:9901");
    return url.value_or("");
}

std::string Parser::get_one_of(const Option& option,
                               std::string_view fallback,
                               const std::vector<std::string_view>& allowed) {
    std::string value = get(option, fallback);
    if (std::find(allowed.begin(), allowed.end(), value) == allowed.end())
        refuse_value(option, value, join(allowed));
    return value;
}

void Parser::refuse(const std::string& message) {
    if (exit_) return;
    exit_ =
        Exit{2,
             {},
             "gatehouse " + call_ + ": " + message + "\nTry \"gatehouse " + call_ + " --help\".\n"};
}

std::string Parser::name_of(const Option& option) const {
    return given(option) ? option.flag : option.environment;
}

void Parser::refuse_value(const Option& option, std::string_view value, std::string_view allowed) {
    refuse(name_of(option) + ": \"" + printable(value) + "\" is not " + std::string(allowed));
}

void Parser::refuse_extra(const std::string& word) {
    if (!word.starts_with('-')) {
        refuse("unexpected argument \"" + printable(word) + "\"");
        return;
    }
    const std::string name = word.substr(0, word.find('='));
    std::vector<std::string_view> flags = {"--help"};
    for (const Option& option : options_) {
        if (option.flag.starts_with('-')) flags.push_back(option.flag);
    }
    const std::string_view nearest = find_nearest(name, flags);
    refuse("unknown option \"" + printable(name) + "\"" +
           (nearest.empty() ? "" : "; did you mean \"" + std::string(nearest) + "\"?"));
}

}  // namespace gatehouse::cli
