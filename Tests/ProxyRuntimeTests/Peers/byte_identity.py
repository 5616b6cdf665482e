#!/usr/bin/env python3
"""Byte identity with third-party peers: a TCP logger on each side of the proxy, and what went in must have come out.

    python3 byte_identity.py --proxy 'miswire proxy {upstream} --listen {listen}'
    python3 byte_identity.py --proxy '... --contract agent-chat --record {record}' --foreign    (the oracle on)

client - front logger - proxy - back logger - server, for every client and server of `websockets` (asyncio, sync, legacy)
and aiohttp, and for bytes that those libraries never send. Prints what differs; exit 0 when nothing does.
`--quick`: fewer pairs; with `--foreign` smaller messages too, since a judge reads them. `--foreign`: the servers here are no agent-chat servers, so a judging proxy may find fault.
"""
import asyncio
import base64
import hashlib
import itertools
import os
import random
import sys

import common

parser = common.arguments(__doc__.splitlines()[0])
parser.add_argument("--foreign", action="store_true", help="exit 1 of the proxy (violations) is no failure")
parser.add_argument("--verbose", action="store_true", help="one line a case")
options = parser.parse_args()
common.need(["websockets", "aiohttp"], options.venv)

import aiohttp  # noqa: E402

import libraries  # noqa: E402

LIMIT = 30
SILENCE = 0.3
CODES = [1000, 1001, 1011, 4000]
LIGHT = options.quick and options.foreign
BIG = 1 << (16 if LIGHT else 20)


class Logger:
    """Accepts on `port`, connects to `target`, copies both ways and keeps every byte of the latest connections."""

    def __init__(self):
        self.connections = []
        self.target = 0

    async def start(self):
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        # Nothing else refers to this task once one direction has ended, and what nothing refers to is collected.
        log = {"to server": bytearray(), "to client": bytearray(), "done": asyncio.Event(), "task": asyncio.current_task()}
        self.connections.append(log)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(
                self.copy(reader, far_writer, log["to server"]), self.copy(far_reader, writer, log["to client"]))
            far_writer.close()
        except OSError:
            pass
        writer.close()
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

    async def settled(self):
        while not self.connections:
            await asyncio.sleep(0.005)
        for log in self.connections:
            await log["done"].wait()


class Bench:
    """One proxy between two loggers; runs cases one after the other and counts."""

    def __init__(self):
        self.front, self.back = Logger(), Logger()
        self.cases = self.bytes = self.failures = 0

    async def start(self):
        await self.front.start()
        await self.back.start()
        self.proxy = await asyncio.to_thread(common.Proxy, options.proxy, self.back.port)
        self.front.target = self.proxy.port

    async def case(self, title, server_port, run):
        """`run(port)` talks through the front logger; then all connections it made must be equal on both sides."""
        self.front.connections, self.back.connections = [], []
        self.back.target = server_port
        try:
            await asyncio.wait_for(run(self.front.port), LIMIT)
            await asyncio.wait_for(asyncio.gather(self.front.settled(), self.back.settled()), LIMIT)
            wrong = self.difference()
        except Exception as error:  # whatever a library raises, the case failed
            wrong = f"{type(error).__name__}: {error}"
        size = sum(len(log[way]) for log in self.front.connections for way in ("to server", "to client"))
        self.cases += 1
        self.bytes += size
        self.failures += wrong is not None
        if wrong or options.verbose:
            print(f"{'NOT EQUAL' if wrong else 'equal'}  {title}, {size} bytes  {wrong or ''}", flush=True)

    def difference(self):
        """The sentence that tells the first difference, or None."""
        if len(self.front.connections) != len(self.back.connections):
            return f"{len(self.front.connections)} connections came in, {len(self.back.connections)} went out"
        for near, far in zip(self.front.connections, self.back.connections):
            for way in ("to server", "to client"):
                a, b = near[way], far[way]
                if a != b:
                    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
                    return (f"{way}: {len(a)} bytes at the client's side, {len(b)} at the server's, first difference "
                            f"at {at}: {bytes(a[at:at + 24])!r} and {bytes(b[at:at + 24])!r}")
        return None


