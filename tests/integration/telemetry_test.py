"""Metrics by Prometheus' rules, and traces that go on from caller to upstream."""

import re
import unittest

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_strictly
from prometheus_client.parser import text_string_to_metric_families

from support.case import GatewayCase
from support.gateway import api, config, jwt_authorizer, mock, route
from support.process import wait_for
from support.tokens import mint

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"


def to_openmetrics(text):
    """The same text as OpenMetrics writes it, whose parser is strict: there a counter's family has no _total."""
    text = re.sub(r"(?m)^# (HELP|TYPE) (\w+)_total (.*)$", r"# \1 \2 \3", text)
    return text + "# EOF\n"


class Metrics(GatewayCase):
    def setUp(self):
        super().setUp()
        self.backend = self.upstream()
        # Two key sources of one issuer, which must not become one series twice.
        authorizers = {
            "jwt": jwt_authorizer(),
            "other": jwt_authorizer({"jwks": {"refreshInSeconds": 60}}),
        }
        routes = [
            route("GET /a", self.backend.url),
            route("GET /b", self.backend.url, "other"),
            mock("GET /open"),
        ]
        self.gateway = self.start(
            config(
                api(routes, authorizers=authorizers),
                api([mock("GET /x")], name="second", apiId="second", basePath="/second", authorizers={}),
            )
        )
        token = mint()
        for target, status in (
            ("/a", 200),
            ("/a", 200),
            ("/b", 200),
            ("/open", 200),
            ("/second/x", 200),
            ("/none", 403),
            ("/a/../b", 400),
        ):
            self.assert_status(self.gateway.get(target, token), status)
        self.assert_status(self.gateway.get("/a"), 401)
        self.text = self.gateway.admin("GET", "/metrics").body.decode()

    def test_a_strict_parser_takes_them(self):
        families = list(parse_strictly(to_openmetrics(self.text)))
        self.assertGreater(len(families), 40)
        self.assertEqual(len(families), len({family.name for family in families}))

    def test_names_units_and_types_follow_the_rules(self):
        # https://prometheus.io/docs/practices/naming/
        for family in text_string_to_metric_families(self.text):
            with self.subTest(family.name):
                self.assertRegex(family.name, r"\A(gatehouse|process)_[a-z][a-z_]*\Z")
                self.assertTrue(family.documentation)
                self.assertIn(family.type, ("counter", "gauge", "histogram"))
                self.assertNotRegex(family.name, r"_(count|sum|bucket|info_total|milliseconds|millis|micros|kb|mb|percent)\Z")
                total = f"# TYPE {family.name}_total counter\n" in self.text
                self.assertEqual(family.type == "counter", total)
                if family.type == "histogram":
                    self.assertTrue(family.name.endswith("_seconds"))
                for sample in family.samples:
                    self.assertLessEqual(
                        set(sample.labels),
                        {"api", "route", "status", "reason", "authorizer", "issuer", "limit", "le", "version", "plan", "result"},
                    )

    def test_no_series_is_there_twice(self):
        lines = [line.rpartition(" ")[0] for line in self.text.splitlines() if not line.startswith("#")]
        self.assertEqual(len(lines), len(set(lines)))

    def test_histograms_add_up(self):
        found = 0
        for family in text_string_to_metric_families(self.text):
            if family.type != "histogram":
                continue
            buckets, counts = {}, {}
            for sample in family.samples:
                labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
                if sample.name.endswith("_bucket"):
                    buckets.setdefault(labels, []).append((float(sample.labels["le"].replace("+Inf", "inf")), sample.value))
                elif sample.name.endswith("_count"):
                    counts[labels] = sample.value
            for labels, rows in buckets.items():
                found += 1
                self.assertEqual(rows, sorted(rows), family.name)
                self.assertEqual([value for _, value in rows], sorted(value for _, value in rows))
                self.assertEqual(float("inf"), rows[-1][0])
                self.assertEqual(counts[labels], rows[-1][1])
            self.assertEqual(set(buckets), set(counts))
        self.assertGreater(found, 5)

    def test_what_they_say(self):
        metrics = self.gateway.metrics()
        name = "users"
        self.assertEqual(6, metrics.total("gatehouse_request_duration_seconds_count", api=name))
        self.assertEqual(1, metrics.total("gatehouse_request_duration_seconds_count", api="second"))
        self.assertEqual(1, metrics.total("gatehouse_request_duration_seconds_count", api="none"))
        self.assertEqual(1, metrics.total("gatehouse_authorizer_duration_seconds_count", api=name, authorizer="jwt"))
        self.assertEqual(1, metrics.total("gatehouse_authorizer_duration_seconds_count", api=name, authorizer="other"))
        self.assertEqual(1, metrics.total("gatehouse_cache_hits_total"))
        self.assertEqual(2, metrics.total("gatehouse_cache_misses_total"))
        self.assertEqual(2, metrics.total("gatehouse_jwks_fetches_total"))
        self.assertEqual(2, metrics.total("gatehouse_jwks_fetch_duration_seconds_count"))
        self.assertLess(metrics.total("gatehouse_jwks_fetch_duration_seconds_sum"), 30)
        self.assertEqual(0, metrics.total("gatehouse_upstream_active_connections"))
        self.assertGreater(metrics.total("process_open_fds"), 5)
        self.assertLess(metrics.total("process_open_fds"), metrics.total("process_max_fds"))
        self.assertGreater(metrics.total("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(metrics.total("process_cpu_seconds_total"), 0)

    def test_upstream_connections_that_are_in_use(self):
        def script(connection):
            connection.read()
            connection.upstream.hold()

        backend = self.upstream(script=script)  # its own: no connection of another request is there to be used again
        gateway = self.start(config(api([route("GET /a", backend.url, "NONE")], authorizers={})))
        client = self.begin(gateway, "/a", [])
        active = "gatehouse_upstream_active_connections"
        wait_for(lambda: gateway.metrics().total(active) == 1, "the connection to be in use")
        client.reset()
        backend.release()
        wait_for(lambda: gateway.metrics().total(active) == 0, "the connection to be free")


class TraceContext(GatewayCase):
    """W3C Trace Context belongs to caller and upstream: both fields go on as they came, and the access log can name them."""

    def start_with(self, handling, protocol="REST"):
        backend = self.upstream()
        changes = {"stageName": "$default"} if protocol == "HTTP" else {"headerHandling": handling}
        gateway = self.start(
            config(
                api([route("ANY /{proxy+}", backend.url, "NONE")], authorizers={}, protocolType=protocol, **changes),
                accessLog={"format": "$context.requestId parent=$context.gatehouse.traceparent xray=$context.xrayTraceId", "path": "-"},
            )
        )
        return gateway, backend

    def logged(self, gateway, pattern):
        return gateway.process.stdout.wait(pattern)

    def test_both_fields_go_on_unchanged(self):
        for handling, protocol in (("service", "REST"), ("plain", "REST"), ("service", "HTTP")):
            with self.subTest(handling=handling, protocol=protocol):
                gateway, backend = self.start_with(handling, protocol)
                headers = [("traceparent", PARENT), ("tracestate", STATE), ("tracestate", "last=1")]
                self.assert_status(gateway.get("/x", headers=headers), 200)
                request = backend.one()
                self.assertEqual([PARENT], request.all("traceparent"))
                # An HTTP API joins repeated headers, which RFC 9110 and Trace Context 3.3.1.1 allow.
                self.assertEqual(f"{STATE},last=1", ",".join(request.all("tracestate")))
                self.assertTrue(self.logged(gateway, f"parent={PARENT}"))

    def test_what_is_no_traceparent_goes_on_too_and_is_not_logged(self):
        gateway, backend = self.start_with("service")
        for value in ("garbage", PARENT.upper(), PARENT[:-1]):
            with self.subTest(value):
                backend.clear()
                response = gateway.get("/x", headers=[("traceparent", value)])
                self.assertEqual([value], backend.one().all("traceparent"))
                line = self.logged(gateway, response.get("x-amzn-RequestId") + " .*")
                self.assertIn("parent=- ", line.group(0))
        self.assertFalse(any("garbage" in line for line in gateway.access_log()))

    def test_connection_cannot_name_it_into_being_kept(self):
        # What Connection names ends here (RFC 9110 7.6.1): the client's own choice.
        gateway, backend = self.start_with("service")
        headers = [("traceparent", PARENT), ("Connection", "traceparent")]
        self.assert_status(gateway.get("/x", headers=headers), 200)
        self.assertEqual([], backend.one().all("traceparent"))

    def test_the_services_own_trace_id(self):
        gateway, backend = self.start_with("service")
        self.assert_status(gateway.get("/x"), 200)
        sent = backend.one().get("X-Amzn-Trace-Id")
        self.assertRegex(sent, r"\ARoot=1-[0-9a-f]{8}-[0-9a-f]{24}\Z")
        self.assertTrue(self.logged(gateway, f"xray={sent}"))
        root = "Root=1-67891233-abcdef012345678912345678"
        for value, kept in ((root, True), (f"Self=1-67891234-12456789abcdef012345678;{root};Parent=463ac35c9f6413ad", True), ("x", False)):
            with self.subTest(value):
                backend.clear()
                self.assert_status(gateway.get("/x", headers=[("X-Amzn-Trace-Id", value)]), 200)
                [sent] = backend.one().all("X-Amzn-Trace-Id")
                self.assertEqual(kept, sent == value)
                self.assertIn("Root=1-", sent)


if __name__ == "__main__":
    unittest.main()
