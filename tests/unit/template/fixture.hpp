#pragma once

#include "gatehouse/template/template.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace gatehouse::templates {

/// What a rendering is given, with lives of its own.
struct Given {
    std::string body;
    std::vector<Parameter> path = {{"id", "7"}};
    std::vector<Parameter> querystring = {{"q", "a b"}, {"id", "shadowed"}};
    std::vector<Parameter> header = {{"Accept", "*/*"}, {"X-Id", "h"}, {"q", "shadowed"}};
    Json context = Json::parse(R"({
        "apiId": "local", "httpMethod": "POST", "requestTimeEpoch": 1783711144836,
        "authorizer": {"principalId": "u1", "roles": "a,b"},
        "identity": {"sourceIp": "192.0.2.1", "apiKey": null}})");
    Json stage_variables = Json::parse(R"({"backend": "127.0.0.1:3000", "a-b": "dash"})");
    Overrides overrides;

    Inputs inputs() const {
        return {body, path, querystring, header, &context, &stage_variables, &overrides};
    }
};

/// Compiles and renders; the fault's reason and detail in brackets when there is one.
inline Result<Rendered> render_text(std::string_view text, const Given& given) {
    auto compiled = compile(text);
    if (!compiled) return std::move(compiled).error();
    return render(*compiled, given.inputs());
}

inline std::string outcome(std::string_view text, const Given& given = {}) {
    const auto rendered = render_text(text, given);
    if (rendered) return rendered->text;
    return "<" + std::string(reason_id(rendered.error().errc())) + ": " + rendered.error().detail +
           ">";
}

inline std::string outcome(std::string_view text, std::string_view body) {
    Given given;
    given.body = body;
    return outcome(text, given);
}

/// A template, and what it prints.
struct Prints {
    std::string name;
    std::string text;
    std::string wanted;
    std::string body = {};
};

template <std::size_t n>
void check_prints(const Prints (&rows)[n]) {
    for (const Prints& row : rows) {
        CAPTURE(row.name);
        CAPTURE(row.text);
        CHECK(outcome(row.text, row.body) == row.wanted);
    }
}

/// A template, and a part of what the refusal says.
struct Refuses {
    std::string name;
    std::string text;
    std::string wanted;
    std::string body = {};
};

template <std::size_t n>
void check_compile_refuses(const Refuses (&rows)[n]) {
    for (const Refuses& row : rows) {
        CAPTURE(row.name);
        CAPTURE(row.text);
        const auto compiled = compile(row.text);
        REQUIRE_FALSE(compiled.has_value());
        CHECK(compiled.error().errc() == Errc::config_invalid);
        CAPTURE(compiled.error().detail);
        CHECK(compiled.error().detail.find(row.wanted) != std::string::npos);
    }
}

template <std::size_t n>
void check_render_fails(Errc code, const Refuses (&rows)[n]) {
    for (const Refuses& row : rows) {
        CAPTURE(row.name);
        CAPTURE(row.text);
        Given given;
        given.body = row.body;
        const auto compiled = compile(row.text);
        REQUIRE(compiled.has_value());
        const auto rendered = render(*compiled, given.inputs());
        REQUIRE_FALSE(rendered.has_value());
        CHECK(rendered.error().errc() == code);
        CAPTURE(rendered.error().detail);
        CHECK(rendered.error().detail.find(row.wanted) != std::string::npos);
    }
}

inline std::string repeat(std::string_view text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i)
        out += text;
    return out;
}

}  // namespace gatehouse::templates