# Cases with libraries on both sides


def noise(size):
    return random.Random(size).randbytes(size)


def check(holds, what):
    if not holds:
        raise AssertionError(what)


async def echoes(client, message):
    answer = await client.ask(message)
    check(answer == message, f"{len(message)} came back as {len(answer)}: {answer[:40]!r}")


async def messages(client, server, port, deflate):
    await client.open(port, deflate)
    for message in ("hello, wörld", "", b"", bytes(range(256)) * 5, "x" * 125, "x" * 126, noise(65535), noise(65536)):
        await echoes(client, message)
    await echoes(client, noise(BIG))
    await echoes(client, "again and " * (BIG >> 3))
    for _ in range(3):
        await echoes(client, "the same text thrice, so that a context that is kept is used")
    if client.fragments:
        check(await client.ask(["a", "bc", "", "def"]) == "abcdef", "fragments sent")
        check(await client.ask([noise(70_000), b"", noise(9)]) == noise(70_000) + noise(9), "binary fragments sent")
        if server != "aiohttp":
            check(await client.ask("fragments") == "one two three", "fragments received")
    await client.ping()
    check(await client.ask("ping") == "pinged", "the server's ping")
    await client.close(1000)


async def server_closes(client, port, deflate, code):
    await client.open(port, deflate)
    got = await client.ask_close(f"close {code or 'none'}")
    check(got in ((code,) if code else (0, 1005)), f"close code {code} arrived as {got}")


async def client_closes(client, port, deflate, code):
    await client.open(port, deflate)
    await echoes(client, "before the end")
    await client.close(code)


async def odd_heads(client, port, deflate):
    headers = {"X-Long": "v" * 7000, "X-Odd": "a , b;c=\"d\"", "Cookie": "token=abc; other=%20", "Authorization": "Bearer x.y.z"}
    headers.update({f"X-Field-{n}": "f" * 100 for n in range(60)})
    await client.open(port, deflate, headers=headers, protocols=("first.one", "chat", "token.abc"))
    await echoes(client, "with a big head")
    await client.close(1000)


async def pair(bench, client_name, server_name, deflate, port):
    title = f"{client_name} to {server_name}, deflate {deflate}: "
    make = libraries.CLIENTS[client_name]
    await bench.case(title + "messages", port, lambda p: messages(make(), server_name, p, deflate))
    await bench.case(title + "big head", port, lambda p: odd_heads(make(), p, deflate))
    codes = CODES + ([None] if make.codeless else [])
    for code in codes:
        await bench.case(title + f"client closes {code}", port, lambda p: client_closes(make(), p, deflate, code))
    for code in CODES + ([None] if server_name in ("websockets", "websockets sync") else []):
        await bench.case(title + f"server closes {code}", port, lambda p: server_closes(make(), p, deflate, code))


# Cases with bytes of our own on one side


def frame(opcode, payload, first=0x80, mask=b""):
    bit = 0x80 if mask else 0
    size = len(payload)
    if size < 126:
        head = bytes([first | opcode, bit | size])
    elif size < 65536:
        head = bytes([first | opcode, bit | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first | opcode, bit | 127]) + size.to_bytes(8, "big")
    return head + mask + (bytes(b ^ mask[i & 3] for i, b in enumerate(payload)) if mask else payload)


