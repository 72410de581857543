"""Log rotation: SIGUSR1 opens the access log anew, and every request has one whole line in one of the files."""

import json
import pathlib
import signal
import tempfile
import threading
import unittest

from support.case import GatewayCase
from support.gateway import api, config, mock
from support.process import wait_for

ROUTES = [mock("GET /a")]


class Rotation(GatewayCase):
    def gate(self, path):
        return self.start(config(api(ROUTES, authorizers={}), accessLog={"format": "json", "path": path}))

    def reopen(self, gateway, times, says="opened anew"):
        """The signal, and the log line that says that it was heard."""
        gateway.process.signal(signal.SIGUSR1)
        wait_for(lambda: sum(says in line for line in gateway.process.stderr.all()) >= times, f"the log to say {says!r}")

    def ids(self, *files):
        ids = []
        for file in files:
            content = file.read_bytes()
            self.assertTrue(not content or content.endswith(b"\n"), f"{file.name} ends within a line")
            ids += [json.loads(line)["requestId"] for line in content.splitlines()]
        return ids

    def test_under_load_no_line_is_lost_or_cut(self):
        gateway = self.gate("access.log")
        folder = pathlib.Path(gateway.folder.path)
        stop, sent = threading.Event(), []

        def load():
            with gateway.connect() as client:
                while not stop.is_set():
                    sent.append(client.exchange("GET", "/a").get("x-amzn-RequestId"))

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for number in range(1, 16):
                wait_for(lambda: (folder / "access.log").stat().st_size > 0, "lines between two rotations")
                (folder / "access.log").rename(folder / f"access.log.{number}")
                self.reopen(gateway, number)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        gateway.process.stop()
        files = [folder / "access.log", *(folder / f"access.log.{number}" for number in range(1, 16))]
        found = self.ids(*files)
        self.assertEqual(len(found), len(set(found)), "no line twice")
        self.assertEqual(set(sent), set(found))
        self.assertGreater(sum(file.stat().st_size > 0 for file in files), 10, "the files take turns")

    def test_a_path_that_cannot_be_opened_keeps_the_old_file_and_says_why(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        logs, moved = folder / "logs", folder / "moved"
        logs.mkdir()
        gateway = self.gate(str(logs / "access.log"))
        first = gateway.get("/a").get("x-amzn-RequestId")
        logs.rename(moved)
        self.reopen(gateway, 1, says="the old file stays open")
        self.assertIn("No such file", gateway.log())
        second = gateway.get("/a").get("x-amzn-RequestId")
        wait_for(lambda: sorted(self.ids(moved / "access.log")) == sorted([first, second]), "both lines in the old file")
        logs.mkdir()  # mended: the next signal finds it
        self.reopen(gateway, 1)
        third = gateway.get("/a").get("x-amzn-RequestId")
        wait_for(lambda: self.ids(logs / "access.log") == [third], "the third line in the new file")

    def test_without_a_file_the_signal_ends_nothing(self):
        for name, log in (("stdout", {"format": "json", "path": "-"}), ("off", {"format": "off"})):
            with self.subTest(name):
                gateway = self.start(config(api(ROUTES, authorizers={}), accessLog=log))
                self.reopen(gateway, 1, says="no access log to open anew")
                self.assert_status(gateway.get("/a"), 200)


if __name__ == "__main__":
    unittest.main()
