"""What a cached hit costs in system calls, in instructions and in lines that workers share: counted, so that a busy machine changes nothing."""

import os
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
# Writes per hit to lines that another worker touches: what is done now and then, and what malloc puts side by side, such as a policy's text and what
# Asio keeps of a connection. A single thing that is shared on purpose would be 1 or 2.
MOST_SHARED = 0.5


class CountsCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="gatehouse-counts-")
        cls.addClassCleanup(folder.cleanup)
        cls.addClassCleanup(program.stop_all)
        cls.bench = bench.Bench(bench.parse(["--out", folder.name]), pathlib.Path(folder.name))


class SharedLines(CountsCase):
    """In ThreadSanitizer's build alone."""

    def test_two_workers_share_a_lock_alone(self):
        lines = counts.shared_lines(self.bench, gatehouse.two_workers, os.environ["GATEHOUSE_LINES_LIBRARY"])
        locks = [line for line in lines if line["lock"]]
        self.assertTrue(locks, f"the lock of the policy cache's shard was to be seen: {lines[:5]}")
        hits = locks[0]["writes"] / 2
        self.assertGreater(hits, 1000, f"hits were to be counted: {lines[:5]}")
        others = [line for line in lines if line is not locks[0]]
        shared = sum(line["writes"] for line in others) / hits
        print(f"{shared:.3f} writes per hit to lines that another worker touches, beside the lock of the policy cache's shard")
        self.assertLess(shared, MOST_SHARED, f"in {hits:.0f} hits (addr2line -Cfie {self.bench.gatehouse} PLACE): {others[:3]}")


class Counts(CountsCase):
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
