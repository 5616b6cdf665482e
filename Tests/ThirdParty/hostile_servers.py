#!/usr/bin/env python3
"""Servers that misbehave, each in one way of its own, for whoever must survive them. Standard library only.

    python3 hostile_servers.py MODE PORT [--after N] [--word TEXT] [--life SECONDS]
    python3 hostile_servers.py --list

Where a mode says nothing else, the server is a small agent-chat server that does all that is asked of it. It listens on
127.0.0.1 only and ends by itself after --life seconds.
"""

import argparse
import base64
import hashlib
import itertools
import json
import os
import signal
import socket
import struct
import sys
import threading
import time

MODES = {
    "clean": "does all that is asked of it",
    "dies-after": "ends with exit 3 when connection number N is opened",
    "dies-on": "kills itself with SIGSEGV when a message holds the word",
    "no-accept": "listens and never accepts",
    "no-upgrade": "accepts and never answers the upgrade",
    "refuses": "holds the port and does not listen",
    "resets": "resets each connection as soon as it is accepted",
    "says-401": "401 for everybody",
    "web-page": "200 and a web page",
    "silent-101": "101, then silence",
    "garbage-101": "101, then random bytes",
    "wrong-accept": "101 with the accept key of somebody else",
    "floods": "101, then events as fast as it can, for ever",
    "huge-length": "101, then a frame that declares 2^63-1 bytes",
    "top-bit-length": "101, then a frame that declares 2^64-1 bytes",
    "big-header": "101 with a header of 10 MB",
    "endless-headers": "101 whose headers never end",
    "slow": "101 at one byte every 50 ms",
    "slow-events": "101, then a good greeting at one byte every 50 ms",
    "closes-after-101": "101, then the end of the connection",
    "endless-pings": "101, then pings for ever",
    "bad-utf8": "101, then text that is no UTF-8",
    "masked": "101, then masked frames",
    "endless-fragments": "101, then a message of fragments that never ends",
    "tiny-fragments": "101, then a message of empty fragments that never ends",
    "nonsense-json": "101, then JSON that means nothing",
    "deep-json": "101, then JSON of a million brackets",
    "restarts": "ends and starts again each second",
    "hangs-later": "does all that is asked, and answers nobody any more after connection number N",
}
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
numbers = itertools.count(1)


# Wire


def frame(payload, opcode=1, fin=True, mask=None, length=None):
    if isinstance(payload, str):
        payload = payload.encode()
    size = len(payload) if length is None else length
    bit = 0x80 if mask else 0
    head = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        head += bytes([bit | size])
    elif size < 65_536:
        head += bytes([bit | 126]) + struct.pack(">H", size)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", size)
    if mask:
        payload = bytes(b ^ mask[i % 4] for i, b in enumerate(payload))
        head += mask
    return head + payload


class Gone(Exception):
    """The peer closed the connection."""


class Reader:
    def __init__(self, connection):
        self.connection, self.held = connection, b""

    def exactly(self, count):
        while len(self.held) < count:
            piece = self.connection.recv(65_536)
            if not piece:
                raise Gone
            self.held += piece
        taken, self.held = self.held[:count], self.held[count:]
        return taken

    def head(self):
        while b"\r\n\r\n" not in self.held:
            piece = self.connection.recv(65_536)
            if not piece or len(self.held) > 1 << 20:
                raise Gone
            self.held += piece
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        return head.decode("latin-1")

    def frame(self):
        """(fin, opcode, payload); more than 16 MiB ends the connection."""
        first, second = self.exactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack(">H", self.exactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self.exactly(8))
        if size > 1 << 24 or not second & 0x80 or first & 0x70:
            raise Gone
        mask = self.exactly(4)
        payload = self.exactly(size)
        return bool(first & 0x80), first & 0x0F, bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def value(head, name):
    for line in head.split("\r\n")[1:]:
        key, _, text = line.partition(":")
        if key.strip().lower() == name:
            return text.strip()
    return None


def accept_head(head, key=None, more=""):
    key = key or value(head, "sec-websocket-key") or ""
    accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    protocol = "Sec-WebSocket-Protocol: agent-chat\r\n" if "agent-chat" in (value(head, "sec-websocket-protocol") or "") else ""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n{protocol}{more}\r\n").encode()


def answer(status, text, kind="text/html"):
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode()


# A server that does all that is asked of it


def credential(head):
    """The token, from header, query, cookie or subprotocol."""
    authorization = value(head, "authorization")
    if authorization is not None:
        return authorization.partition(" ")[2].strip() if authorization.lower().startswith("bearer ") else ""
    target = head.split(" ")[1] if head.count(" ") else ""
    for text, mark in ((target.partition("?")[2].replace("&", ";"), "token="), (value(head, "cookie") or "", "token=")):
        for part in text.split(";"):
            if part.strip().startswith(mark):
                return part.strip()[len(mark):]
    for part in (value(head, "sec-websocket-protocol") or "").split(","):
        if part.strip().startswith("token."):
            return part.strip()[len("token."):]
    return ""


