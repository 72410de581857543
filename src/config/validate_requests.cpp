#include "validate_requests.hpp"

#include "gatehouse/config/locate.hpp"
#include "gatehouse/schema/schema.hpp"
#include "suggest.hpp"
#include "text_rules.hpp"

#include <algorithm>
#include <string_view>

namespace gatehouse::config {
namespace {

// Those that each API of the service has from the start.
constexpr std::string_view kBuiltIn[] = {"Empty", "Error"};

class RequestCheck {
  public:
    RequestCheck(const Api& api, std::vector<Problem>& problems, std::vector<Problem>& warnings)
        : api_(api), problems_(problems), warnings_(warnings) {}

    void run() {
        for (const auto& [name, schema] : api_.models)
            check_model(name);
        for (const Route& route : api_.routes) {
            check_validator(route);
            check_models(route);
        }
        for (const RequestValidator& validator : api_.request_validators) {
            const bool used =
                std::ranges::find(api_.routes, validator.name, &Route::request_validator) !=
                api_.routes.end();
            if (!used) {
                warnings_.push_back(
                    {append_pointer(api_.pointer + "/requestValidators", validator.name),
                     0,
                     "no route uses this validator"});
            }
        }
    }

  private:
    void problem(std::string pointer, std::string message) {
        problems_.push_back({std::move(pointer), 0, std::move(message)});
    }

    const RequestValidator* find_validator(const Route& route) const {
        const auto found = std::ranges::find(
            api_.request_validators, route.request_validator, &RequestValidator::name);
        return found == api_.request_validators.end() ? nullptr : &*found;
    }

    // The detail of a fault begins with its place below the model.
    void check_model(const std::string& name) {
        const auto compiled = schema::compile(api_.models, name);
        if (compiled) return;
        const std::string& detail = compiled.error().detail;
        const std::size_t end = detail.find(": ");
        problem(append_pointer(api_.pointer + "/models", name) + detail.substr(0, end),
                end == std::string::npos ? detail : detail.substr(end + 2));
    }

    void check_validator(const Route& route) {
        const RequestValidator* validator = find_validator(route);
        if (!route.request_validator.empty() && validator == nullptr) {
            std::vector<std::string_view> names;
            names.reserve(api_.request_validators.size());
            for (const RequestValidator& one : api_.request_validators)
                names.push_back(one.name);
            return problem(route.pointer + "/requestValidator",
                           "there is no validator " + in_quotes(route.request_validator) +
                               " in \"requestValidators\"" +
                               suggest(route.request_validator, names));
        }
        const bool checks = validator != nullptr && validator->validate_parameters;
        for (const auto& [name, required] : route.request_parameters) {
            // A path parameter is always there. Declaring it is what the service wants for
            // mappings.
            if (!required || checks || name.starts_with("method.request.path.")) continue;
            problem(append_pointer(route.pointer + "/requestParameters", name),
                    "would be ignored: it is required, and no \"requestValidator\" with "
                    "validateRequestParameters checks it");
        }
    }

    void check_models(const Route& route) {
        if (route.request_models.empty()) return;
        const RequestValidator* validator = find_validator(route);
        if (route.request_validator.empty() ||
            (validator != nullptr && !validator->validate_body)) {
            problem(route.pointer + "/requestModels",
                    "would be ignored: no \"requestValidator\" with validateRequestBody checks the "
                    "body");
        }
        std::vector<std::string_view> names(std::begin(kBuiltIn), std::end(kBuiltIn));
        for (const auto& [name, schema] : api_.models)
            names.push_back(name);
        for (const auto& [type, model] : route.request_models) {
            if (std::ranges::find(names, model) != names.end()) continue;
            problem(append_pointer(route.pointer + "/requestModels", type),
                    "there is no model " + in_quotes(model) + suggest(model, names));
        }
    }

    const Api& api_;
    std::vector<Problem>& problems_;
    std::vector<Problem>& warnings_;
};

}  // namespace

void check_requests(const Api& api,
                    std::vector<Problem>& problems,
                    std::vector<Problem>& warnings) {
    RequestCheck(api, problems, warnings).run();
}

void check_request_parameters(const Route& route,
                              const std::vector<std::string>& path_parameters,
                              std::vector<Problem>& problems) {
    constexpr std::string_view kPath = "method.request.path.";
    if (route.path.empty()) return;
    const std::vector<std::string_view> names(path_parameters.begin(), path_parameters.end());
    for (const auto& [name, required] : route.request_parameters) {
        if (!name.starts_with(kPath)) continue;
        const std::string_view parameter = std::string_view(name).substr(kPath.size());
        if (std::ranges::find(names, parameter) != names.end()) continue;
        problems.push_back({append_pointer(route.pointer + "/requestParameters", name),
                            0,
                            in_quotes(parameter) + " is no path parameter of " +
                                in_quotes(route.path) + suggest(parameter, names)});
    }
}

}  // namespace gatehouse::config
