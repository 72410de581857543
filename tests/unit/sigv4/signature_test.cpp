#include "gatehouse/sigv4/signature.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace sigv4_signature_test {

using namespace gatehouse;
using namespace gatehouse::sigv4;

namespace {

constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

struct Sample {
    std::string method = "GET";
    std::string target = "/";
    std::vector<std::pair<std::string, std::string>> headers;  ///< beside host and x-amz-date
    std::string content;
    std::string service = "service";
    std::vector<std::string> signed_headers = {"host", "x-amz-date"};
    std::string host = "example.amazonaws.com";
};

struct Made {
    explicit Made(const Sample& sample) : source(sample) {
        fields.push_back({"Host", source.host, http::FieldId::host});
        fields.push_back({"X-Amz-Date", "20150830T123600Z", http::FieldId::other});
        for (const auto& [name, value] : source.headers)
            fields.push_back({name, value, http::FieldId::other});
        head.method = source.method;
        head.target = source.target;
        head.fields = fields;
        authorization.access_key = "AKIDEXAMPLE";
        authorization.date = "20150830";
        authorization.region = "us-east-1";
        authorization.service = source.service;
        authorization.terminator = "aws4_request";
        authorization.timestamp = "20150830T123600Z";
        authorization.signed_headers = source.signed_headers;
        request = {source.method, source.target, &head, source.content};
    }

    Made(const Made&) = delete;
    Made& operator=(const Made&) = delete;

    std::string canonical() const { return make_canonical_request(request, authorization); }

    std::string signature() const {
        return sign(authorization, kSecret, make_string_to_sign(authorization, canonical()));
    }

    Sample source;
    std::vector<http::Field> fields;
    http::RequestHead head;
    Authorization authorization;
    SignedRequest request;
};

Sample sample(std::string method, std::string target) {
    Sample made;
    made.method = std::move(method);
    made.target = std::move(target);
    return made;
}

const std::string kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

}  // namespace

