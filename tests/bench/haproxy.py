"""HAProxy as others would set it up: plain, with splicing, with jwt_verify, as a relay of bytes."""

import shutil

from machine import free_port
from proxy import Missing, Proxy


def _server(bench, name, mode="http", defaults="", rules="", headers=(), refusals=()):
    if not shutil.which("haproxy"):
        raise Missing("haproxy is not installed")
    port, file = free_port(), bench.folder / f"{name}.cfg"
    reuse = "http-reuse always" if mode == "http" else ""
    file.write_text(f"""
global
  nbthread 1
  maxconn {bench.files}
  no strict-limits # it would want two descriptors for each connection, and pipes
defaults
  mode {mode}
  timeout client 100s
  timeout server 100s
  timeout connect 5s
  {reuse}
  {defaults}
frontend in
  bind 127.0.0.1:{port} backlog 4096
  {rules}
  default_backend out
backend out
  server one 127.0.0.1:{bench.upstream} pool-max-conn 4096
""")
    return Proxy(name, ["haproxy", "-db", "-f", file], port, headers, refusals=refusals)


def plain(bench):
    return _server(bench, "haproxy")


def splicing(bench):
    return _server(bench, "haproxy-splice", defaults="option splice-request\n  option splice-response")


def relay(bench):
    """Bytes to and fro: the floor that no proxy on sockets goes below."""
    return _server(bench, "haproxy-l4", "tcp")


def _verifying(bench, algorithm):
    """The signature alone: no claim is looked at, which is less than Gatehouse does."""
    rules = f"""http-request deny deny_status 401 unless {{ http_auth_bearer -m found }}
  http-request deny deny_status 401 unless {{ http_auth_bearer,jwt_verify("{algorithm}","{bench.folder}/{algorithm}.pem") 1 }}"""
    return _server(
        bench,
        f"haproxy-{algorithm.lower()}",
        rules=rules,
        headers=[f"Authorization: Bearer {bench.issuer.mint(algorithm)}"],
        refusals=[((), None, 401), ([f"Authorization: Bearer {bench.issuer.forged()}"], None, 401)],
    )


def rs256(bench):
    return _verifying(bench, "RS256")


def es256(bench):
    return _verifying(bench, "ES256")
