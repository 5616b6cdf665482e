#!/usr/bin/env python3
"""Hostile bytes from either side of a real proxy: it stays up, its memory stays within the limits, and a session beside
them gets every byte.

    hostile-peers.py MISWIRE [--peers 4] [--seconds 60]

Each act is played by several peers at once, while an honest client and server exchange numbered messages through the same
proxy, whose profile lifts every message. Of each act: the most memory that the proxy held (VmHWM, begun anew for each), what
it held afterwards, and whether the honest session was ever late or wrong. At the end the proxy must end in order, with no
tool error and no descriptor too many.
"""
import argparse
import asyncio
import json
import os
import pathlib
import struct
import sys
import tempfile
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/ProxyRuntimeTests/Peers"))
import common  # noqa: E402

# What one peer may cost: a message of 16 MiB as it came, as it is lifted and inflated, and what is queued for it (L4, L9,
# L11); and what the recorder's queue (L11, 64 MiB) and the allocator keep for all of them.
PEER, BASE, AFTER = 80 << 20, 128 << 20, 96 << 20
PROFILE = """miswire: 1
name: hostile-peers
about: Lifts every message, changes none.
faults:
  - { id: never, fault: drop, when: { message: nth 100000000 } }
"""
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n%s\r\n")


def request(path, extra=b""):
    return (
        b"GET /%s HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: %s\r\n%s\r\n" % (path, KEY, extra))


def frame(first, payload, masked, length=None):
    size = len(payload) if length is None else length
    head = bytes([first]) + (
        bytes([masked << 7 | size]) if size < 126 else struct.pack(">BH", masked << 7 | 126, size) if size < 65536
        else struct.pack(">BQ", masked << 7 | 127, size))
    # A key of zero leaves the payload as it is.
    return head + bytes(4 if masked else 0) + payload


def bomb(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(bytes(size)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


BOMB = bomb(200 << 20)
# Name: what is sent behind the heads, as pieces; `masked` is 1 from a client.
ACTS = {
    "a length of 2^63": lambda masked: [frame(0x81, b"", masked, 1 << 63)] + [b"x" * 65536] * 64,
    "a length of 2^62": lambda masked: [frame(0x82, b"", masked, 1 << 62)] + [b"x" * 65536] * 512,
    "16 MiB begun": lambda masked: [frame(0x82, b"", masked, 16 << 20)] + [b"x" * 65536] * 255,
    "fragments without end": lambda masked: [frame(0x01, b"a", masked)] + [frame(0x00, b"", masked) * 4096] * 20,
    "large fragments without end": lambda masked: [frame(0x02, b"", masked)] + [frame(0x00, b"y" * 32768, masked)] * 1024,
    "pings without end": lambda masked: [frame(0x89, b"p" * 125, masked) * 64] * 64,
    "a bomb of 200 MiB": lambda masked: [frame(0xC1, BOMB, masked)] * 3,
    "bombs that fit": lambda masked: [frame(0xC1, bomb(15 << 20), masked)] * 3,
    "garbage": lambda masked: [os.urandom(65536)] * 64,
    "a frame torn by a reset": lambda masked: [frame(0x81, b"z" * 60000, masked)[:30000]],
}


class Memory:
    def __init__(self, pid):
        self.pid = pid

    def value(self, name):
        for line in open(f"/proc/{self.pid}/status"):
            if line.startswith(name + ":"):
                return int(line.split()[1]) << 10
        return 0

    def restart(self):
        """The high water mark begins anew."""
        with open(f"/proc/{self.pid}/clear_refs", "w") as file:
            file.write("5")


async def drain(reader):
    try:
        while await reader.read(1 << 16):
            pass
    except OSError:
        pass


def reset(writer):
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(1, 13, struct.pack("ii", 1, 0))
    writer.close()


async def pour(writer, pieces):
    """All of it, or what is taken within a few seconds: who does not read is part of the game."""
    try:
        async with asyncio.timeout(8):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
    except (OSError, TimeoutError):
        pass


class Server:
    """Echoes to the honest path, answers an upgrade otherwise, and then does what the act says."""

    def __init__(self):
        self.act = None

    async def start(self):
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 18)
        return self.listener.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1]
            if path == b"/no-head":
                await pour(writer, [b"HTTP/1.1 101 X\r\nX: " + b"h" * 65536] * 64)
            else:
                writer.write(ANSWER % (DEFLATE if DEFLATE in head else b""))
                await writer.drain()
            if path == b"/honest":
                while chunk := await reader.read(1 << 16):
                    writer.write(chunk)
                    await writer.drain()
            elif path == b"/server":
                await pour(writer, self.act(0))
                await asyncio.sleep(0.2)
                reset(writer)
            else:
                await drain(reader)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


async def connect(port, path, extra=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(path, extra))
    return reader, writer


async def from_client(port, act, extra):
    reader, writer = await connect(port, b"client", extra)
    sink = asyncio.ensure_future(drain(reader))
    await pour(writer, act(1))
    await asyncio.sleep(0.2)
    reset(writer)
    await sink


async def from_server(port, act, extra):
    reader, writer = await connect(port, b"server", extra)
    async with asyncio.timeout(20):
        await drain(reader)
    writer.close()


