#!/usr/bin/env python3
"""Hostile bytes from either side of a real proxy: it stays up, its memory stays within the limits, and a session beside
them gets every byte.

    hostile-peers.py MISWIRE [--peers 2] [--seconds 180] [--only WORDS] [--threads]

Each act is played by several peers at once, while an honest client and server exchange numbered messages through the same
proxy, whose profile lifts every message, and the same two do so without a proxy. Of each act: the most memory that the proxy
held (VmHWM, begun anew for each), what it held afterwards, how long it had to work on behind the act, and how long the honest
session waited at most. What is too long goes by what the pair without proxy waited meanwhile, which is what this machine and
this script cost. At the end the proxy must end in order, with no tool error and no descriptor too many.
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
# What an honest neighbour may wait, in seconds, and how many times as long as one without proxy. An unoptimised build makes it
# wait a fifth of a second where five others run beside it, and one and a quarter where fourteen do.
WAIT, TIMES = 2.0, 10
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
    "fragments of a byte without end": lambda masked: [frame(0x02, b"a", masked)] + [frame(0x00, b"b", masked) * 2048] * 32,
    "16 MiB in small fragments": lambda masked: [frame(0x02, b"", masked)] + [frame(0x00, b"y" * 248, masked) * 256] * 264,
    "large fragments without end": lambda masked: [frame(0x02, b"", masked)] + [frame(0x00, b"y" * 32768, masked)] * 1024,
    "pings without end": lambda masked: [frame(0x89, b"p" * 125, masked) * 64] * 64,
    "empty pings without end": lambda masked: [frame(0x89, b"", masked) * 4096] * 20,
    "empty messages without end": lambda masked: [frame(0x82, b"", masked) * 4096] * 10,
    "a bomb of 200 MiB": lambda masked: [frame(0xC1, BOMB, masked)] * 3,
    "bombs of 1 MiB": lambda masked: [frame(0xC1, bomb(1 << 20), masked) * 8] * 2,
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

    def times(self):
        """Processor seconds of each thread so far, by its name and number."""
        times = {}
        for thread in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            try:
                name, rest = (thread / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            except OSError:
                continue
            words = rest.split()
            times[f"{name} {thread.name}"] = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        return times

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


async def quiet(port, act, extra):
    """What the honest session waits when nobody disturbs it."""
    await asyncio.sleep(2)


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


async def drips(port, act, extra):
    """Heads that come byte by byte, many of them."""
    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(24)]
    for byte in request(b"client"):
        for _, writer in pairs:
            writer.write(bytes([byte]))
        await asyncio.sleep(0.01)
    for _, writer in pairs:
        reset(writer)


class Honest:
    """Numbered frames, each echoed (unmasked with a key of zero it is the very same bytes but for the mask)."""

    def __init__(self, port):
        self.port, self.count, self.waited, self.begun, self.over = port, 0, 0.0, None, False

    async def run(self):
        reader, writer = await connect(self.port, b"honest")
        await reader.readuntil(b"\r\n\r\n")
        while not self.over:
            self.begun = time.monotonic()
            sent = frame(0x82, struct.pack(">Q", self.count) * 40, 1)
            writer.write(sent)
            got = await asyncio.wait_for(reader.readexactly(len(sent)), 60)
            if got != sent:
                raise AssertionError(f"message {self.count} came back as {got[:40].hex()}…")
            self.count += 1
            self.waited, self.begun = self.slowest, None
            await asyncio.sleep(0.005)
        writer.close()

    @property
    def slowest(self):
        """The longest wait, one that is not over counted in."""
        return max(self.waited, time.monotonic() - self.begun if self.begun is not None else 0.0)


async def settled(proxy, memory, honest, before):
    """Until the proxy has worked off what the act left (trust.md L11), so that it is charged to no other act."""
    deadline, worked = time.monotonic() + 60, sum(memory.times().values())
    while time.monotonic() < deadline and proxy.process.poll() is None:
        await asyncio.sleep(0.3)
        now = sum(memory.times().values())
        if honest.count > before + 2 and now - worked < 0.1:
            return
        worked = now


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("miswire")
    parser.add_argument("--peers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--only", default="", metavar="WORDS", help="acts whose name holds these")
    parser.add_argument("--threads", action="store_true", help="tell which thread of the proxy worked how long")
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
        direct = Honest(upstream)
        beside, without = asyncio.ensure_future(honest.run()), asyncio.ensure_future(direct.run())
        await asyncio.sleep(0.5)
        start, descriptors = memory.value("VmRSS"), proxy.descriptors()
        plays = [("nothing", quiet, None), ("heads without end, dripping, garbage", heads, None), ("heads that drip", drips, None)]
        for name, act in ACTS.items():
            plays += [(f"{name}, from clients", from_client, act), (f"{name}, from servers", from_server, act)]
        plays.append(("16 MiB begun, to clients that do not read", no_reader, ACTS["16 MiB begun"]))
        for name, play, act in [play for play in plays if options.only in play[0]]:
            server.act = act
            memory.restart()
            times, before, played = memory.times(), honest.count, time.monotonic()
            honest.waited = direct.waited = 0.0
            extra = DEFLATE if "bomb" in name else b""
            results = await asyncio.gather(*(play(proxy.port, act, extra) for _ in range(options.peers)), return_exceptions=True)
            ended = time.monotonic()
            await settled(proxy, memory, honest, before)
            if proxy.process.poll() is not None:
                failures.append(f"{name}: the proxy ended with {proxy.process.returncode}\n{proxy.output()[-3000:]}")
                break
            peak, now, waited, alone = memory.value("VmHWM"), memory.value("VmRSS"), honest.slowest, direct.slowest
            wrong = [f"{type(r).__name__} {r}" for r in results if isinstance(r, Exception) and not isinstance(r, OSError)]
            if peak > start + BASE + options.peers * PEER:
                wrong.append(f"more memory than {(start + BASE + options.peers * PEER) >> 20} MiB")
            if now > start + AFTER + BASE:
                wrong.append(f"{now >> 20} MiB are kept afterwards")
            for which, task in (("through the proxy", beside), ("without proxy", without)):
                if task.done():
                    wrong.append(f"the honest session {which} broke: {task.exception()!r}")
            if honest.count == before:
                wrong.append("the honest session stood still")
            if waited > WAIT + TIMES * alone:
                wrong.append(f"the honest session waited {waited:.1f} s, allowed {WAIT:.1f} s and {TIMES} times {alone:.2f} s")
            print(
                f"{'FAIL' if wrong else 'ok  '} {name:<48} {ended - played:>4.1f} s and {time.monotonic() - ended:>4.1f} s,"
                f" peak {peak >> 20:>3} MiB, then {now >> 20:>3}; beside it {honest.count - before:>4} messages,"
                f" slowest {waited * 1000:>5.0f} ms, without proxy {alone * 1000:>4.0f} ms", flush=True)
            if options.threads:
                worked = {thread: seconds - times.get(thread, 0) for thread, seconds in memory.times().items()}
                print("     ", ", ".join(f"{thread} {seconds:.1f} s" for thread, seconds in sorted(worked.items()) if seconds > 0.05))
            failures += [f"{name}: {word}" for word in wrong]
            if beside.done():
                break
        honest.over = direct.over = True
        try:
            await asyncio.wait_for(asyncio.gather(beside, without), 40)
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
