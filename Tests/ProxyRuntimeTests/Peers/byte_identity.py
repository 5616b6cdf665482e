#!/usr/bin/env python3
"""Byte identity with third-party peers: a TCP logger on each side of the proxy, and what went in must have come out.

    python3 byte_identity.py --proxy 'miswire proxy {upstream} --listen {listen}'

client - front logger - proxy - back logger - server; clients and servers are `websockets` and `aiohttp`, with and
without permessage-deflate. Prints one line a case; exit 0 when all are equal.
"""
import asyncio
import hashlib
import logging
import sys

import common

options = common.arguments(__doc__.splitlines()[0]).parse_args()
common.need(["websockets", "aiohttp"], options.venv)

import aiohttp  # noqa: E402
import aiohttp.web  # noqa: E402
import websockets.asyncio.client  # noqa: E402
import websockets.asyncio.server  # noqa: E402
import websockets.exceptions  # noqa: E402

LIMIT = 30
# A close code that a case asked for is an error to this library's log only.
logging.getLogger("websockets").setLevel(logging.CRITICAL)


class Logger:
    """Accepts on `port`, connects to `target`, copies both ways and keeps every byte."""

    def __init__(self):
        self.connections = []

    async def start(self, target):
        self.target = target
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        log = {"there": bytearray(), "back": bytearray(), "done": asyncio.Event()}
        self.connections.append(log)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            log["done"].set()
            return
        await asyncio.gather(
            self.copy(reader, far_writer, log["there"]), self.copy(far_reader, writer, log["back"]))
        for side in (writer, far_writer):
            side.close()
        log["done"].set()

    async def copy(self, reader, writer, log):
        try:
            while piece := await reader.read(65536):
                log += piece
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.close()


# Servers: echo; `close N` closes with that code; `fragments` answers in three fragments; `ping` pings first.

async def websockets_server(deflate):
    async def serve(socket):
        async for message in socket:
            if isinstance(message, str) and message.startswith("close "):
                await socket.close(int(message[6:]), "as asked")
            elif message == "fragments":
                await socket.send(iter(["one ", "two ", "three"]))
            elif message == "ping":
                await (await socket.ping(b"server"))
                await socket.send("pinged")
            else:
                await socket.send(message)

    server = await websockets.asyncio.server.serve(
        serve, "127.0.0.1", 0, max_size=None, compression="deflate" if deflate else None, subprotocols=["chat"])
    return server.sockets[0].getsockname()[1], server.close


async def aiohttp_server(deflate):
    async def serve(request):
        socket = aiohttp.web.WebSocketResponse(max_msg_size=0, compress=deflate, protocols=["chat"])
        await socket.prepare(request)
        async for message in socket:
            if message.type == aiohttp.WSMsgType.BINARY:
                await socket.send_bytes(message.data)
            elif message.type == aiohttp.WSMsgType.TEXT and message.data.startswith("close "):
                await socket.close(code=int(message.data[6:]), message=b"as asked")
            elif message.type == aiohttp.WSMsgType.TEXT and message.data == "ping":
                await socket.ping(b"server")
                await socket.send_str("pinged")
            elif message.type == aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data)
        return socket

    application = aiohttp.web.Application()
    application.router.add_get("/{anything:.*}", serve)
    runner = aiohttp.web.AppRunner(application)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    return port, lambda: None


# Clients: connect, send and await an answer, ping, close.

class WebsocketsClient:
    name = "websockets"
    fragments = True

    async def open(self, port, deflate):
        self.socket = await websockets.asyncio.client.connect(
            f"ws://127.0.0.1:{port}/ws?a=%41", max_size=None, compression="deflate" if deflate else None,
            subprotocols=["chat"], additional_headers={"X-Odd": "  kept  "}, proxy=None)

    async def ask(self, message):
        await self.socket.send(message)
        return await self.socket.recv()

    async def ask_fragmented(self, pieces):
        await self.socket.send(iter(pieces))
        return await self.socket.recv()

    async def ping(self):
        await (await self.socket.ping(b"client"))

    async def closed(self, code):
        await self.socket.send(f"close {code}")
        try:
            await self.socket.recv()
        except websockets.exceptions.ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else None

    async def close(self, code):
        await self.socket.close(code, "done")


