"""Requests that are validated and mapped: MOCK and HTTP integrations with templates, request validators, models."""

import json
import time
import unittest

from support.case import FAULT, GatewayCase
from support.gateway import ROOT, Folder, api, command, config, route
from support.tokens import bearer, mint
from support.upstream import ClosedPort, Upstream, answer

INVALID_BODY = b'{"message": "Invalid request body"}'
UNSUPPORTED = b'{"message": "Unsupported Media Type"}'
TIMED_OUT = b'{"message": "Endpoint request timed out"}'
BODY_ERRORS = {
    "BAD_REQUEST_BODY": {
        "responseTemplates": {
            "application/json": '{"message":$context.error.messageString,"why":"$context.error.validationErrorString"}'
        }
    }
}
JSON = {"Content-Type": "application/json"}


def open_route(key, integration, **changes):
    return {"routeKey": key, "authorizer": "NONE", "integration": integration} | changes


def mock(template, responses, **changes):
    integration = {"type": "MOCK", "integrationResponses": responses} | changes
    return integration if template is None else integration | {"requestTemplates": {"application/json": template}}


def http(to, responses=None, **changes):
    return {"type": "HTTP", "uri": f"http://{to}/backend", "integrationResponses": responses or {"200": {}}} | changes


class Mock(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        responses = {
            "200": {
                "responseParameters": {
                    "method.response.header.X-Stage": "context.stage",
                    "method.response.header.Access-Control-Allow-Origin": "'*'",
                },
                "responseTemplates": {
                    "application/json": '{"id":"$input.params(\'id\')","who":"$context.authorizer.userId"}',
                    "application/xml": "<pet>$input.params('id')</pet>",
                },
            },
            "404": {"selectionPattern": "404", "responseTemplates": {"application/json": '{"error":"no such pet"}'}},
        }
        chosen = "#if($input.params('id') == '0'){\"statusCode\": 404}#elseif($input.params('id') == 'x'){}#else{statusCode: 200}#end"
        routes = [
            {"routeKey": "GET /pets/{id}", "authorizer": "jwt", "integration": mock(chosen, responses)},
            open_route("GET /open/{id}", mock(chosen, responses)),
            open_route("POST /never", mock('{"statusCode":200}', {"200": {}}, passthroughBehavior="NEVER")),
            open_route("GET /default", mock(None, {"default": {"statusCode": 202}})),
            open_route("GET /unmatched", mock('{"statusCode":500}', {"404": {"selectionPattern": "404"}})),
            open_route("POST /echo", mock('{"statusCode":$input.json("$.status")}', {"200": {}, "204": {"selectionPattern": "204"}})),
            open_route("GET /short", {"type": "MOCK", "responseTemplates": {"application/json": '{"ok":true}'}}),
        ]
        cls.gateway = cls.share_gateway(config(api(routes)))

    def test_the_template_chooses_the_answer(self):
        response = self.gateway.get("/open/7")
        self.assert_status(response, 200)
        self.assertEqual(b'{"id":"7","who":""}', response.body)
        self.assertEqual(["application/json"], response.all("Content-Type"))
        self.assertEqual(["prod"], response.all("X-Stage"))
        self.assertEqual(["*"], response.all("Access-Control-Allow-Origin"))
        self.assertEqual([], response.all("X-Amzn-Trace-Id"), "recorded: MOCK sends none")
        self.assert_request_ids(response)
        missing = self.gateway.get("/open/0")
        self.assert_status(missing, 404)
        self.assertEqual(b'{"error":"no such pet"}', missing.body)
        xml = self.gateway.get("/open/7", headers={"Accept": "application/xml"})
        self.assertEqual(b"<pet>7</pet>", xml.body)
        self.assertEqual(["application/xml"], xml.all("Content-Type"))
        self.assert_status(self.gateway.get("/default"), 202)

    def test_the_authorizer_runs_first_and_its_context_is_there(self):
        self.assert_unauthorized(self.gateway.get("/pets/7"))
        response = self.gateway.get("/pets/7", mint(sub="alice"))
        self.assert_status(response, 200)
        self.assertEqual({"id": "7", "who": "alice"}, response.json())

    def test_faults_are_the_service_s_own(self):
        for target, reason in (("/open/x", "mock_status_invalid"), ("/unmatched", "integration_response_unmatched")):
            with self.subTest(target):
                response = self.gateway.get(target)
                self.assert_error(response, 500, FAULT, "InternalServerErrorException")
                self.assertEqual(reason, self.gateway.trace(response)["reason"])
        refused = self.gateway.request("POST", "/never", {"Content-Type": "text/plain"}, b"x")
        self.assert_status(refused, 415)
        self.assertEqual(UNSUPPORTED, refused.body)
        self.assertEqual(["BadRequestException"], refused.all("x-amzn-ErrorType"))
        not_json = self.gateway.request("POST", "/echo", JSON, b"no json")
        self.assert_status(not_json, 400)
        self.assertEqual("request_body_not_json", self.gateway.trace(not_json)["reason"])

    def test_the_body_is_read_whole_however_it_comes(self):
        with self.gateway.connect() as client:
            for body in (b'{"status":204}', b'{"status":200}'):
                response = client.exchange("POST", "/echo", JSON, body)
                self.assert_status(response, json.loads(body)["status"])
            client.send(
                b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"5\r\n{\"sta\r\n9\r\ntus\":204}\r\n0\r\n\r\nGET /short HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            self.assert_status(client.read("POST"), 204)
            self.assertEqual(b'{"ok":true}', client.read("GET").body)

    def test_the_trace_names_what_was_chosen(self):
        trace = self.gateway.trace(self.gateway.get("/open/0"))
        steps = {step["step"]: step for step in trace["steps"]}
        self.assertEqual("application/json", steps["integrationRequest"]["template"])
        self.assertEqual("404", steps["integrationResponse"]["response"])
        self.assertEqual("application/json", steps["integrationResponse"]["template"])


class Http(GatewayCase):
    def gate(self, to, responses=None, timeouts=None, authorizer="NONE", method="ANY", **changes):
        routes = [{"routeKey": f"{method} /in/{{id}}", "authorizer": authorizer, "integration": http(to, responses, **changes)}]
        return self.start(config(api(routes), timeouts=timeouts or {}))

    def test_only_what_is_mapped_reaches_the_backend(self):
        backend = self.upstream()
        gateway = self.gate(
            backend.authority,
            authorizer="jwt",
            uri=f"http://{backend.authority}/pets/{{id}}/{{shop}}?fixed=1",
            httpMethod="PUT",
            requestTemplates={
                "application/json": "#set($context.requestOverride.header.X-Late = 'late')"
                '{"called":$input.json(\'$.name\'),"from":"$context.authorizer.userId"}'
            },
            requestParameters={
                "integration.request.header.X-Token": "method.request.header.X-Client",
                "integration.request.header.X-Name": "method.request.body.name",
                "integration.request.querystring.page": "method.request.querystring.p",
                "integration.request.path.shop": "method.request.body.shop",
            },
        )
        response = gateway.request(
            "POST",
            "/in/7?p=2&secret=1",
            [
                ("Authorization", f"Bearer {mint(sub='alice')}"),
                ("Content-Type", "application/json"),
                ("X-Client", "c"),
                ("X-Other", "not mapped"),
                ("X-Authorizer-userId", "forged"),
                ("Cookie", "a=b"),
            ],
            b'{"name":"Rex","shop":"a/b"}',
        )
        self.assert_status(response, 200)
        request = backend.one()
        self.assertEqual("PUT", request.method)
        self.assertEqual("/pets/7/a%2Fb?fixed=1&page=2", request.target)
        self.assertEqual({"called": "Rex", "from": "alice"}, json.loads(request.body))
        self.assertEqual(["c"], request.all("X-Token"))
        self.assertEqual(["Rex"], request.all("X-Name"))
        self.assertEqual(["late"], request.all("X-Late"))
        self.assertEqual(["application/json"], request.all("Content-Type"))
        self.assertEqual(["application/json"], request.all("Accept"))
        self.assertEqual(["AmazonAPIGateway_local"], request.all("User-Agent"))
        self.assertEqual(["alice"], request.all("X-Authorizer-userId"))
        self.assertEqual([str(len(request.body))], request.all("Content-Length"))
        for name in ("X-Other", "Cookie", "Authorization", "X-Forwarded-For"):
            self.assertEqual([], request.all(name), name)
        self.assertFalse(backend.seen("forged"))
        self.assertFalse(backend.seen("secret"))

    def test_headers_that_templates_write_are_nobodys_on_every_route(self):
        backend = self.upstream()
        template = (
            "#set($context.requestOverride.header.X-Late = 'late')"
            "#set($context.requestOverride.header['X-Later'] = 'later'){}"
        )
        gateway = self.start(
            config(
                api(
                    [
                        {
                            "routeKey": "POST /in",
                            "authorizer": "NONE",
                            "integration": http(backend.authority, requestTemplates={"application/json": template}),
                        },
                        route("GET /other", f"{backend.url}/other", "NONE"),
                    ],
                    authorizers={},
                )
            )
        )
        sent = {"X-Late": "forged", "x_late": "forged", "x-later": "forged", "X-Own": "kept"}
        self.assert_status(gateway.get("/other", None, sent), 200)
        request = backend.one()
        self.assertEqual(["kept"], request.all("X-Own"))
        self.assertFalse(backend.seen("forged"))

    def test_the_answer_is_chosen_by_its_status(self):
        backend = self.upstream()
        responses = {
            "200": {"responseParameters": {"method.response.header.X-Kept": "integration.response.header.X-A"}},
            "404": {"selectionPattern": "40[34]", "responseTemplates": {"application/json": '{"gone":$input.json("$.why")}'}},
            "502": {"selectionPattern": "5..", "responseTemplates": {"application/json": '{"broken":true}'}},
        }
        gateway = self.gate(backend.authority, responses)
        for status, wanted, body in (
            ("200 OK", 200, b'{"why":"x"}'),
            ("400 Bad Request", 200, b'{"why":"x"}'),  # the default maps what no pattern takes, errors too
            ("403 Forbidden", 404, b'{"gone":"x"}'),
            ("404 Not Found", 404, b'{"gone":"x"}'),
            ("503 Slow Down", 502, b'{"broken":true}'),
        ):
            for framing in ("length", "chunked"):
                with self.subTest(f"{status} {framing}"):
                    fields = [("X-A", "a"), ("Server", "s"), ("Content-Type", "text/plain")]
                    whole = answer(b'{"why":"x"}', status, fields, framing)
                    backend.respond = lambda request, whole=whole: whole
                    response = gateway.get("/in/1", headers={"Accept": "application/json"})
                    self.assert_status(response, wanted)
                    self.assertEqual(body, response.body)
                    self.assertEqual(["application/json"], response.all("Content-Type"))
                    self.assertEqual([str(len(body))], response.all("Content-Length"))
                    self.assertEqual(["a"] if wanted == 200 else [], response.all("X-Kept"))
                    self.assertEqual([], response.all("Server"))
                    self.assertEqual(1, len(response.all("X-Amzn-Trace-Id")))

    def test_an_answer_that_ends_with_its_connection(self):
        backend = self.upstream()
        whole = answer(b"all of it", headers=[("X-A", "a")], framing="none")
        backend.script = lambda connection: (connection.read(), connection.send_and_close(whole))
        gateway = self.gate(backend.authority)
        for _ in range(3):
            response = gateway.get("/in/1")
            self.assert_status(response, 200)
            self.assertEqual(b"all of it", response.body)
            self.assertEqual(["9"], response.all("Content-Length"))
        self.assertEqual(3, len(backend.connections))

    def test_connections_are_used_again(self):
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        with gateway.connect() as client:
            for number in range(5):
                body = b"x" * (number * 50000)
                response = client.exchange("POST", "/in/1", {"Content-Type": "text/plain"}, body)
                self.assert_status(response, 200)
                self.assertEqual(body, backend.requests[-1].body)
        self.assertEqual(1, len(backend.connections))

    def test_large_bodies_and_heads_survive_the_buffers(self):
        backend = self.upstream()
        large = b"<" + b"y" * 3_000_000 + b">"
        backend.respond = lambda request: answer(large, headers=[("X-A", "a" * 5000)], framing="chunked")
        gateway = self.gate(
            backend.authority,
            {"200": {"responseParameters": {"method.response.header.X-A": "integration.response.header.X-A"}}},
        )
        response = gateway.request("POST", "/in/1", {"Content-Type": "text/plain"}, large)
        self.assert_status(response, 200)
        self.assertEqual(large, response.body)
        self.assertEqual(["a" * 5000], response.all("X-A"))
        self.assertEqual(large, backend.one().body)

    def test_failures(self):
        closed = self.using(ClosedPort())
        refused = self.gate(closed.authority).get("/in/1")
        self.assert_error(refused, 502, FAULT, "InternalServerErrorException")
        backend = self.upstream()
        gateway = self.gate(backend.authority, timeoutInMillis=300)
        for name, script, status, body in (
            ("never", lambda c: c.read() and backend.hold(), 504, TIMED_OUT),
            ("half a head", lambda c: (c.read(), c.send(b"HTTP/1.1 200 O"), backend.hold()), 504, TIMED_OUT),
            ("half a body", lambda c: (c.read(), c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), backend.hold()), 504, TIMED_OUT),
            ("cut short", lambda c: (c.read(), c.send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")), 502, FAULT),
            ("bad chunk", lambda c: (c.read(), c.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")), 502, FAULT),
            ("garbage", lambda c: (c.read(), c.send(b"SSH-2.0\r\n\r\n")), 502, FAULT),
            ("too large", lambda c: (c.read(), c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\nx")), 502, FAULT),
        ):
            with self.subTest(name):
                backend.script = script
                response = gateway.get("/in/1")
                self.assert_status(response, status)
                self.assertEqual(body, response.body)

        def drip(connection):
            connection.read()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _ in range(200):
                connection.send(b"x")
                time.sleep(0.05)

        backend.script = drip
        started = time.monotonic()
        response = gateway.get("/in/1")
        self.assert_status(response, 504)
        self.assertLess(time.monotonic() - started, 5, "the limit is for the whole answer")

    def test_a_template_that_cannot_be_rendered(self):
        backend = self.upstream()
        backend.respond = lambda request: answer(b"no json")
        gateway = self.gate(backend.authority, {"200": {"responseTemplates": {"application/json": "$input.json('$.a')"}}})
        response = gateway.get("/in/1")
        self.assert_status(response, 500)
        self.assertEqual(FAULT, response.body)
        self.assertEqual("template_failed", gateway.trace(response)["reason"])
        injected = self.gate(
            backend.authority,
            requestParameters={"integration.request.header.X-A": "method.request.body.a"},
            method="POST",
        )
        backend.clear()
        response = injected.request("POST", "/in/1", JSON, b'{"a":"x\\r\\nX-Evil: 1"}')
        self.assert_status(response, 500)
        self.assert_untouched(backend)


class Validation(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backend = cls.share(Upstream())
        models = {
            "Pet": {
                "type": "object",
                "required": ["bar"],
                "properties": {"bar": {"type": "integer"}},
                "additionalProperties": False,
            }
        }
        checked = {
            "requestValidator": "all",
            "requestParameters": {
                "method.request.header.X-Shop": True,
                "method.request.querystring.page": True,
                "method.request.querystring.size": False,
            },
            "requestModels": {"application/json": "Pet"},
        }
        proxy = {"type": "HTTP_PROXY", "uri": f"http://{cls.backend.authority}/to"}
        routes = [
            open_route("POST /open", proxy, **checked),
            {"routeKey": "POST /guarded", "authorizer": "jwt", "integration": proxy} | checked,
            open_route("POST /params", proxy, requestValidator="params", requestParameters=checked["requestParameters"]),
            open_route("POST /all-types", proxy, requestValidator="all", requestModels={"$default": "Pet"}),
            open_route("POST /mock", {"type": "MOCK"}, **checked),
        ]
        validators = {
            "all": {"validateRequestBody": True, "validateRequestParameters": True},
            "params": {"validateRequestParameters": True},
        }
        cls.gateway = cls.share_gateway(
            config(api(routes, models=models, requestValidators=validators, gatewayResponses=BODY_ERRORS))
        )

    def setUp(self):
        super().setUp()
        self.backend.clear()

    def send(self, target, body=b'{"bar":1}', headers=None):
        return self.gateway.request("POST", target, {"X-Shop": "s"} | JSON | (headers or {}), body)

    def test_missing_parameters(self):
        response = self.gateway.request("POST", "/params?size=1", {}, b"x")
        self.assert_error(
            response,
            400,
            b'{"message": "Missing required request parameters: [X-Shop, page]"}',
            "BadRequestException",
            exact_fields=False,
        )
        self.assertEqual(1, len(response.all("X-Amzn-Trace-Id")))
        blank = self.send("/params?page=")
        self.assertEqual(b'{"message": "Missing required request parameters: [page]"}', blank.body)
        self.assert_untouched(self.backend)
        trace = self.gateway.trace(blank)
        self.assertEqual("parameters_missing", trace["reason"])
        step = next(step for step in trace["steps"] if step["step"] == "validation")
        self.assertEqual("missing: [page]", step["found"])
        self.assert_status(self.send("/params?page=1", b"any thing"), 200)
        self.assertEqual(b"any thing", self.backend.one().body)

    def test_bodies(self):
        for name, body, headers, status in (
            ("good", b'{"bar":1}', {}, 200),
            ("another type is not validated", b"text", {"Content-Type": "text/plain"}, 200),
            ("wrong type", b'{"bar":"1"}', {}, 400),
            ("missing", b"{}", {}, 400),
            ("surplus", b'{"bar":1,"foo":1}', {}, 400),
            ("no JSON", b"bar", {}, 400),
            ("twice", b'{"bar":"x","bar":1}', {}, 400),
            ("empty", b"", {}, 400),
            ("deep", b'{"bar":' + b"[" * 5000 + b"]" * 5000 + b"}", {}, 400),
        ):
            for target in ("/open?page=1", "/mock?page=1"):
                with self.subTest(f"{name} {target}"):
                    self.backend.clear()
                    response = self.send(target, body, headers)
                    self.assert_status(response, status)
                    if status == 400:
                        self.assertIn(b'"Invalid request body"', response.body)
                        self.assert_untouched(self.backend)
                        self.assertEqual("request_body_invalid", self.gateway.trace(response)["reason"])
                    elif target.startswith("/open"):
                        self.assertEqual(body, self.backend.one().body, "a validated body goes on as it came")
        self.assert_status(self.send("/all-types", b"text", {"Content-Type": "text/plain"}), 400)

    def test_the_default_body_and_the_template_with_the_reason(self):
        response = self.send("/open?page=1", b'{"foo":1}')
        self.assertIn(
            b'[object has missing required properties (["bar"]), object instance has properties which are not allowed '
            b'by the schema: ["foo"]]',
            response.body,
        )
        plain = self.start(
            config(
                api(
                    [open_route("POST /x", {"type": "MOCK"}, requestValidator="b", requestModels={"application/json": "M"})],
                    models={"M": {"required": ["a"]}},
                    requestValidators={"b": {"validateRequestBody": True}},
                )
            )
        )
        response = plain.request("POST", "/x", JSON, b'{"secret":"s3cr3t"}')
        self.assert_error(response, 400, INVALID_BODY, "BadRequestException", exact_fields=False)
        self.assertNotIn("s3cr3t", json.dumps(plain.trace(response)))

    def test_the_order_of_checks(self):
        self.assert_unauthorized(self.send("/guarded", b"bad"))
        token = {"Authorization": f"Bearer {mint()}"}
        response = self.send("/guarded", b"bad", token)
        self.assertEqual(b'{"message": "Missing required request parameters: [page]"}', response.body)
        self.assertEqual("request_body_invalid", self.gateway.trace(self.send("/guarded?page=1", b"bad", token))["reason"])
        self.assert_status(self.send("/guarded?page=1", headers=token), 200)

    def test_chunked_bodies_are_validated_and_framed_anew(self):
        with self.gateway.connect() as client:
            head = (
                b"POST /open?page=1 HTTP/1.1\r\nHost: a\r\nX-Shop: s\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
            )
            client.send(head + b"4\r\n{\"ba\r\n5\r\nr\":1}\r\n0\r\n\r\n")
            self.assert_status(client.read("POST"), 200)
            self.assertEqual(b'{"bar":1}', self.backend.one().body)
            client.send(head + b"2\r\n{}\r\n0\r\n\r\n")
            self.assert_status(client.read("POST"), 400)
            self.assertEqual(1, len(self.backend.requests))

    def test_a_body_above_the_limit(self):
        gateway = self.start(
            config(
                api(
                    [open_route("POST /x", {"type": "MOCK"}, requestValidator="b", requestModels={"$default": "Empty"})],
                    requestValidators={"b": {"validateRequestBody": True}},
                ),
                limits={"bodyBytes": 1000},
            )
        )
        self.assert_status(gateway.request("POST", "/x", JSON, b" " * 1001), 413)
        self.assert_status(gateway.request("POST", "/x", JSON, b"{}"), 200)


class Explained(GatewayCase):
    def test_check_tells_what_is_mapped_and_validated(self):
        done = command("check", ROOT / "config" / "examples" / "mapping.json")
        self.assertEqual(0, done.status, done)
        self.assertRegex(done.stdout, r"POST +/pets +NONE \(open\) +validates all: parameters, body +HTTP PUT http://\S+ -> 201, 409, 502")
        self.assertRegex(done.stdout, r"GET +/pets/\{id\} +NONE \(open\) +MOCK -> 200, 404")

    def test_explain_tells_what_validation_found(self):
        example = ROOT / "config" / "examples" / "mapping.json"
        done = command("explain", "-c", example, "POST", "/pets")
        self.assertEqual(3, done.status, done)
        self.assertIn("parameters_missing", done.stdout)
        self.assertIn("missing: [X-Shop]", done.stdout)
        done = command("explain", "-c", example, "GET", "/pets/0")
        self.assertEqual(0, done.status, done)
        self.assertIn("404", done.stdout)
        self.assertIn("application/json", done.stdout)

    def test_a_template_that_is_not_supported_is_refused_at_load(self):
        folder = Folder(config(api([open_route("GET /x", mock("#macro(a)#end", {"200": {}}))])))
        self.addCleanup(folder.close)
        done = command("check", folder.config)
        self.assertEqual(2, done.status)
        self.assertIn("/apis/0/routes/0/integration/requestTemplates/application~1json", done.stderr + done.stdout)
        self.assertIn("#macro is not supported", done.stderr + done.stdout)


class Preflights(GatewayCase):
    """Section 15: REST APIs answer a preflight by a MOCK, and where an authorizer is before it by 401."""

    ALLOWED = {
        "Access-Control-Allow-Origin": "https://app.example.com",
        "Access-Control-Allow-Methods": "GET,OPTIONS",
        "Access-Control-Allow-Headers": "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token",
    }
    HEADERS = {
        "Origin": "https://app.example.com",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }

    def cors_of(self, response):
        return {name: response.get(name) for name in response.names() if name.lower().startswith("access-control-")}

    def test_an_open_mock_and_one_behind_an_authorizer(self):
        backend = self.using(Upstream())
        parameters = {f"method.response.header.{name}": f"'{value}'" for name, value in self.ALLOWED.items()}
        options = mock('{"statusCode": 200}', {"200": {"responseParameters": parameters}})
        get = {"type": "HTTP_PROXY", "uri": backend.url}
        routes = [
            {"routeKey": "GET /a", "authorizer": "jwt", "integration": get},
            open_route("OPTIONS /a", options),
            {"routeKey": "GET /guarded", "authorizer": "jwt", "integration": get},
            {"routeKey": "OPTIONS /guarded", "authorizer": "jwt", "integration": options},
            {"routeKey": "ANY /any", "authorizer": "jwt", "integration": get},
            {"routeKey": "GET /none", "authorizer": "jwt", "integration": get},
        ]
        gateway = self.start(config(api(routes)))
        response = gateway.request("OPTIONS", "/a", self.HEADERS)
        self.assertEqual((200, b""), (response.status, response.body))
        self.assertEqual(self.ALLOWED, self.cors_of(response))
        for path in ("/guarded", "/any"):
            with self.subTest(path):
                response = gateway.request("OPTIONS", path, self.HEADERS)
                self.assert_unauthorized(response)
                self.assertEqual({}, self.cors_of(response))
        with self.subTest("a method that no route has"):
            self.assert_no_route(gateway.request("OPTIONS", "/none", self.HEADERS))
        self.assert_untouched(backend)
        with self.subTest("the request itself"):
            origin = {"Origin": "https://app.example.com"}
            self.assert_unauthorized(gateway.get("/a", headers=origin))
            response = gateway.get("/a", mint(), origin)
            self.assertEqual((200, {}), (response.status, self.cors_of(response)))
        with self.subTest("with a token, which no browser sends"):
            response = gateway.request("OPTIONS", "/guarded", self.HEADERS | bearer(mint()))
            self.assertEqual((200, self.ALLOWED), (response.status, self.cors_of(response)))


if __name__ == "__main__":
    unittest.main()
