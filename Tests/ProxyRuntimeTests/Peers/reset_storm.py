#!/usr/bin/env python3
"""Clients that reset at random instants: the proxy must neither fall over nor lose count of a byte.

    python3 reset_storm.py --proxy 'miswire proxy {upstream} --listen {listen}' --clients 1000

Each client resets (RST) somewhere between its connect and the middle of a conversation; the server of this script echoes
and sometimes resets first. Passes when the proxy still serves an honest client afterwards, holds no descriptor of the
dead ones, and does not end with exit 5.
"""
import asyncio
import base64
import hashlib
import os
import random
import socket
import struct
import sys
import time

import common

parser = common.arguments(
    __doc__.splitlines()[0], clients=(int, 1000, "clients"), concurrency=(int, 64, "clients at once"),
    seed=(int, 1, "of all random choices"))
options = parser.parse_args()
if options.quick:
    options.clients = 200

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def reset(writer):
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def serve(reader, writer):
    """Accepts the upgrade, then echoes frames unmasked; every 20th connection is reset by the server."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line.split(b":")[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n\x81\x08greeting")
        count = 0
        while True:
            opcode, payload = await frame(reader)
            writer.write(encode(opcode, payload))
            await writer.drain()
            count += 1
            if opcode == 8:
                break
            if count == 3 and payload[:1] == b"\x01":
                return reset(writer)
    except (OSError, asyncio.IncompleteReadError, StopIteration, ValueError):
        pass
    finally:
        writer.close()


async def frame(reader):
    first, second = await reader.readexactly(2)
    length = second & 127
    if length == 126:
        length = struct.unpack("!H", await reader.readexactly(2))[0]
    elif length == 127:
        length = struct.unpack("!Q", await reader.readexactly(8))[0]
    mask = await reader.readexactly(4) if second & 128 else bytes(4)
    payload = await reader.readexactly(length)
    return first & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def encode(opcode, payload, mask=None):
    bit = 128 if mask else 0
    if len(payload) < 126:
        head = bytes([128 | opcode, bit | len(payload)])
    elif len(payload) < 65536:
        head = bytes([128 | opcode, bit | 126]) + struct.pack("!H", len(payload))
    else:
        head = bytes([128 | opcode, bit | 127]) + struct.pack("!Q", len(payload))
    if not mask:
        return head + payload
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


def request():
    key = base64.b64encode(os.urandom(16))
    return (b"GET /ws HTTP/1.1\r\nHost: storm\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")


async def victim(port, dice):
    """Connects and resets at a stage drawn from `dice`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        stage = dice.randrange(7)
        head = request()
        if stage == 0:
            return
        if stage == 1:
            writer.write(head[:dice.randrange(1, len(head))])
            return await asyncio.sleep(dice.random() * 0.01)
        writer.write(head)
        if stage == 2:
            return await asyncio.sleep(dice.random() * 0.01)
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        for _ in range(dice.randrange(1, 8)):
            payload = bytes([dice.randrange(2)]) * dice.choice([1, 20, 300, 70_000])
            sent = encode(2, payload, b"\1\2\3\4")
            if stage == 3 and dice.random() < 0.3:
                writer.write(sent[:dice.randrange(1, len(sent))])
                return
            writer.write(sent)
            if stage == 4:
                await reader.read(dice.randrange(1, 4096))
        if stage == 5:
            await asyncio.sleep(dice.random() * 0.02)
        if stage == 6:
            writer.write_eof()
            await asyncio.sleep(dice.random() * 0.01)
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
        pass
    finally:
        reset(writer)


async def honest(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert b" 101 " in head, head
    assert await asyncio.wait_for(frame(reader), 10) == (1, b"greeting")
    writer.write(encode(1, b"still there?", b"\5\6\7\10"))
    assert await asyncio.wait_for(frame(reader), 10) == (1, b"still there?")
    writer.write(encode(8, b"\x03\xe8", b"\5\6\7\10"))
    assert (await asyncio.wait_for(frame(reader), 10))[0] == 8
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy = await asyncio.to_thread(common.Proxy, options.proxy, server.sockets[0].getsockname()[1])
    await honest(proxy.port)
    await asyncio.sleep(0.5)
    before = proxy.descriptors()
    gate = asyncio.Semaphore(options.concurrency)
    dice = random.Random(options.seed)
    refused = 0

    async def one(number):
        nonlocal refused
        async with gate:
            try:
                await victim(proxy.port, random.Random(options.seed * 1_000_003 + number))
            except OSError:
                refused += 1

    await asyncio.gather(*(one(number) for number in range(options.clients)))
    failures = []
    if refused:
        failures.append(f"{refused} connects failed")
    await honest(proxy.port)
    # A connection that ended in good order may linger for two seconds on our side.
    deadline = time.monotonic() + 10
    while proxy.descriptors() > before and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    if proxy.descriptors() > before:
        failures.append(f"{proxy.descriptors()} descriptors, {before} before the storm")
    wrong = await asyncio.to_thread(proxy.verdict, True)
    if wrong:
        failures.append(wrong)
    for failure in failures:
        print(f"failed: {failure}")
    print(f"reset storm: {options.clients} clients, {len(failures)} failures")
    return 1 if failures else 0


sys.exit(asyncio.run(main()))