class AiohttpClient:
    name = "aiohttp"
    fragments = False

    async def open(self, port, deflate):
        self.session = aiohttp.ClientSession()
        self.socket = await self.session.ws_connect(
            f"http://127.0.0.1:{port}/ws", max_msg_size=0, compress=15 if deflate else 0, protocols=["chat"])

    async def ask(self, message):
        if isinstance(message, bytes):
            await self.socket.send_bytes(message)
        else:
            await self.socket.send_str(message)
        return (await self.socket.receive()).data

    async def ping(self):
        await self.socket.ping(b"client")

    async def closed(self, code):
        await self.socket.send_str(f"close {code}")
        message = await self.socket.receive()
        await self.session.close()
        return message.data if message.type == aiohttp.WSMsgType.CLOSE else self.socket.close_code

    async def close(self, code):
        await self.socket.close(code=code, message=b"done")
        await self.session.close()


def megabyte():
    blocks = (hashlib.sha256(str(n).encode()).digest() for n in range(32768))
    return b"".join(blocks)


async def talk(client, server, port, deflate):
    await client.open(port, deflate)
    assert await client.ask("hello, wörld") == "hello, wörld"
    assert await client.ask("") == ""
    binary = bytes(range(256)) * 5
    assert await client.ask(binary) == binary
    big = megabyte()
    assert await client.ask(big) == big
    assert await client.ask("again " * 5000) == "again " * 5000
    if client.fragments:
        assert await client.ask_fragmented(["a", "bc", "", "def"]) == "abcdef"
        if server == "websockets":
            assert await client.ask("fragments") == "one two three"
    await client.ping()
    assert await client.ask("ping") == "pinged"
    await client.close(1000)


async def refused_codes(client, port, deflate, code):
    await client.open(port, deflate)
    got = await client.closed(code)
    assert got == code, f"close code {code} arrived as {got}"


async def settled(logger, count):
    while len(logger.connections) < count:
        await asyncio.sleep(0.01)
    await logger.connections[count - 1]["done"].wait()


async def compare(front, back, number):
    """The sentence that tells the first difference, or None."""
    await asyncio.wait_for(asyncio.gather(settled(front, number), settled(back, number)), LIMIT)
    near, far = front.connections[number - 1], back.connections[number - 1]
    for direction, name in (("there", "to server"), ("back", "to client")):
        if near[direction] != far[direction]:
            a, b = near[direction], far[direction]
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            return f"{name}: {len(a)} and {len(b)} bytes, first difference at {at}: {a[at:at+16]!r} {b[at:at+16]!r}"
    return None


async def pair(server_name, make_server, deflate):
    failures = 0
    port, close = await make_server(deflate)
    back = Logger()
    await back.start(port)
    proxy = await asyncio.to_thread(common.Proxy, options.proxy, back.port)
    front = Logger()
    await front.start(proxy.port)
    number = 0
    for kind in (WebsocketsClient, AiohttpClient):
        cases = [("messages", lambda client: talk(client, server_name, front.port, deflate))]
        for code in (1000, 1008, 1011, 3000, 4401):
            cases.append((f"close {code}", lambda client, code=code: refused_codes(client, front.port, deflate, code)))
        for title, run in cases:
            number += 1
            try:
                await asyncio.wait_for(run(kind()), LIMIT)
                wrong = await compare(front, back, number)
            except (AssertionError, OSError, asyncio.TimeoutError) as error:
                wrong = f"{type(error).__name__} {error}"
            label = f"{kind.name} to {server_name}{', deflate' if deflate else ''}: {title}"
            bytes_there = len(front.connections[number - 1]["there"]) if len(front.connections) >= number else 0
            print(f"{'not equal' if wrong else 'equal    '}  {label}, {bytes_there} bytes {wrong or ''}", flush=True)
            failures += wrong is not None
    close()
    wrong = await asyncio.to_thread(proxy.verdict)
    if wrong:
        print(wrong)
        failures += 1
    return failures


async def main():
    failures = 0
    for deflate in (False, True):
        failures += await pair("websockets", websockets_server, deflate)
        failures += await pair("aiohttp", aiohttp_server, deflate)
    print(f"byte identity: {failures} failures")
    return 1 if failures else 0


sys.exit(asyncio.run(main()))
