"""A function that does everything wrong, by order: how it starts is its argument, what it does then the event's "do"."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

from lambda_runtime import ROOT, Runtime


def address():
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    return host, int(port)


def raw(data):
    """Sends bytes over a connection of their own; what came back."""
    with socket.create_connection(address(), timeout=30) as connection:
        received = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                received += chunk
        except OSError:
            pass
        return received.decode("latin-1")


def statuses(*requests):
    return [(raw(data).split(" ") + ["", ""])[1] for data in requests]


def post(path, body):
    head = f"POST {ROOT}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def start(how):
    print("starting", file=sys.stderr, flush=True)
    if how == "exit":
        print("cannot find \x1b[31mmy module", file=sys.stderr, flush=True)
        sys.exit(3)
    if how == "init_error":
        Runtime().ask("POST", "/init/error", json.dumps({"errorType": "Import", "errorMessage": "no module x"}))
        time.sleep(600)
    if how == "hang":
        time.sleep(600)
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def main():
    start(sys.argv[1])
    runtime = Runtime()
    while True:
        event, headers = runtime.next()
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        do = event.get("do", "echo")
        answer = {"pid": os.getpid(), "event": event}
        if do == "slow":
            print("sleeping", flush=True)
            time.sleep(event.get("seconds", 600))
        elif do == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif do == "exit":
            print("last words", flush=True)
            os._exit(7)
        elif do == "fork":  # a child of its own, and then nothing
            child = subprocess.Popen(["sleep", "600"], start_new_session=event.get("session", False))
            with open(event["file"] + ".new", "w") as file:
                file.write(str(child.pid))
            os.rename(event["file"] + ".new", event["file"])
            time.sleep(event.get("seconds", 600))
            os._exit(7)
        elif do == "huge":
            answer = "x" * event["bytes"]
        elif do == "flood":
            raw(post(f"/invocation/{request_id}/response", b"x" * event["bytes"]))
            continue  # without another answer
        elif do == "twice":
            first = runtime.answer(request_id, "response", answer)
            answer = runtime.answer(request_id, "response", "again")
            print("statuses", first, answer, flush=True)
            continue
        elif do == "wrong_id":
            answer = runtime.answer("00000000-0000-4000-8000-000000000000", "response", "wrong")
        elif do == "impatient":  # asks for more work before it has answered
            answer = runtime.ask("GET", "/invocation/next")[0]
        elif do == "garbage":
            answer = statuses(
                b"\x00\xff\x00\xff\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                post("/invocation/" + request_id + "/other", b"{}"),
                post("/invocation/next", b"{}"),
                b"POST " + ROOT.encode() + b"/invocation/" + request_id.encode() + b"/response HTTP/1.1\r\nHost: x\r\n"
                b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                post("/init/error", b"{}"),
            )
        elif do == "error":
            print("status", runtime.answer(request_id, "error", event["error"]), flush=True)
            continue
        elif do == "environment":
            answer = {"environment": dict(os.environ), "headers": dict(headers), "cwd": os.getcwd()}
            answer["group"] = os.getpgrp() == os.getpid()
            answer["open"] = sorted(
                os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd") if int(name) > 2
            )
            with open("/proc/self/status") as status:
                answer["signals"] = [line.split()[1] for line in status if line.startswith(("SigBlk", "SigIgn"))]
        runtime.answer(request_id, "response", answer)


if __name__ == "__main__":
    main()
