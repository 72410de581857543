"""What a cached hit costs in system calls and in instructions: counted, so that a busy machine changes nothing."""

import pathlib
import tempfile
import unittest

import bench
import budget
import counts
import gatehouse
import program
from cases.syscalls import CONTENDED

MOST_CALLS = 4.2  # two receives, two sends, and the wait that many requests share
MOST_CALLS_WITH_CONNECTION = MOST_CALLS + 4.3  # accepting, watching, closing it; and what those share who are accepted together


class Counts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="gatehouse-counts-")
        cls.addClassCleanup(folder.cleanup)
        cls.addClassCleanup(program.stop_all)
        cls.bench = bench.Bench(bench.parse(["--out", folder.name]), pathlib.Path(folder.name))

    def system_calls(self, **changes):
        def check(proxy):
            self.assertGreater(gatehouse.hits(proxy), 0.95 * counts.FEW, "hits were to be counted")

        return counts.system_calls(self.bench, lambda b: gatehouse.make(b, "gatehouse", **changes), check=check)

    def test_system_calls_of_a_cached_hit(self):
        calls = self.system_calls()
        self.assertLessEqual(sum(calls.values()), MOST_CALLS, calls)
        self.assertAlmostEqual(2, calls.get("recvfrom", 0) + calls.get("read", 0) + calls.get("recvmsg", 0), delta=0.1, msg=f"strace is misread: {calls}")
        self.assertLess(calls.get("futex", 0), CONTENDED, calls)

    def test_system_calls_of_a_new_connection(self):
        calls = counts.system_calls(self.bench, lambda b: gatehouse.make(b, "gatehouse"), close=True)
        self.assertGreater(calls.get("accept4", 0), 0.95, f"strace is misread: {calls}")
        self.assertLessEqual(sum(calls.values()), MOST_CALLS_WITH_CONNECTION, calls)

    def test_system_calls_of_the_public_wait(self):
        calls = self.system_calls()
        self.assertGreater(calls.get("epoll_ctl", 0), 1.5, f"each of its two waits asks the kernel, and this program's do not: {calls}")
        self.assertLessEqual(sum(calls.values()), MOST_CALLS + 2, calls)

    def test_two_workers_wait_for_no_lock(self):
        calls = self.system_calls(threads=2)
        self.assertLess(calls.get("futex", 0), CONTENDED, calls)

    def test_instructions_of_a_cached_hit(self):
        compiler = budget.compiler(self.bench.gatehouse)
        recorded = budget.load().get(compiler)
        if recorded is None:
            self.skipTest(f"no budget for {compiler}: ./dev bench --record makes one")
        value = counts.instructions(self.bench, gatehouse.cached)
        print(f"{value:.0f} instructions per request, budget {recorded['instructions_per_request']}")
        self.assertIsNone(budget.judge(value, recorded["instructions_per_request"]))


if __name__ == "__main__":
    unittest.main()
