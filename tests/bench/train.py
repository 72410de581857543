"""The work by which GCC's profile-guided optimisation learns what is run often (./dev build --pgo): most cases of the bench that are traffic, and refusals,
which are not measured there. A wrong answer ends it, as it voids a round."""

import gatehouse
import load
import rounds

REQUESTS = 30000  # of each row; a program that counts itself is some times slower
BODY = 65536


def with_routes(bench):
    return gatehouse.with_routes(bench, 100)


def with_statements(bench):
    return gatehouse.with_statements(bench, 30)


def with_cached(bench):
    return gatehouse.with_cached(bench, 1000)


# What is asked, the share of REQUESTS, and how.
ROWS = [
    (gatehouse.cached, 2, {"connections": 64}),
    (gatehouse.cached, 1, {"connections": 16}),
    (gatehouse.cached, 1, {"connections": 1}),
    (gatehouse.cached, 0.3, {"close": True}),
    (gatehouse.cached, 0.1, {"post": BODY}),
    (gatehouse.every_token_new, 0.5, {"tokens": "RS256"}),
    (gatehouse.every_token_new, 0.3, {"tokens": "ES256"}),
    (gatehouse.logging, 1, {}),
    (gatehouse.tls, 0.5, {}),
    (with_routes, 0.5, {"random": True}),
    (with_statements, 0.3, {}),
    (with_cached, 0.5, {"random": True}),
    (gatehouse.by_function, 0.3, {}),
    (gatehouse.cached, 0.3, {"headers": [], "status": 401, "body": len('{"message":"Unauthorized"}')}),
]


def train(bench, requests=REQUESTS):
    """Lets the program of the bench work. It writes its profile whenever it ends."""
    bench.out.mkdir(parents=True, exist_ok=True)
    for number, (make, share, options) in enumerate(ROWS):
        name, options = make.__name__.replace("_", " "), dict(options)
        bench.progress(f"training: {number + 1} of {len(ROWS)}: {name}")
        with rounds.running(bench, {name: make}) as (proxies, missing):
            if missing:
                raise RuntimeError(f"{name}: {missing[name]}")
            proxy = proxies[name]
            proxy.headers = options.pop("headers", proxy.headers)
            if "tokens" in options:
                options["tokens"] = bench.issuer.token_file(options["tokens"], 2000)
            load.run(bench, proxy, requests=round(requests * share), **options)
            proxy.program.stop()
            if proxy.program.popen.returncode != 0:  # it writes no profile when it is killed
                raise RuntimeError(f"{name}: the program ended with status {proxy.program.popen.returncode}")
    bench.progress("")