async def no_reader(port, act, extra):
    """Asks, and never reads: what the server pours must not pile up."""
    reader, writer = await connect(port, b"server", extra)
    writer.transport.pause_reading()
    await asyncio.sleep(3)
    reset(writer)


async def heads(port, act, extra):
    """A head that never ends, or drips; and one that is garbage."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await pour(writer, [b"GET / HTTP/1.1\r\nX: " + b"h" * 65536] * 16)
    await drain(reader)
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for byte in request(b"client")[:60]:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.01)
    reset(writer)
    reader, writer = await connect(port, b"no-head")
    await drain(reader)
    writer.close()


class Honest:
    """Numbered frames, each echoed (unmasked with a key of zero it is the very same bytes but for the mask)."""

    def __init__(self, port):
        self.port, self.count, self.slowest, self.over = port, 0, 0.0, False

    async def run(self):
        reader, writer = await connect(self.port, b"honest")
        await reader.readuntil(b"\r\n\r\n")
        while not self.over:
            begun = time.monotonic()
            sent = frame(0x82, struct.pack(">Q", self.count) * 40, 1)
            writer.write(sent)
            got = await asyncio.wait_for(reader.readexactly(len(sent)), 60)
            if got != sent:
                raise AssertionError(f"message {self.count} came back as {got[:40].hex()}…")
            self.count += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
            await asyncio.sleep(0.005)
        writer.close()


async def settled(proxy, memory, honest, before, most):
    """Until the recorder has caught up, for which all sockets wait (trust.md L11): unoptimised, it reads some MiB a second."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and proxy.process.poll() is None:
        await asyncio.sleep(0.3)
        if honest.count > before + 2 and memory.value("VmRSS") <= most:
            return


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("miswire")
    parser.add_argument("--peers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=115)
    options = parser.parse_args()
    begun, failures = time.monotonic(), []
    server = Server()
    upstream = await server.start()
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "hostile-peers.yaml"
        file.write_text(PROFILE)
        proxy = common.Proxy(
            f"{options.miswire} proxy {{upstream}} --listen {{listen}} --profile {file} --contract agent-chat --json --log none --grace 3s", upstream)
        memory, honest = Memory(proxy.process.pid), Honest(proxy.port)
        beside = asyncio.ensure_future(honest.run())
        await asyncio.sleep(0.5)
        start, descriptors = memory.value("VmRSS"), proxy.descriptors()
        plays = [("heads without end, dripping, garbage", heads, None)]
        for name, act in ACTS.items():
            plays += [(f"{name}, from clients", from_client, act), (f"{name}, from servers", from_server, act)]
        plays.append(("16 MiB begun, to clients that do not read", no_reader, ACTS["16 MiB begun"]))
        for name, play, act in plays:
            server.act = act
            memory.restart()
            honest.slowest, before = 0.0, honest.count
            extra = DEFLATE if "bomb" in name else b""
            results = await asyncio.gather(*(play(proxy.port, act, extra) for _ in range(options.peers)), return_exceptions=True)
            await settled(proxy, memory, honest, before, start + AFTER + BASE)
            if proxy.process.poll() is not None:
                failures.append(f"{name}: the proxy ended with {proxy.process.returncode}\n{proxy.output()[-3000:]}")
                break
            peak, now = memory.value("VmHWM"), memory.value("VmRSS")
            wrong = [f"{type(r).__name__} {r}" for r in results if isinstance(r, Exception) and not isinstance(r, OSError)]
            if peak > start + BASE + options.peers * PEER:
                wrong.append(f"more memory than {(start + BASE + options.peers * PEER) >> 20} MiB")
            if now > start + AFTER + BASE:
                wrong.append(f"{now >> 20} MiB are kept afterwards")
            if beside.done():
                wrong.append(f"the honest session broke: {beside.exception()!r}")
            if honest.count == before:
                wrong.append("the honest session stood still")
            print(
                f"{'FAIL' if wrong else 'ok  '} {name:<52} peak {peak >> 20:>4} MiB, then {now >> 20:>4};"
                f" beside it {honest.count - before:>4} messages, slowest {honest.slowest * 1000:.0f} ms", flush=True)
            failures += [f"{name}: {word}" for word in wrong]
            if beside.done():
                break
        honest.over = True
        try:
            await asyncio.wait_for(beside, 40)
        except Exception as error:
            failures.append(f"the honest session: {error!r}")
        await asyncio.sleep(1)
        if proxy.process.poll() is None and proxy.descriptors() > descriptors + 4:
            failures.append(f"{proxy.descriptors()} descriptors, {descriptors} before")
        code = await asyncio.to_thread(proxy.stop)
        output = proxy.output()
        last = next((json.loads(line) for line in reversed(output.splitlines()) if '"kind":"summary"' in line), {})
        # Servers that send what they may not are accused, rightly.
        if code not in (0, 1, 2) or last.get("toolErrors") != 0:
            failures.append(f"the proxy ended with {code}: {last or output[-2000:]}")
    lasted = time.monotonic() - begun
    if lasted > options.seconds:
        failures.append(f"{lasted:.0f} s, allowed {options.seconds:.0f} s")
    for failure in failures:
        print("FAIL", failure)
    print(f"hostile peers: {'well' if not failures else f'{len(failures)} wrong'}, {honest.count} honest messages, {lasted:.0f} s")
    sys.exit(1 if failures else 0)


asyncio.run(main())
