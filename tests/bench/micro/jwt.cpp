#include "gatehouse/jwt/jwks.hpp"
#include "gatehouse/jwt/sign.hpp"
#include "gatehouse/jwt/verify.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <map>
#include <string>

using namespace gatehouse;
using namespace gatehouse::jwt;

namespace {

/// Made once: an RSA key takes longer than all turns with it.
const SigningKey& key_for(Algorithm algorithm) {
    static std::map<Algorithm, SigningKey> keys;
    const auto found = keys.find(algorithm);
    if (found != keys.end()) return found->second;
    return keys.emplace(algorithm, generate_signing_key(algorithm, "k1").value()).first->second;
}

// From the token's text to believed claims, with the key at hand; used: with the table that a key
// of P-256 gets.
void jwt_verify(benchmark::State& state, Algorithm algorithm, bool used = false) {
    const SigningKey& key = key_for(algorithm);
    const auto keys = parse_key_set(key.key_set()).value();
    const WallTime now{std::chrono::seconds(1795492800)};
    const std::string token = key.mint({{"iss", "https://issuer.example/"},
                                        {"aud", "bench"},
                                        {"sub", "auth0|user123"},
                                        {"exp", 1795492800 + 600},
                                        {"iat", 1795492800},
                                        {"roles", {"admin", "user"}}})
                                  .value();
    std::array<Provider, 1> providers{Provider{"https://issuer.example/", {"bench"}, {}}};
    providers[0].algorithms.add(algorithm);
    const Rules rules;
    const std::string signature = key.sign("input").value();
    for (int i = 0; used && !keys->keys[0]->make_table(); ++i) {
        if (keys->keys[0]->verify(algorithm, "input", signature) != Errc::none || i > 1000)
            return state.SkipWithError("no table");
    }
    for (auto _ : state) {
        auto read = read_token(token, providers, rules);
        const auto verified =
            verify_token(std::move(read).value(), providers[0], rules, *keys, now);
        if (!verified) state.SkipWithError("not verified");
        benchmark::DoNotOptimize(verified);
    }
}

BENCHMARK_CAPTURE(jwt_verify, RS256, Algorithm::rs256);
BENCHMARK_CAPTURE(jwt_verify, RS384, Algorithm::rs384);
BENCHMARK_CAPTURE(jwt_verify, RS512, Algorithm::rs512);
BENCHMARK_CAPTURE(jwt_verify, PS256, Algorithm::ps256);
BENCHMARK_CAPTURE(jwt_verify, PS384, Algorithm::ps384);
BENCHMARK_CAPTURE(jwt_verify, PS512, Algorithm::ps512);
BENCHMARK_CAPTURE(jwt_verify, ES256, Algorithm::es256);
BENCHMARK_CAPTURE(jwt_verify, ES256_used, Algorithm::es256, true);
BENCHMARK_CAPTURE(jwt_verify, ES384, Algorithm::es384);
BENCHMARK_CAPTURE(jwt_verify, ES512, Algorithm::es512);
BENCHMARK_CAPTURE(jwt_verify, EdDSA, Algorithm::eddsa);

}  // namespace
