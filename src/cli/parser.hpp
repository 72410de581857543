#pragma once

#include "gatehouse/cli/args.hpp"

#include <CLI/CLI.hpp>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::cli {

/// The options of one call, read with CLI11. Values stay text until they are asked for, so that an
/// option and its environment variable are read by one rule and named in the message. The first
/// fault is kept.
class Parser {
  public:
    struct Option {
        CLI::Option* handle = nullptr;
        std::string flag;         ///< "--listen"
        std::string environment;  ///< name of its variable, or empty
        std::string value;
        std::vector<std::string> values;
        bool is_flag = false;
        bool set = false;
    };

    Parser(std::string_view call,
           const std::string& description,
           const config::Environment& environment);

    Option& text(const std::string& flags,
                 const std::string& kind,
                 const std::string& description,
                 const std::string& variable = {});
    Option& list(const std::string& flags, const std::string& kind, const std::string& description);
    Option& flag(const std::string& flags,
                 const std::string& description,
                 const std::string& variable = {});

    void footer(const std::string& text) { app_.footer(text); }

    /// False when there is nothing to run: exit() says why.
    bool parse(const std::vector<std::string>& arguments);

    bool given(const Option& option) const { return option.handle->count() > 0; }

    /// The option's value, else its variable's, else `fallback`.
    std::string get(const Option& option, std::string_view fallback = {});
    bool get_flag(const Option& option);
    std::optional<Endpoint> get_endpoint(const Option& option);
    std::string get_admin_url(const Option& option);
    std::string get_one_of(const Option& option,
                           std::string_view fallback,
                           const std::vector<std::string_view>& allowed);

    /// Notes a fault in an option's value, or in its variable's, whichever counts.
    void refuse_value(const Option& option, std::string_view value, std::string_view allowed);

    /// Notes a fault in what was typed.
    void refuse(const std::string& message);

    bool failed() const { return exit_.has_value(); }

    Exit exit() const { return exit_.value_or(Exit{}); }

  private:
    Option& add(const std::string& flags, const std::string& variable);
    std::string name_of(const Option& option) const;
    void refuse_extra(const std::string& word);

    std::string call_;
    CLI::App app_;
    const config::Environment& environment_;
    std::deque<Option> options_;  // addresses stay
    std::optional<Exit> exit_;
};

}  // namespace gatehouse::cli
