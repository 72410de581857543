#include "gatehouse/http/conceal_url.hpp"

#include <doctest/doctest.h>

#include <string>

namespace conceal_url_test {

using namespace gatehouse::http;

TEST_SUITE("http/conceal_url") {
    TEST_CASE("URLs are shown without user, password and the values of the query") {
        struct Row {
            const char* url;
            const char* shown;
        };

        for (const Row& row : {
                 Row{"http://127.0.0.1:3000/a/{b}", "http://127.0.0.1:3000/a/{b}"},
                 Row{"redis://user:pass@host/1", "redis://***@host/1"},
                 Row{"http://a@b@c/d@e", "http://***@c/d@e"},
                 Row{"http://h/a?code=s3cret&x={id}&flag&e=", "http://h/a?code=***&x={id}&flag&e="},
                 Row{"http://h?k=a=b", "http://h?k=***"},
                 Row{"http://h/?", "http://h/?"},
                 Row{"no url", "no url"},
                 Row{"", ""},
             }) {
            CAPTURE(row.url);
            CHECK(conceal_url(row.url) == row.shown);
        }
    }
}

}  // namespace conceal_url_test
