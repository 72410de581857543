"""The bench itself: what must void a round does, and what it started ends with it."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
import unittest
from xml.etree import ElementTree

import bench
import cases
import counts
import gatehouse
import load
import machine
import plot
import program
import proxy
import report
import rounds
import rows
import train
from cases import growth, traffic
from cases.case import Case

FOLDER = pathlib.Path(__file__).resolve().parent
BODY = b"x" * 1024
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n" + BODY


class Script:
    """A proxy that says the same to everybody, and closes where told."""

    def __init__(self, answer, closes=False):
        self.answer, self.closes = answer, closes
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            while connection.recv(65536):
                connection.sendall(self.answer)
                if self.closes:
                    return

    def proxy(self):
        made = proxy.Proxy("script", [], self.listener.getsockname()[1])
        made.program = types.SimpleNamespace(family=lambda: [os.getpid()], is_running=lambda: True)
        return made


class BenchCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="gatehouse-bench-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.addClassCleanup(program.stop_all)
        cls.folder = pathlib.Path(folder.name)
        cls.bench = bench.Bench(bench.parse(["--quick", "--out", folder.name]), cls.folder)


class Load(BenchCase):
    def test_answers_are_checked(self):
        table = [
            ("whole", GOOD, False, None),
            ("whole, names in small letters", GOOD.replace(b"Content-Length", b"content-length"), False, None),
            ("whole, in chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n" + BODY + b"\r\n0\r\n\r\n", False, None),
            ("refused", b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", False, "status 401"),
            ("refused with as many bytes", GOOD.replace(b"200 OK", b"403 No"), False, "status 403"),
            ("failed", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad", False, "status 502"),
            ("too short", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", False, "with 3 bytes"),
            ("too long", GOOD.replace(b"1024", b"1025") + b"x", False, "with 1025 bytes"),
            ("too few chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbad\r\n0\r\n\r\n", False, "with 3 bytes"),
            ("no length at all", b"HTTP/1.1 200 OK\r\n\r\n", False, "with 0 bytes"),
            ("cut in its content", GOOD[:-10], True, "without a whole answer"),
            ("cut in its head", GOOD[:20], True, "without a whole answer"),
            ("nothing", b"", True, "without a whole answer"),
        ]
        for name, answer, closes, fault in table:
            with self.subTest(name):
                script = Script(answer, closes)
                self.addCleanup(script.listener.close)
                if fault is None:
                    self.assertGreaterEqual(load.run(self.bench, script.proxy(), requests=20, connections=2)["requests"], 20)
                    continue
                with self.assertRaisesRegex(load.Void, fault):
                    load.run(self.bench, script.proxy(), requests=20, connections=2)

    def test_another_status_is_asked_for(self):
        refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\ngone"
        for answer, options, fault in ((refused, {"body": 4}, None), (refused, {"body": 5}, "with 4 bytes instead of 401 with 5"),
                                       (GOOD, {}, "status 200"), (GOOD.replace(b"200", b"403"), {}, "status 403")):  # fmt: skip
            with self.subTest(answer=answer[:20], **options):
                script = Script(answer)
                self.addCleanup(script.listener.close)
                if fault is None:
                    load.run(self.bench, script.proxy(), requests=20, connections=2, status=401, **options)
                    continue
                with self.assertRaisesRegex(load.Void, fault):
                    load.run(self.bench, script.proxy(), requests=20, connections=2, status=401, **options)

    def test_requests_that_reach_the_upstream_are_checked(self):
        own = proxy.Proxy("none", [], self.bench.upstream)  # the load program's clients talk to its own upstream
        own.program = types.SimpleNamespace(family=lambda: [os.getpid()], is_running=lambda: True)
        for options in ({}, {"post": 65536}, {"close": True}, {"body": 3 << 20}, {"rate": 2000}):
            with self.subTest(options):
                self.assertEqual(100, load.run(self.bench, own, requests=100, connections=4, **options)["requests"])
        own.expect = "X-Authorizer-userId"
        with self.assertRaisesRegex(load.Void, "the upstream got what it should not"):
            load.run(self.bench, own, requests=100, connections=4)

    def test_a_proxy_that_has_ended_voids_a_round(self):
        script = Script(GOOD)
        self.addCleanup(script.listener.close)
        gone = script.proxy()
        gone.program.is_running = lambda: False
        with self.assertRaisesRegex(load.Void, "the proxy has ended"):
            load.run(self.bench, gone, requests=10)

    def test_arguments_that_make_no_sense_are_refused(self):
        for words in ([], ["--upstream"], ["--upstream", "x"], ["--upstream", "1", "--sceonds", "1"], ["--upstream", "1", "--connections", "0"],
                      ["--upstream", "1", "--seconds", "-1"], ["--upstream", "1", "--seconds", "inf"], ["--starts", "1", "--target", "1"]):  # fmt: skip
            with self.subTest(words):
                done = subprocess.run([self.bench.load, *words], capture_output=True, text=True, timeout=20)
                self.assertEqual(2, done.returncode, done)
                self.assertIn("is not understood", done.stderr)


class Training(BenchCase):
    def test_every_row_is_served(self):
        train.train(self.bench, requests=100)

    def test_an_open_gate_teaches_nothing(self):
        self.addCleanup(setattr, train, "ROWS", train.ROWS)
        train.ROWS = [(gatehouse.cached, 1, {"status": 401})]
        with self.assertRaisesRegex(load.Void, "status 200"):
            train.train(self.bench, requests=100)

    def test_a_program_that_is_killed_teaches_nothing(self):
        def killed(bench):
            made = gatehouse.cached(bench)
            made.command = ["sh", "-c", '"$@"; exit 0', "sh", *made.command]  # the shell does not outlive the signal
            return made

        self.addCleanup(setattr, train, "ROWS", train.ROWS)
        train.ROWS = [(killed, 1, {})]
        with self.assertRaisesRegex(RuntimeError, "ended with status -15"):
            train.train(self.bench, requests=100)


class Gate(BenchCase):
    def test_a_gate_that_is_open_is_not_measured(self):
        open_route = gatehouse.route(self.bench) | {"authorizer": "NONE"}
        statements = [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "${stageArn}/*"}]
        table = [
            ("without a token", lambda b: gatehouse.make(b, "gate-1", routes=[open_route]), "answers 200 instead of 401"),
            ("with a policy that opens all", lambda b: gatehouse.make(b, "gate-2", gatehouse.by_jwt(b, statements)), "answers 200 instead of 403"),
        ]
        for name, make, fault in table:
            with self.subTest(name), self.assertRaisesRegex(RuntimeError, fault), rounds.running(self.bench, {"gatehouse": make}):
                pass

    def test_a_gate_that_judges_is_measured(self):
        with rounds.running(self.bench, {"gatehouse": gatehouse.cached}) as (proxies, missing):
            results = rounds.measure(self.bench, proxies, "test", rounds=1, seconds=0.1)
        self.assertEqual({}, missing)
        self.assertGreater(results["gatehouse"][0]["cpu_us"], 1)


class Figures(unittest.TestCase):
    def test_ratios_are_within_rounds_and_void_rounds_do_not_count(self):
        def of(*values):
            return [{"void": "why"} if value is None else {"cpu_us": value} for value in values]

        table = [
            ("within a round", of(1, 20, 3), {"b": of(2, 40, 6)}, 0.5),
            ("the better of two", of(3, 3, 3), {"b": of(6, 6, 6), "c": of(4, 4, 12)}, 0.75),
            ("one void", of(1, None, 3), {"b": of(2, 7, 6)}, 0.5),
            ("the other one void", of(1, 2, 3), {"b": of(2, None, 6)}, 0.5),
            ("half of them void", of(1, None), {"b": of(2, 7)}, None),
            ("all void", of(None, None), {"b": of(2, 7)}, None),
            ("no rounds", [], {"b": []}, None),
        ]
        for name, ours, others, wanted in table:
            with self.subTest(name):
                self.assertEqual(wanted, rounds.ratio({"a": ours} | others, "a", tuple(others), "cpu_us"))

    def test_growth_has_a_shape(self):
        table = [
            ("flat", [(10, 10.0), (100, 10.2), (1000, 10.1), (10000, 10.9)], "flat"),
            ("logarithmic", [(10, 10.0), (100, 12.0), (1000, 14.0), (10000, 16.0)], "logarithmic"),
            ("linear", [(10, 10.0), (100, 10.5), (1000, 15.0), (10000, 60.0)], "neither"),
            ("a cliff at the end", [(10, 10.0), (100, 10.0), (1000, 10.0), (10000, 13.0)], "neither"),
            ("two points tell no shape", [(10, 10.0), (100, 20.0)], "neither"),
        ]
        for name, points, wanted in table:
            with self.subTest(name):
                self.assertEqual(wanted, growth.judge(points))

    def test_goals_are_judged(self):
        table = [
            (rows.most("c", "w", 1.0, 1.0), True),
            (rows.most("c", "w", 1.0, 1.01), False),
            (rows.most("c", "w", 1.0, None), None),
            (rows.most("c", "w", None, 5.0), None),
            (rows.least("c", "w", 1.12, 1.12), True),
            (rows.least("c", "w", 1.12, 1.11), False),
            (rows.least("c", "w", 1.12, None), None),
            (rows.skipped("c", "w", "why"), None),
            (rows.fact("c", "w", 1.0), None),
        ]
        for row, wanted in table:
            with self.subTest(row):
                self.assertIs(wanted, row.met)
        case = Case("c", "t", None)
        said = report.summary({case: rows.Found([row for row, _ in table])})
        self.assertIn("goals: 2 met, 2 not met, 3 skipped or void", said)

    def test_plots_are_well_formed_and_hold_their_values(self):
        for drawn, words in (
            (plot.bars("a < b & c", {"gatehouse": 1.5, "nginx": 2.5, "void": None}), ("1.50", "2.50", "a < b & c")),
            (plot.bars("none", {}), ("none",)),
            (plot.curve("by routes", [(10, 1.25), (10000, 2.75)]), ("1.25", "2.75", "10000")),
            (plot.curve("nothing", [(1, 0.0), (1000, 0.0)]), ("0.00",)),
        ):
            texts = [each.text for each in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
            for word in words:
                self.assertIn(word, texts)
            self.assertNotIn("void", texts)

    def test_strace_is_read(self):
        text = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.003000           1      2000           sendto
 40.00    0.002000           1      2000         3 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    0.005000           1      4000         3 total
"""
        self.assertEqual({"sendto": 2000, "recvfrom": 2000}, counts.parse_summary(text))
        self.assertEqual({}, counts.parse_summary(""))


    def test_the_floor_is_what_a_relay_reaches(self):
        results = {"haproxy-l4": [{"cpu_us": 3}, {"cpu_us": 6}], "a": [{"cpu_us": 4}, {"cpu_us": 8}], "b": [{"cpu_us": 6}, {"cpu_us": 6}]}
        goal = traffic.Goal(("a", "b"), 0.5)
        for name, missing, wanted in (("of the better one", {}, 0.875), ("no relay", {"haproxy-l4": "why"}, None), ("one is missing", {"b": "why"}, None)):
            with self.subTest(name):
                row = goal.floor("case", results, missing)
                self.assertEqual(("CPU: haproxy-l4 / a or b, the floor", wanted, None), (row.what, row.value, row.met))

    def test_cores_are_kept_awake_where_that_is_granted(self):
        with tempfile.TemporaryDirectory() as folder:
            device = pathlib.Path(folder) / "device"
            with machine.awake(device / "nothing") as granted:
                self.assertFalse(granted)
            with machine.awake(folder) as granted:  # not to be written to
                self.assertFalse(granted)
            with machine.awake(device) as granted:
                self.assertTrue(granted)
                self.assertEqual(bytes(4), device.read_bytes())