def request(*lines, path="/ws"):
    key = base64.b64encode(noise(16)).decode()
    return "\r\n".join([
        f"GET {path} HTTP/1.1", "Host: a.example:1234", "Connection: keep-alive, Upgrade", "upgrade: WebSocket",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol:chat", *lines, "", ""]).encode()


class EarlyServer:
    """Answers an upgrade with `behind` in the same write as the 101, waits for the client's Close and ends."""

    behind = b""
    cuts = ()

    async def start(self):
        server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        return server.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n")
                       if line.lower().startswith(b"sec-websocket-key"))
            accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            answer = (b"HTTP/1.1 101 Weird  Reason\r\nUPGRADE:websocket\r\nX-Empty:\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + self.behind)
            for start, end in itertools.pairwise((0, *self.cuts, len(answer))):
                writer.write(answer[start:end])
                await writer.drain()
                await asyncio.sleep(0.003 if self.cuts else 0)
            # The client's Close; whoever serves ends the connection first.
            await reader.read(65536)
            writer.write_eof()
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()


async def early_bytes(bench):
    server = EarlyServer()
    port = await server.start()
    close = frame(8, b"\x03\xe8as asked")
    batches = {
        "a greeting": [b"hello"], "much": [noise(BIG)], "a ping between fragments": None, "many": [b"n"] * 500}
    for (name, make), (what, texts) in itertools.product(libraries.CLIENTS.items(), batches.items()):
        if texts is None:
            server.behind = frame(1, b"one ", 0) + frame(9, b"are you there") + frame(0, b"two") + close
            texts = ["one two"]
        else:
            server.behind = b"".join(frame(2, text) for text in texts) + close

        async def run(p, make=make, texts=texts):
            client = make()
            await client.open(p, "off", protocols=())
            for text in texts:
                check(await client.hear() == text, "the early message")
            check(await client.hear_close() == 1000, "the close behind it")

        await bench.case(f"{what} behind the 101, {name}", port, run)
    server.behind = frame(1, b"late") + close
    for cuts in ((1,), (8, 9, 10), (60, 100), tuple(range(1, 190, 7))):
        server.cuts = cuts

        async def run(p):
            client = libraries.AsyncioClient()
            await client.open(p, "off", protocols=())
            check(await client.hear() == "late" and await client.hear_close() == 1000, "what came in pieces")

        await bench.case(f"an answer in {len(cuts) + 1} pieces", port, run)


def cut(whole, step):
    return [whole[i:i + step] for i in range(0, len(whole), step)]


async def send_apart(writer, pieces):
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.0005 if len(pieces) > 1 else 0)


async def raw_exchange(port, pieces, behind_answer=(), half_close=False):
    """Sends the pieces, and more when a head came back; reads until the server ends or has nothing more to say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = bytearray()
    await send_apart(writer, pieces)
    if behind_answer:
        answer += await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
        await send_apart(writer, behind_answer)
    if half_close:
        writer.write_eof()
    try:
        while piece := await asyncio.wait_for(reader.read(65536), SILENCE):
            answer += piece
    except asyncio.TimeoutError:
        pass
    writer.close()
    return bytes(answer)


async def own_requests(bench, name, port):
    mask = b"\x11\x22\x33\x44"
    close = frame(8, b"\x03\xe8", mask=mask)
    odd = [frame(1, b"in the same segment as the head", mask=mask), frame(1, b"zero mask", mask=bytes(4)),
           frame(2, b"cut ", 0, mask), frame(9, b"x" * 125, mask=mask), frame(0, b"", 0, mask), frame(0, b"up", mask=mask)]
    head = request("X-Odd:  two spaces and a tab\t", "x-odd: again", "X-Empty:")

    async def upgraded(p, head, frames, step):
        answer = await raw_exchange(p, cut(head, step), behind_answer=cut(frames, step))
        check(b" 101 " in answer[:20], f"the answer is {answer[:200]!r}")

    for step in (1, 7, 64, 4096):
        title = f"all in pieces of {step}, {name}"
        await bench.case(title, port, lambda p: upgraded(p, head, b"".join(odd) + close, step))
    # What a server makes of frames in front of its own 101 is its affair; it must see them where they were sent.
    together = head + b"".join(odd) + close
    await bench.case(f"frames behind the request, {name}", port, lambda p: raw_exchange(p, [together]))
    hostile = {
        "an unmasked frame": frame(1, b"no mask"), "reserved bits": frame(1, b"rsv", 0xC0, mask), "opcode 5": frame(5, b"", mask=mask),
        "a continuation of nothing": frame(0, b"x", mask=mask), "invalid UTF-8": frame(1, b"\xff\xfe", mask=mask),
        "a length over 2^63": b"\x82\xff" + b"\xff" * 8 + mask, "a long ping": frame(9, b"p" * 126, mask=mask),
        "close code 1005": frame(8, b"\x03\xed", mask=mask), "a close of one byte": frame(8, b"\x03", mask=mask),
        "no frames at all": b"GET / HTTP/1.1\r\n\r\n" * 3, "half a frame": b"\x81",
    }
    for what, bytes_ in hostile.items():
        await bench.case(f"{what}, {name}", port, lambda p: raw_exchange(
            p, [request()], behind_answer=[bytes_], half_close=True))
    plain = {
        "HTTP without upgrade": b"GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "HTTP/1.0": b"GET / HTTP/1.0\r\n\r\n",
        "an upgrade to something else": b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n",
        "an upgrade of version 7": request().replace(b"Version: 13", b"Version: 7"),
        "two requests in one segment": b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n" + noise(50) + b"\r\n\r\n",
        "half a head": b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgr",
    }
    for what, bytes_ in plain.items():
        await bench.case(f"{what}, {name}", port, lambda p: raw_exchange(p, [bytes_], half_close=True))


async def plain_http(bench, port):
    async def talk(p):
        async with aiohttp.ClientSession() as session:
            base = f"http://127.0.0.1:{p}"
            for size in (0, 10, BIG):
                async with session.post(base + "/plain", data=noise(size)) as answer:
                    check(await answer.text() == f"POST of {size} bytes", "an upload")
            async with session.post(base + "/plain", data=noise(5000), expect100=True) as answer:
                check(answer.status == 200, "an upload behind 100-continue")
            async with session.get(base + "/stream") as answer:
                check(len(await answer.read()) == 25_000, "a chunked answer")
            async with session.get(base + "/nowhere") as answer:
                check(answer.status == 404, "nothing there")

    await bench.case("plain HTTP, kept alive, aiohttp to aiohttp", port, talk)


def chosen_pairs():
    pairs = list(itertools.product(libraries.CLIENTS, libraries.SERVERS, ("off", "takeover", "fresh")))
    if not options.quick:
        return pairs
    # Every client, every server and every deflate meet, not in every combination.
    clients, servers = list(libraries.CLIENTS), list(libraries.SERVERS)
    return [(clients[n % len(clients)], servers[(n // 3 + n) % len(servers)], ("off", "takeover", "fresh")[n % 3])
            for n in range(len(clients) * (1 if LIGHT else 3))]


async def main():
    bench = Bench()
    await bench.start()
    ports, stops = {}, []
    for (name, make), deflate in itertools.product(libraries.SERVERS.items(), ("off", "takeover", "fresh")):
        ports[name, deflate], stop = await make(deflate)
        stops.append(stop)
    for client, server, deflate in chosen_pairs():
        await pair(bench, client, server, deflate, ports[server, deflate])
    await early_bytes(bench)
    for name in libraries.SERVERS:
        await own_requests(bench, name, ports[name, "takeover"])
    await plain_http(bench, ports["aiohttp", "off"])
    wrong = await asyncio.to_thread(bench.proxy.verdict, options.foreign)
    for stop in stops:
        stop()
    if wrong:
        print(wrong)
        bench.failures += 1
    print(f"byte identity: {bench.cases} cases, {bench.bytes / 1e6:.1f} MB, {bench.failures} failures")
    return 1 if bench.failures else 0


code = asyncio.run(main())
sys.stdout.flush()
# Threads of the sync servers may still wait for a peer that a failed case left behind.
os._exit(code)
