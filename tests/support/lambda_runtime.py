"""A small Lambda runtime: `python3 lambda_runtime.py module.function` runs that handler, as AWS's own client would.

It knows the Runtime API (version 2018-06-01) and nothing of AWS: for handlers in the tests.
"""

import http.client
import importlib
import json
import os
import sys
import traceback

ROOT = "/2018-06-01/runtime"


class Runtime:
    def __init__(self):
        self.connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def ask(self, method, path, body=None):
        self.connection.request(method, ROOT + path, body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def next(self):
        """The next event with its headers."""
        status, headers, body = self.ask("GET", "/invocation/next")
        if status != 200:
            raise SystemExit(f"no work: {status} {body.decode()}")
        return json.loads(body), headers

    def answer(self, request_id, what, value):
        return self.ask("POST", f"/invocation/{request_id}/{what}", json.dumps(value))[0]


def describe(error):
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_exception(error),
    }


def main():
    runtime = Runtime()
    module, name = (sys.argv[1] if len(sys.argv) > 1 else os.environ["_HANDLER"]).rsplit(".", 1)
    sys.path.insert(0, os.getcwd())
    try:
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    except Exception as error:
        runtime.ask("POST", "/init/error", json.dumps(describe(error)))
        raise
    while True:
        event, headers = runtime.next()
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        try:
            runtime.answer(request_id, "response", handler(event, headers))
        except Exception as error:
            runtime.answer(request_id, "error", describe(error))


if __name__ == "__main__":
    main()
