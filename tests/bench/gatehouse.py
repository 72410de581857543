"""Gatehouse in every form that is measured. Authorization is on in all of them."""

import sys

from issuer import AUDIENCE, ISSUER, TENANT
from machine import free_port
from proxy import Proxy, write_json

ONE_TENANT = [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "${stageArn}/*", "when": {"tenant_id": TENANT}}]


def jwt_settings(bench, statements=None):
    return {
        "issuer": ISSUER,
        "audience": [AUDIENCE],
        "jwksUri": f"file:{bench.folder}/jwks.json",
        "algorithms": ["RS256", "ES256"],
        "statements": statements or ONE_TENANT,
    }


def by_jwt(bench, statements=None, **changes):
    return {"type": "TOKEN", "authorizerUri": "gatehouse:jwt", "authorizerResultTtlInSeconds": 3600, "jwt": jwt_settings(bench, statements)} | changes


def route(bench, key="ANY /items", uri=None):
    return {"routeKey": key, "authorizer": "a", "integration": {"type": "HTTP_PROXY", "uri": uri or f"http://127.0.0.1:{bench.upstream}/items"}}


def configuration(bench, authorizer, routes, **changes):
    port, admin = free_port(), free_port()
    return {
        "listeners": [{"address": "127.0.0.1", "port": port}],
        "admin": {"address": "127.0.0.1", "port": admin},
        "threads": 1,
        "accessLog": {"format": "off"},
        "limits": {"connections": bench.files, "bodyBytes": 1 << 34},
        "apis": [{"name": "bench", "authorizers": {"a": authorizer}, "routes": routes}],
    } | changes


def make(bench, name, authorizer=None, routes=None, headers=None, path="/items", refusals=None, **changes):
    """@param changes  keys of the configuration's root"""
    settings = configuration(bench, authorizer or by_jwt(bench), routes or [route(bench)], **changes)
    file = write_json(bench.folder / f"{name}.json", settings)
    if refusals is None:
        refusals = [
            ((), None, 401),
            ([f"Authorization: Bearer {bench.issuer.forged()}"], None, 401),
            ([f"Authorization: Bearer {bench.issuer.foreign()}"], None, 403),
        ]
    return Proxy(
        name,
        [bench.gatehouse, "serve", "-c", file],
        settings["listeners"][0]["port"],
        headers if headers is not None else [f"Authorization: Bearer {bench.token}"],
        path,
        [(refused, where or path.replace("{n}", "0"), status) for refused, where, status in refusals],
        tls="tls" in settings["listeners"][0],
        expect="X-Authorizer-userId: auth0|user123" if authorizer is None else "",
        admin=settings["admin"]["port"],
    )


def cached(bench):
    return make(bench, "gatehouse")


def by_function(bench):
    """A Lambda authorizer, a Python function that Gatehouse runs: asked once, so that hits are measured."""
    command = [sys.executable, str(bench.root / "tests" / "support" / "lambda_runtime.py"), "authorizer.handler"]
    functions = {"authorizer": {"command": command, "directory": str(bench.root / "tests" / "bench"), "environment": {"PYTHONDONTWRITEBYTECODE": "1"}}}
    authorizer = {"type": "TOKEN", "authorizerUri": "arn:aws:lambda:us-east-1:123456789012:function:authorizer", "authorizerResultTtlInSeconds": 3600}
    return make(bench, "gatehouse-fn", authorizer, functions=functions, refusals=[((), None, 401)])


def every_token_new(bench):
    """A policy cache much smaller than the tokens that come in turn: each is verified and stored, and gone before it comes again."""
    return make(bench, "gatehouse-new-tokens", limits={"cacheEntries": 64})


def logging(bench):
    return make(bench, "gatehouse-log", accessLog={"format": "json", "path": str(bench.folder / "access.log")})


def two_workers(bench):
    return make(bench, "gatehouse-2", threads=2)


def tls(bench):
    certificate = {"certificate": str(bench.folder / "certificate.pem"), "privateKey": str(bench.folder / "certificate.key")}
    listener = {"address": "127.0.0.1", "port": free_port(), "tls": {"certificates": [certificate]}}
    return make(bench, "gatehouse-tls", listeners=[listener])


def with_routes(bench, count):
    routes = [route(bench, f"GET /r{n}/items/{{id}}") for n in range(count)]
    proxy = make(bench, f"gatehouse-{count}-routes", routes=routes, path="/r{n}/items/7")
    proxy.numbers = count
    return proxy


def with_statements(bench, count):
    """The last of so many statements is the one that allows."""
    statements = [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"${{stageArn}}/GET/s{n}/*"} for n in range(count - 1)
    ] + ONE_TENANT
    return make(bench, f"gatehouse-{count}-statements", by_jwt(bench, statements))


def with_cached(bench, count):
    """So many cached identities of one token: each names a device beside it, and both are the cache's key."""
    authorizer = by_jwt(bench) | {"type": "REQUEST", "identitySource": "method.request.header.Authorization, method.request.header.X-Device"}
    proxy = make(
        bench,
        f"gatehouse-{count}-cached",
        authorizer,
        headers=[f"Authorization: Bearer {bench.token}", "X-Device: device-{n}"],
        refusals=[([f"Authorization: Bearer {bench.token}"], None, 401)],
        limits={"cacheEntries": 4000000, "cacheBytes": 1 << 33},
    )
    proxy.numbers = count
    return proxy


def with_targets(bench, ports):
    upstreams = {"backend": {"targets": [f"http://127.0.0.1:{port}" for port in ports]}}
    return make(bench, f"gatehouse-{len(ports)}-targets", routes=[route(bench, uri="http://backend/items")], upstreams=upstreams)


def hits(proxy):
    return proxy.metric("gatehouse_cache_hits_total")


def misses(proxy):
    return proxy.metric("gatehouse_cache_misses_total")
