"""Cases that are traffic through proxies side by side: one table row each of who is measured, how, and what is to be reached."""

import dataclasses

import gatehouse
import haproxy
import nginx
import rounds
import rows
from cases.case import Case

MAKERS = {
    "gatehouse": gatehouse.cached,
    "gatehouse-fn": gatehouse.by_function,
    "gatehouse-new": gatehouse.every_token_new,
    "gatehouse-log": gatehouse.logging,
    "gatehouse-tls": gatehouse.tls,
    "nginx": nginx.plain,
    "nginx-tuned": nginx.tuned,
    "nginx-auth": nginx.auth_request,
    "nginx-tls": nginx.tls,
    "haproxy": haproxy.plain,
    "haproxy-splice": haproxy.splicing,
    "haproxy-rs256": haproxy.rs256,
    "haproxy-es256": haproxy.es256,
    "haproxy-l4": haproxy.relay,
}
RELAY = "haproxy-l4"
UNITS = {"cpu_us": "CPU", "rps": "requests/s", "p50": "p50", "p99": "p99"}


@dataclasses.dataclass
class Goal:
    """Ours / the better of `over` for `key`: `limit` at most, or at least."""

    over: tuple
    limit: float
    key: str = "cpu_us"
    at_least: bool = False

    def name(self, ours):
        return f"{UNITS[self.key]}: {ours} / {' or '.join(self.over)}"

    def floor(self, case, results, missing):
        """What a relay that looks at nothing reaches of this goal."""
        value = None if {RELAY, *self.over} & missing.keys() else rounds.ratio(results, RELAY, self.over, self.key)
        return rows.fact(case, f"{self.name(RELAY)}, the floor", value, "x")

    def judge(self, case, results, ours, missing):
        over = [name for name in self.over if name not in missing]
        what = self.name(ours)
        if not over:
            return rows.skipped(case, what, "; ".join(missing[name] for name in self.over))
        value = rounds.ratio(results, ours, over, self.key)
        note = "" if value is not None else "void: " + _why(results, (ours, *over))
        return (rows.least if self.at_least else rows.most)(case, what, self.limit, value, "x", note)


def _why(results, names):
    return next((row["void"] for name in names for row in results[name] if "void" in row), "too few rounds count")


def traffic(name, title, proxies, goals, load=None, tokens=None, check=None, seconds=1.0, often=1, floor=False):
    """@param load  options of gatehouse_load; @param tokens  (algorithm, count) sent in turn; @param seconds  of a round, times the usual
    @param often  as many rounds, times the usual
    @param check  (proxies, results) -> row, for what else must be true
    @param floor  a relay is measured beside them: what no proxy can do without costs it as much"""

    def run(bench, case):
        found = rows.Found()
        options = dict(load or {})
        if tokens:
            options["tokens"] = bench.issuer.token_file(*tokens)
        makers = {each: MAKERS[each] for each in (*proxies, *([RELAY] if floor else []))}
        with rounds.running(bench, makers, options.get("body", 1024)) as (running, missing):
            results = rounds.measure(bench, running, name, rounds=bench.rounds * often, seconds=bench.seconds * seconds, **options)
            if check and proxies[0] in running:
                found.rows.append(check(name, running, results))
        ours = proxies[0]
        found.rows[:0] = [goal.judge(name, results, ours, missing) for goal in goals]
        if floor:
            found.rows += [goal.floor(name, results, missing) for goal in goals]
        found.rows += [rows.skipped(name, each, why) for each, why in missing.items()]
        for each in results:
            found.rows.append(_figures(name, each, results))
        found.raw = results
        found.bars[f"{title}: CPU µs per request"] = {each: rounds.median(results, each, "cpu_us") for each in results}
        return found

    return Case(name, title, run)


def _figures(case, name, results):
    figures = {key: rounds.median(results, name, key) for key in ("cpu_us", "rps", "p50", "p99", "memory_kib", "load_busy")}
    if figures["cpu_us"] is None:
        return rows.fact(case, name, None, note="void: " + _why(results, (name,)))
    note = "{rps:.0f}/s, p50 {p50:.0f} µs, p99 {p99:.0f} µs, {memory_kib:.0f} KiB, load program {load_busy:.0%} busy".format(**figures)
    return rows.fact(case, name, figures["cpu_us"], "CPU µs/request", note)


def _no_hits(case, proxies, _results):
    """No token may have been found in the policy cache."""
    hits, misses = gatehouse.hits(proxies["gatehouse-new"]), gatehouse.misses(proxies["gatehouse-new"])
    return rows.most(case, "cache hits among all requests", 0.01, hits / max(1, hits + misses))


BOTH = ("nginx", "haproxy")
connections = [
    traffic(f"connections-{count}", f"{count} connection{'s' * (count > 1)}", ("gatehouse", *BOTH), [Goal(BOTH, 0.90)], {"connections": count}, floor=count == 1)
    for count in (1, 16, 256)
]
new_tokens = [
    traffic(
        f"tokens-{algorithm.lower()}",
        f"every token new, {algorithm}",
        ("gatehouse-new", other),
        [Goal((other,), limit)],
        tokens=(algorithm, 2000),
        check=_no_hits,
    )
    for algorithm, other, limit in (("RS256", "haproxy-rs256", 0.80), ("ES256", "haproxy-es256", 0.90))
]
bodies = [
    traffic(
        name,
        title,
        ("gatehouse", "haproxy", "haproxy-splice", "nginx-tuned", "nginx"),
        [Goal(("haproxy",), 0.60), Goal(("nginx-tuned",), 0.90), Goal(("haproxy-splice",), 0.90)],
        {"body": size},
    )
    for name, title, size in (("body-64k", "answers of 64 KB", 65536), ("body-1m", "answers of 1 MB", 1 << 20))
]
CASES = [
    traffic(
        "main",
        "GET, 1 KB, 64 connections, cached token",
        ("gatehouse", "nginx", "haproxy", "haproxy-rs256", "haproxy-l4", "nginx-tuned", "nginx-auth", "haproxy-splice", "haproxy-es256", "gatehouse-fn"),
        [
            Goal(("nginx",), 0.85),
            Goal(("haproxy",), 0.85),
            Goal(("haproxy-rs256",), 0.26),
            Goal(("haproxy-l4",), 1.12),
            Goal(("nginx",), 1.12, "rps", at_least=True),
        ],
    ),
    *connections,
    traffic("new-connections", "a new connection for each request", ("gatehouse", *BOTH), [Goal(("nginx",), 1.0)], {"close": True}),
    *bodies,
    traffic("post-64k", "POST of 64 KB", ("gatehouse", *BOTH), [Goal(("haproxy",), 0.70)], {"post": 65536}),
    *new_tokens,
    traffic(
        "rate",
        "8 000 requests a second",
        ("gatehouse", "nginx"),
        [Goal(("nginx",), 0.95, "p50"), Goal(("nginx",), 1.1, "p99")],
        {"rate": 8000},
        # What else the machine does is in the slowest hundredth of some rounds, and of as many more as they are longer.
        seconds=0.375,
        often=6,
        floor=True,
    ),
    traffic("tls", "TLS 1.3 on the listener", ("gatehouse-tls", "nginx-tls"), [Goal(("nginx-tls",), 1.0)]),
    traffic("access-log", "JSON access log to a file", ("gatehouse-log", "gatehouse"), [Goal(("gatehouse",), 1.06)]),
]