TEST_SUITE("sigv4/signature") {
    // aws-sig-v4-test-suite, by its cases' names, and the IAM User Guide's worked example
    // ("ListUsers"). Written down from knowledge, and each the same as botocore's SigV4Auth.
    TEST_CASE("signatures are those of the published vectors") {
        struct Row {
            const char* name;
            Sample sample;
            const char* signature;
        };

        Sample header_case = sample("POST", "/");
        header_case.headers = {{"My-Header1", "VALUE1"}};
        header_case.signed_headers = {"host", "my-header1", "x-amz-date"};
        Sample duplicate = sample("GET", "/");
        duplicate.headers = {
            {"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}};
        duplicate.signed_headers = header_case.signed_headers;
        Sample trimmed = sample("GET", "/");
        trimmed.headers = {{"My-Header1", "value1"}, {"My-Header2", "\"a   b   c\""}};
        trimmed.signed_headers = {"host", "my-header1", "my-header2", "x-amz-date"};
        Sample form = sample("POST", "/");
        form.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
        form.signed_headers = {"content-type", "host", "x-amz-date"};
        form.content = "Param1=value1";
        Sample list_users = sample("GET", "/?Action=ListUsers&Version=2010-05-08");
        list_users.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
        list_users.signed_headers = form.signed_headers;
        list_users.service = "iam";
        list_users.host = "iam.amazonaws.com";
        const Row rows[] = {
            {"get-vanilla",
             sample("GET", "/"),
             "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
            {"post-vanilla",
             sample("POST", "/"),
             "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
            {"get-vanilla-query-order-key-case",
             sample("GET", "/?Param2=value2&Param1=value1"),
             "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
            {"get-unreserved",
             sample("GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
             "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
            {"get-vanilla-empty-query-key",
             sample("GET", "/?Param1=value1"),
             "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
            {"post-header-value-case",
             header_case,
             "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
            {"get-header-key-duplicate",
             duplicate,
             "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
            {"get-header-value-trim",
             trimmed,
             "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
            {"post-x-www-form-urlencoded",
             form,
             "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
            {"IAM User Guide, ListUsers",
             list_users,
             "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Made made(row.sample);
            CHECK(made.signature() == row.signature);
            made.authorization.signature = row.signature;
            CHECK_FALSE(check_signature(made.request, made.authorization, kSecret));
        }
    }

    // Services other than S3 encode the path once more; botocore's own signatures.
    TEST_CASE("an encoded path is encoded again and a query is sorted and encoded anew") {
        Sample path = sample("GET", "/a%2Fb/%E1%88%B4");
        path.service = "execute-api";
        CHECK(Made(path).signature() ==
              "a944162d563c88a594b63995d08e83fc98bf12cb1551e265077ec961fa8882eb");
        Sample query = sample("GET", "/?b=%20%2B&a=~&a=1&c=");
        query.service = "execute-api";
        CHECK(Made(query).signature() ==
              "ed5b41b99173deae82860d2b7ff91130711d908521bb8b488aa6bd162fabcb7d");

        struct Row {
            const char* name;
            const char* target;
            const char* path;
            const char* query;
        };

        const Row rows[] = {
            {"nothing", "/", "/", ""},
            {"only a mark", "/?", "/", ""},
            {"absolute form", "http://example.com/a?b", "/a", "b="},
            {"absolute form without path", "http://example.com", "/", ""},
            {"trailing slash stays", "/a/", "/a/", ""},
            {"escapes are encoded", "/a%20b", "/a%2520b", ""},
            {"case of escapes stays", "/%e1", "/%25e1", ""},
            {"what the path may hold", "/a:b@c!$'()*,=", "/a%3Ab%40c%21%24%27%28%29%2A%2C%3D", ""},
            {"sorted by name then value", "/?b=2&a=2&a=1&B=0", "/", "B=0&a=1&a=2&b=2"},
            {"encoded names sort encoded", "/?b=&%C3%A4=&a-=&a=", "/", "%C3%A4=&a=&a-=&b="},
            {"no value", "/?a&b=", "/", "a=&b="},
            {"equal signs in values", "/?a=b=c", "/", "a=b%3Dc"},
            {"a plus is a space", "/?a=b+c", "/", "a=b%20c"},
            {"escapes come out alike", "/?a=%7E%2f", "/", "a=~%2F"},
            {"no escape", "/?a=%zz%4", "/", "a=%25zz%254"},
            {"empty parts", "/?&a=1&&b=2&", "/", "a=1&b=2"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Sample made = sample("GET", row.target);
            CHECK(Made(made).canonical() ==
                  std::string("GET\n") + row.path + "\n" + row.query +
                      "\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\n"
                      "host;x-amz-date\n" +
                      kEmptyHash);
        }
    }

    TEST_CASE("in a query all but the signature itself is signed") {
        Sample presigned = sample(
            "GET",
            "/items?x=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830"
            "%2Fus-east-1%2Fexecute-api%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires="
            "60&X-Amz-SignedHeaders=host&X-Amz-Signature=a33da6b1");
        presigned.service = "execute-api";
        presigned.signed_headers = {"host"};
        Made made(presigned);
        made.authorization.in_query = true;
        // botocore's SigV4QueryAuth.
        CHECK(made.signature() ==
              "a33da6b1a456dba25baeae77e2f85fbed4abe2a13cc6f4ed5d32b83d9ac6bc21");
    }

    TEST_CASE("whatever was signed and is changed does not match") {
        Sample base = sample("POST", "/items?a=1");
        base.headers = {{"X-Amz-Meta", "m"}, {"Content-Type", "text/plain"}};
        base.signed_headers = {"content-type", "host", "x-amz-date", "x-amz-meta"};
        base.content = "hello";
        Made good(base);
        const std::string signature = good.signature();

        struct Row {
            const char* name;
            void (*change)(Sample&);
        };

        const Row rows[] = {
            {"method", [](Sample& s) { s.method = "PUT"; }},
            {"path", [](Sample& s) { s.target = "/item?a=1"; }},
            {"path by encoding", [](Sample& s) { s.target = "/item%73?a=1"; }},
            {"query value", [](Sample& s) { s.target = "/items?a=2"; }},
            {"query added", [](Sample& s) { s.target = "/items?a=1&b"; }},
            {"host", [](Sample& s) { s.host = "other.amazonaws.com"; }},
            {"header", [](Sample& s) { s.headers[0].second = "n"; }},
            {"header twice", [](Sample& s) { s.headers.push_back(s.headers[0]); }},
            {"content", [](Sample& s) { s.content = "hellO"; }},
            {"no content", [](Sample& s) { s.content.clear(); }},
            {"list of headers", [](Sample& s) { s.signed_headers.pop_back(); }},
            {"service", [](Sample& s) { s.service = "iam"; }},
        };
        for (const Row& row : rows) {
            CAPTURE(row.name);
            Sample changed = base;
            row.change(changed);
            Made made(changed);
            made.authorization.signature = signature;
            const Fault fault = check_signature(made.request, made.authorization, kSecret);
            CHECK(fault.error == Errc::signature_mismatch);
            CHECK(fault.message.find("'" + made.canonical() + "'") != std::string::npos);
        }
        good.authorization.signature = signature;
        CHECK_FALSE(check_signature(good.request, good.authorization, kSecret));
        CHECK(check_signature(good.request, good.authorization, "another secret"));
        for (const std::string& wrong :
             {std::string(), signature.substr(1), signature + "0", std::string(64, '0')}) {
            good.authorization.signature = wrong;
            CHECK(check_signature(good.request, good.authorization, kSecret));
        }
    }

    TEST_CASE("the content's own hash counts and not what a header says of it") {
        Sample lying = sample("POST", "/");
        lying.headers = {{"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"}};
        lying.signed_headers = {"host", "x-amz-content-sha256", "x-amz-date"};
        lying.content = "hello";
        Made made(lying);
        // As a signer would that means the header.
        std::string canonical = made.canonical();
        canonical.replace(canonical.rfind('\n') + 1, std::string::npos, "UNSIGNED-PAYLOAD");
        made.authorization.signature =
            sign(made.authorization, kSecret, make_string_to_sign(made.authorization, canonical));
        CHECK(check_signature(made.request, made.authorization, kSecret).error ==
              Errc::signature_mismatch);
    }
}

}  // namespace sigv4_signature_test