def user_of(token):
    import hmac

    def unpad(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    try:
        head, body, signature = token.split(".")
        key = os.environ.get("MISWIRE_JWT_KEY", "miswire-development-key").encode()
        good = hmac.new(key, f"{head}.{body}".encode(), hashlib.sha256).digest()
        claims = json.loads(unpad(body))
        fits = json.loads(unpad(head)).get("alg") == "HS256" and hmac.compare_digest(good, unpad(signature))
        return claims["sub"] if fits and float(claims.get("exp", 1e12)) > time.time() and claims["sub"] else None
    except Exception:
        return None


class Chat:
    owners = {}

    def __init__(self, user):
        self.user = user
        self.connection = f"ws_{user}_{next(numbers)}_{os.urandom(4).hex()}"

    def event(self, kind, **more):
        return {"type": kind, "user_id": self.user, **more, "timestamp": time.time()}

    def greeting(self):
        return self.event("connected", connection_id=self.connection)

    def error(self, request, kind, why):
        kept = {k: request[k] for k in ("user_id", "thread_id", "request_id") if request.get(k) is not None}
        return [{**self.event("error", error=kind, message=why), **kept}]

    def answers(self, text):
        try:
            request = json.loads(text)
        except (ValueError, RecursionError):
            return self.error({}, "message_processing_error", "no JSON")
        if not isinstance(request, dict):
            return self.error({}, "message_processing_error", "no object")
        kind, agent = request.get("type"), request.get("agent_name", "assistant")
        if kind == "connection_test" and request.get("action") == "force_disconnect":
            return self.error(request, "connection_error", "as you wish")
        if kind == "tool_executing" and request.get("tool_name") not in ("search", "read_page", "calculator", None):
            return self.error(request, "tool_execution_error", "no such tool")
        thread = request.get("thread_id")
        if isinstance(thread, str) and self.owners.get(thread) != self.user:
            return self.error(request, "authentication_error", "not your thread")
        if kind != "agent_started":
            return self.error(request, "message_processing_error", "no such request")
        if agent in ("non_existent_agent", "nonexistent_agent"):
            return self.error(request, "agent_execution_error", "no such agent")
        named = request.get("user_id")
        if named is None or isinstance(named, str) and named and named != self.user:
            return self.error(request, "authentication_error", "not you")
        texts = [named, *(request[k] for k in ("agent_name", "thread_id", "request_id") if k in request)]
        if not all(isinstance(t, str) and t for t in texts) or not isinstance(request.get("message", ""), str):
            return self.error(request, "message_processing_error", "wrong type")
        if agent not in ("assistant", "researcher", "tooluser", "slow"):
            return self.error(request, "agent_execution_error", "no such agent")
        return self.run(request)

    def run(self, request):
        if not (thread := request.get("thread_id")):
            thread = f"thread_websocket_factory_{time.time_ns() // 1_000_000}_{next(numbers)}_{os.urandom(4).hex()}"
            self.owners[thread] = self.user
        ids = {"thread_id": thread, "run_id": f"{thread[7:].rsplit('_', 2)[0]}_{next(numbers)}"}
        if "request_id" in request:
            ids["request_id"] = request["request_id"]
        said = str(request.get("message", ""))
        return [
            self.event("agent_started", **ids), self.event("agent_thinking", **ids, thought="hm"),
            self.event("agent_completed", **ids, status="completed", result=f"You said: {said}")]


def converse(connection, reader, chat, word=None, is_deaf=lambda: False):
    text = b""
    while True:
        fin, opcode, payload = reader.frame()
        if is_deaf():
            continue
        if opcode == 8:
            connection.sendall(frame(payload[:2], opcode=8))
            return
        if opcode == 9:
            connection.sendall(frame(payload, opcode=10))
        if opcode in (9, 10):
            continue
        if opcode > 2:
            connection.sendall(frame(struct.pack(">H", 1002), opcode=8))
            return
        text = (text + payload) if opcode == 0 else payload
        if not fin:
            continue
        if word and word.encode() in text:
            print(f"Fatal error: cannot bear {word}", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGSEGV)
        try:
            plain = text.decode()
        except UnicodeDecodeError:
            connection.sendall(frame(struct.pack(">H", 1007), opcode=8))
            return
        for event in chat.answers(plain):
            connection.sendall(frame(json.dumps(event)))


# What each mode does with a connection


def drip(connection, data, pause=0.05):
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(pause)


def forever(connection, make, pause=0.0):
    while True:
        connection.sendall(make())
        if pause:
            time.sleep(pause)


def after_101(mode, connection, reader, chat):
    """True when the mode has no further say in this connection."""
    event = json.dumps(chat.greeting())
    if mode == "silent-101":
        return drain(reader)
    if mode == "garbage-101":
        forever(connection, lambda: os.urandom(512), 0.01)
    if mode == "floods":
        batch = frame(json.dumps(chat.event("agent_thinking", thread_id="thread_a_1_1_ab", run_id="a_1_1"))) * 100
        connection.sendall(frame(event))
        forever(connection, lambda: batch)
    if mode in ("huge-length", "top-bit-length"):
        length = (1 << 63) - 1 if mode == "huge-length" else (1 << 64) - 1
        connection.sendall(frame(event) + frame(b"x" * 1000, length=length))
        forever(connection, lambda: b"x" * 10_000, 0.01)
    if mode == "slow-events":
        drip(connection, frame(event))
    if mode == "closes-after-101":
        return True
    if mode == "endless-pings":
        connection.sendall(frame(event))
        batch = frame(b"are you there", opcode=9) * 100
        forever(connection, lambda: batch)
    if mode == "bad-utf8":
        connection.sendall(frame(b'{"type":"connected","user_id":"\xff\xfe\xc0\x80"}'))
        return drain(reader)
    if mode == "masked":
        connection.sendall(frame(event, mask=b"\x01\x02\x03\x04"))
        return drain(reader)
    if mode == "endless-fragments":
        connection.sendall(frame(b'{"type":"', fin=False))
        forever(connection, lambda: frame(b"x" * 60_000, opcode=0, fin=False))
    if mode == "tiny-fragments":
        connection.sendall(frame(event) + frame(b'{"type":"', fin=False))
        batch = frame(b"", opcode=0, fin=False) * 10_000
        forever(connection, lambda: batch)
    if mode == "nonsense-json":
        things = ["{}", "[]", "null", '""', "1e999999", '{"type":null}', '{"type":"error"}', '{"type":{"a":[]}}', "NaN", '{"a":1,"a":2}']
        forever(connection, lambda: b"".join(frame(t) for t in things), 0.01)
    if mode == "deep-json":
        connection.sendall(frame(event) + frame("[" * 1_000_000))
        return drain(reader)
    return False


def drain(reader):
    while True:
        reader.exactly(1)


def serve(options, connection, number):
    mode = options.mode
    if mode == "resets":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    if mode == "dies-after" and number >= options.after:
        print(f"giving up at connection {number}", flush=True)
        os._exit(3)
    reader = Reader(connection)
    if mode == "no-upgrade":
        return drain(reader)
    head = reader.head()
    if mode == "says-401":
        return connection.sendall(answer("401 Unauthorized", '{"detail":"no"}', "application/json"))
    if mode == "web-page":
        return connection.sendall(answer("200 OK", "<!doctype html><title>Welcome</title><h1>It works!</h1>"))
    if mode == "big-header":
        connection.sendall(accept_head(head, more="X-Big: " + "x" * 10_000_000 + "\r\n"))
        return drain(reader)
    if mode == "endless-headers":
        connection.sendall(accept_head(head)[:-2])
        forever(connection, lambda: b"X-More: %d\r\n" % next(numbers) * 10)
    if mode == "slow":
        drip(connection, accept_head(head))
    if (user := user_of(credential(head))) is None:
        return connection.sendall(answer("401 Unauthorized", '{"detail":"no"}', "application/json"))
    key = "dGhlIHNhbXBsZSBub25jZQ==" if mode == "wrong-accept" else None
    connection.sendall(accept_head(head, key=key))
    chat = Chat(user)
    if after_101(mode, connection, reader, chat):
        return
    is_deaf = lambda: mode == "hangs-later" and opened[0] > options.after  # noqa: E731
    if not is_deaf() and mode != "slow-events":
        connection.sendall(frame(json.dumps(chat.greeting())))
    converse(connection, reader, chat, options.word if mode == "dies-on" else None, is_deaf)


opened = [0]


def one(options, connection, number):
    try:
        serve(options, connection, number)
    except (Gone, OSError, IndexError):
        pass
    finally:
        connection.close()


def listen(options):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", options.port))
    if options.mode != "refuses":
        listener.listen(256)
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    if options.mode in ("refuses", "no-accept"):
        time.sleep(options.life)
        return
    while True:
        connection, _ = listener.accept()
        opened[0] += 1
        connection.settimeout(options.life)
        threading.Thread(target=one, args=(options, connection, opened[0]), daemon=True).start()


def restarts(options):
    """A parent that ends its child each second and starts another, with a moment between them."""
    over = time.monotonic() + options.life
    while time.monotonic() < over:
        child = os.fork()
        if child == 0:
            signal.alarm(3)
            listen(argparse.Namespace(**{**vars(options), "mode": "clean"}))
        time.sleep(1)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(description="servers that misbehave")
    parser.add_argument("mode", nargs="?", choices=MODES, metavar="MODE")
    parser.add_argument("port", nargs="?", type=int, default=0)
    parser.add_argument("--after", type=int, default=20, metavar="N")
    parser.add_argument("--word", default="non_existent_agent")
    parser.add_argument("--life", type=float, default=120)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list or not options.mode:
        print(*(f"{name:18} {what}" for name, what in MODES.items()), sep="\n")
        return
    if options.mode == "restarts":
        restarts(options)
        return
    ending = threading.Timer(options.life, lambda: os._exit(0))
    ending.daemon = True
    ending.start()
    listen(options)


if __name__ == "__main__":
    main()