class Command(unittest.TestCase):
    def call(self, *words, **options):
        return subprocess.run([sys.executable, FOLDER / "bench.py", *words], capture_output=True, text=True, timeout=60, **options)

    def test_what_makes_no_sense_is_refused(self):
        for words, said in ((["--case", "nothing"], "there is no case nothing"), (["--rounds", "0"], "--rounds must be 1 or more"),
                            (["--rounds", "x"], "invalid int value"), (["--faster"], "unrecognized arguments"),
                            (["--pgo", "--record"], "the budget is the release build's")):  # fmt: skip
            with self.subTest(words):
                done = self.call(*words)
                self.assertEqual(2, done.returncode, done)
                self.assertIn(said, done.stderr)

    def test_cases_are_listed(self):
        listed = self.call("--list").stdout.splitlines()
        names = [line.split()[0] for line in listed]
        self.assertEqual([case.name for case in cases.ALL], names)
        self.assertEqual(len(names), len(set(names)))

    def test_what_is_missing_is_said_and_skipped(self):
        with tempfile.TemporaryDirectory(prefix="gatehouse-bench-test-") as folder:
            words = ["--quick", "--rounds", "1", "--out", f"{folder}/out", "--case", "connections-16", "--case", "start", "--case", "system-calls"]
            done = self.call(*words, "--case", "serverless", env=dict(os.environ, PATH="/nonexistent", TMPDIR=folder))
            written = json.loads(pathlib.Path(folder, "out", "results.json").read_text())
        self.assertEqual(0, done.returncode, done)
        for said in ("nginx is not installed", "haproxy is not installed", "strace is not installed", "npm is not installed"):
            self.assertIn("skipped: " + said, done.stdout)
        self.assertEqual(["gatehouse"], list(written["cases"]["connections-16"]["raw"]))
        self.assertEqual(1, len(written["cases"]["connections-16"]["raw"]["gatehouse"]))

    def test_nothing_outlives_the_bench(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number), tempfile.TemporaryDirectory(prefix="gatehouse-bench-test-") as folder:
                words = [sys.executable, FOLDER / "bench.py", "--case", "access-log", "--rounds", "1000", "--out", f"{folder}/out"]
                running = subprocess.Popen(words, env=dict(os.environ, TMPDIR=folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.addCleanup(running.kill)
                program.wait_for(lambda: len(self._named(folder)) >= 3, "two gateways and the bench", 30)
                running.send_signal(number)
                self.assertNotEqual(0, running.wait(30))
                program.wait_for(lambda: not self._named(folder), "all processes to end", 30)

    def _named(self, folder):
        """Processes whose arguments name the folder."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if os.fsencode(folder) in process.read_bytes():
                    found.append(process)
        return found


if __name__ == "__main__":
    unittest.main()
