#include "gatehouse/mapping/request_validator.hpp"

#include "support/request_fixture.hpp"

#include <doctest/doctest.h>

namespace request_validator_test {

using namespace gatehouse;
using namespace gatehouse::mapping;

namespace {

const std::map<std::string, Json>& models() {
    static const std::map<std::string, Json> kModels = {
        {"Pet",
         {{"type", "object"},
          {"required", Json::array({"name"})},
          {"properties", {{"name", {{"type", "string"}}}}}}}};
    return kModels;
}

RequestValidator make(ValidatorSpec spec) {
    return RequestValidator::make(spec, models()).value();
}

}  // namespace

TEST_SUITE("mapping/request_validator") {
    TEST_CASE("every required parameter must be there and not blank") {
        const RequestValidator validator = make({true,
                                                 false,
                                                 {{"method.request.header.X-Shop", true},
                                                  {"method.request.header.X-Other", false},
                                                  {"method.request.path.id", true},
                                                  {"method.request.querystring.page", true},
                                                  {"method.request.querystring.a", true}},
                                                 {}});

        struct Row {
            const char* name;
            const char* header;
            const char* query;
            const char* missing;
        };

        const Row rows[] = {
            {"all there", "1", "a=1&page=2", ""},
            {"none there", nullptr, "", "[X-Shop, a, page]"},
            {"a blank header", " \t", "a=1&page=2", "[X-Shop]"},
            {"an empty query value", "1", "a=&page=2", "[a]"},
            {"a blank query value", "1", "a=%20&page=2", "[a]"},
            {"a name without value", "1", "a&page=2", "[a]"},
            {"another case of the name", "1", "A=1&page=2", "[a]"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            test::RequestFixture f;
            if (row.header != nullptr) f.field("X-Shop", row.header);
            f.request.target.query = row.query;
            CHECK(validator.missing_parameters(f.facts()) == row.missing);
            CHECK_FALSE(validator.validates_body());
        }
    }

    TEST_CASE("only what the validator says is validated") {
        test::RequestFixture f;
        f.request.target.query = "";
        const std::map<std::string, bool> parameters = {{"method.request.querystring.page", true}};
        const std::map<std::string, std::string> models = {{"application/json", "Pet"}};
        const RequestValidator body = make({false, true, parameters, models});
        CHECK(body.missing_parameters(f.facts()) == "");
        CHECK(body.check_body(f.facts(), "[]").has_value());
        const RequestValidator both = make({true, true, parameters, models});
        CHECK(both.missing_parameters(f.facts()) == "[page]");
        const RequestValidator only = make({true, false, parameters, models});
        CHECK_FALSE(only.validates_body());
    }

    TEST_CASE("the model is chosen by Content-Type") {
        struct Row {
            const char* name;
            const char* type;
            const char* body;
            const char* fault;  ///< its place; nothing: good
        };

        const Row plain[] = {
            {"good", "application/json", R"({"name":"a"})", nullptr},
            {"no type is JSON", nullptr, R"({"name":1})", "/name: type"},
            {"parameters of the type", "application/json; charset=utf-8", "{}", "/: required"},
            {"case of the type", "Application/JSON", "{}", "/: required"},
            {"no JSON", "application/json", "name=a", "not valid JSON"},
            {"trailing data", "application/json", R"({"name":"a"} x)", "not valid JSON"},
            {"a name twice", "application/json", R"({"name":1,"name":"a"})", "member twice"},
            {"an empty body is an empty object", "application/json", "", "/: required"},
            {"a type without model", "text/plain", "anything", nullptr},
            {"an empty type is JSON", "", "{}", "/: required"},
            {"nothing but a parameter is JSON", "; q=1", "{}", "/: required"},
            {"a list of types", "text/plain, application/json", "{}", "several types"},
            {"a comma in a parameter", "text/plain; a=\"b,c\"", "anything", nullptr},
        };
        const RequestValidator validator = make({false, true, {}, {{"application/json", "Pet"}}});
        for (const Row& row : plain) {
            CAPTURE(row.name);
            test::RequestFixture f;
            if (row.type != nullptr) f.field("Content-Type", row.type);
            const auto fault = validator.check_body(f.facts(), row.body);
            CHECK(fault.has_value() == (row.fault != nullptr));
            if (fault && row.fault != nullptr)
                CHECK(fault->place.find(row.fault) != std::string::npos);
        }
        test::RequestFixture twice;
        twice.field("Content-Type", "text/plain");
        twice.field("Content-Type", "application/json");
        CHECK(validator.check_body(twice.facts(), R"({"name":"a"})").has_value());
        const RequestValidator all = make({false, true, {}, {{"$default", "Pet"}}});
        test::RequestFixture f;
        f.field("Content-Type", "text/plain");
        CHECK(all.check_body(f.facts(), "anything").has_value());
        CHECK_FALSE(all.check_body(f.facts(), R"({"name":"a"})").has_value());
    }

    TEST_CASE("the client's values are in the message and never in the place") {
        const RequestValidator validator = make({false, true, {}, {{"application/json", "Pet"}}});
        test::RequestFixture f;
        const auto fault = validator.check_body(f.facts(), R"({"name":4711})");
        REQUIRE(fault.has_value());
        CHECK(
            fault->message ==
            R"([instance type (integer) does not match any allowed primitive type (allowed: ["string"])])");
        CHECK(fault->place == "/name: type");
    }

    TEST_CASE("a model that cannot be compiled is refused") {
        ValidatorSpec spec{false, true, {}, {{"application/json", "Gone"}}};
        const auto made = RequestValidator::make(spec, models());
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().detail.find("/requestModels") != std::string::npos);
        spec.request_models = {{"application/json", "Empty"}};
        CHECK(RequestValidator::make(spec, built_in_models()).has_value());
    }
}

}  // namespace request_validator_test
