"""Backends that answer before they have read all of a request, many at a time: what is written then waits for others of the same turn of the
gateway's loop, and content still comes for it."""

import asyncio
import random
import unittest

from support.case import GatewayCase
from support.gateway import api, config, route

CLIENTS = 64
REQUESTS = 40  # of each client
CONTENT = b"c" * 30000


async def serve(reader, writer):
    """Answers every second request at once, the others when they are whole. Each answer names its request."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            name = head.split(b" ")[1]
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name)
            early = random.random() < 0.5
            if early:
                writer.write(answer)
            await reader.readexactly(len(CONTENT))
            if not early:
                writer.write(answer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def ask(port, name):
    """True: answered; False: cut off, as whoever still sends may be."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"PUT /%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (name, len(CONTENT)) + CONTENT[:10000])
        await asyncio.sleep(random.random() * 0.003)
        writer.write(CONTENT[10000:])
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(len(name) + 1)
        if not head.startswith(b"HTTP/1.1 200 ") or body != b"/" + name:
            raise AssertionError(f"{head} {body} for {name}")
        return True
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    finally:
        writer.close()


class EarlyAnswers(GatewayCase):
    def test_content_that_nobody_waits_for_any_more(self):
        answered = asyncio.run(self.crowd())
        self.assertGreater(answered, CLIENTS * REQUESTS / 2)

    async def crowd(self):
        backend = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = backend.sockets[0].getsockname()[1]
        settings = config(api([route("ANY /{name}", f"http://127.0.0.1:{port}/{{name}}", "NONE")]), threads=1)
        gateway = self.start(settings)

        async def client(number):
            return sum([await ask(gateway.port, b"%d-%d" % (number, count)) for count in range(REQUESTS)])

        answered = sum(await asyncio.wait_for(asyncio.gather(*(client(number) for number in range(CLIENTS))), 60))
        self.assertTrue(await ask(gateway.port, b"last"))
        backend.close()
        return answered


if __name__ == "__main__":
    unittest.main()
