#!/usr/bin/env python3
"""A small agent-chat server on aiohttp, written from the incident reports alone and sharing no code with Miswire.

    python3 agent_chat_server.py --port 8765 [--key SECRET] [--bug NAME]

It is judged by Miswire, clean and with each of its own bugs:

    broadcast-errors        an error goes to every open connection, not to the one whose request caused it
    success-theatre         an agent that does not exist is answered by the five normal events
    tool-errors-dropped     the error for a tool that does not exist is written nowhere
"""

import argparse
import asyncio
import base64
import binascii
import hashlib
import hmac
import itertools
import json
import os
import random
import signal
import time

from aiohttp import WSMsgType, web

BUGS = ("broadcast-errors", "success-theatre", "tool-errors-dropped")
AGENTS = {"assistant": ["search"], "researcher": ["search", "read_page"], "tooluser": ["calculator"], "slow": []}
TOOLS = {tool for tools in AGENTS.values() for tool in tools}


class Refusal(Exception):
    """An invalid request: the kind of error that answers it."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def unpad(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def user_of_token(token, key):
    """The subject of a valid HS256 token, else None."""
    try:
        head, body, signature = token.split(".")
        if json.loads(unpad(head)).get("alg") != "HS256":
            return None
        good = hmac.new(key, f"{head}.{body}".encode(), hashlib.sha256).digest()
        if not hmac.compare_digest(good, unpad(signature)):
            return None
        claims = json.loads(unpad(body))
        if "exp" in claims and float(claims["exp"]) <= time.time():
            return None
        subject = claims["sub"]
        return subject if isinstance(subject, str) and subject else None
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None


def credential(request):
    """The first credential offered, in the order header, query, cookie, subprotocol."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    for found in (request.query.get("token"), request.cookies.get("token")):
        if found is not None:
            return found
    for protocol in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
        if protocol.strip().startswith("token."):
            return protocol.strip()[len("token."):]
    return None


def is_text(value):
    return isinstance(value, str) and value != ""


class Connection:
    """One user's socket. Everything sent goes through one queue, so order is the order of `tell`."""

    def __init__(self, hub, socket, user):
        self.hub, self.socket, self.user = hub, socket, user
        self.name = f"ws_{user}_{int(time.time())}_{next(hub.numbers)}_{os.urandom(4).hex()}"
        self.outbox = asyncio.Queue()
        self.runs = {}

    def tell(self, event):
        self.outbox.put_nowait({**event, "timestamp": time.time(), "server": "pychat"})

    async def drain(self):
        while True:
            await self.socket.send_str(json.dumps(await self.outbox.get()))


class Hub:
    def __init__(self, key, bug):
        self.key, self.bug = key, bug
        self.numbers = itertools.count(1)
        self.connections = []
        self.owner_of_thread = {}

    # Requests

    def receive(self, connection, text):
        request = None
        try:
            try:
                request = json.loads(text)
            except (ValueError, RecursionError):
                raise Refusal("message_processing_error", "the message is not JSON") from None
            if not isinstance(request, dict):
                raise Refusal("message_processing_error", "the message is not an object")
            self.dispatch(connection, request)
        except Refusal as refusal:
            self.refuse(connection, request if isinstance(request, dict) else {}, refusal)

    def dispatch(self, connection, request):
        kind = request.get("type")
        if kind == "agent_started":
            self.start(connection, request)
            return
        if kind == "connection_test" and request.get("action") == "force_disconnect":
            raise Refusal("connection_error", "the connection was disturbed on request")
        if kind == "tool_executing" and is_text(request.get("tool_name")) and request["tool_name"] not in TOOLS:
            raise Refusal("tool_execution_error", "there is no such tool")
        self.check_thread(connection, request)
        if kind == "cancel":
            task = connection.runs.get(request.get("run_id")) if is_text(request.get("run_id")) else None
            if task is None or not task.cancel():
                raise Refusal("message_processing_error", "there is no such run")
        elif kind == "tool_executing" and is_text(request.get("tool_name")):
            raise Refusal("message_processing_error", "tools are called by agents only")
        else:
            raise Refusal("message_processing_error", "this server knows no such request")

    def check_thread(self, connection, request):
        thread = request.get("thread_id")
        if isinstance(thread, str) and self.owner_of_thread.get(thread) != connection.user:
            raise Refusal("authentication_error", "the thread is not yours")

    def start(self, connection, request):
        agent = request.get("agent_name", "assistant")
        impossible = agent in ("non_existent_agent", "nonexistent_agent")
        if impossible and self.bug != "success-theatre":
            raise Refusal("agent_execution_error", "there is no such agent")
        if not impossible:
            if request.get("user_id") is None:
                raise Refusal("authentication_error", "user_id is missing")
            if is_text(request["user_id"]) and request["user_id"] != connection.user:
                raise Refusal("authentication_error", "user_id is not the user of this connection")
            optional = [request[name] for name in ("agent_name", "thread_id", "request_id") if name in request]
            texts = all(map(is_text, [request["user_id"], *optional]))
            if not texts or not isinstance(request.get("message", ""), str):
                raise Refusal("message_processing_error", "a field has the wrong type")
        self.check_thread(connection, request)
        if not impossible and agent not in AGENTS:
            raise Refusal("agent_execution_error", "there is no such agent")
        run = Run(self, connection, request, AGENTS.get(agent, ["search"]))
        run.emit("agent_started", agent_name=agent)
        connection.runs[run.id] = task = asyncio.ensure_future(run.go(slow=agent == "slow"))
        task.add_done_callback(run.end)

    def refuse(self, connection, request, refusal):
        if refusal.kind == "tool_execution_error" and self.bug == "tool-errors-dropped":
            return
        event = {"type": "error", "error": refusal.kind, "message": str(refusal), "user_id": connection.user}
        for name in ("user_id", "thread_id", "request_id"):
            if request.get(name) is not None:
                event[name] = request[name]
        for receiver in list(self.connections) if self.bug == "broadcast-errors" else [connection]:
            receiver.tell(event)

    # HTTP

    async def upgrade(self, request):
        token = credential(request)
        user = user_of_token(token, self.key) if token else None
        if user is None:
            return web.json_response({"detail": "no valid credential"}, status=401)
        socket = web.WebSocketResponse(protocols=("agent-chat",), max_msg_size=1 << 20)
        await socket.prepare(request)
        connection = Connection(self, socket, user)
        self.connections.append(connection)
        connection.tell({"type": "connected", "user_id": user, "connection_id": connection.name})
        writer = asyncio.ensure_future(connection.drain())
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self.receive(connection, message.data)
        finally:
            self.connections.remove(connection)
            for task in [writer, *connection.runs.values()]:
                task.cancel()
        return socket

    async def health(self, _):
        return web.json_response({"ok": True, "connections": len(self.connections)})


class Run:
    """One answer of an agent. All its identifiers come from one stem."""

    def __init__(self, hub, connection, request, tools):
        self.connection, self.tools, self.hub = connection, tools, hub
        self.echo = {"request_id": request["request_id"]} if "request_id" in request else {}
        self.text = str(request.get("message", ""))
        self.call = None
        if is_text(request.get("thread_id")):
            self.thread = request["thread_id"]
        else:
            stem = f"websocket_factory_{time.time_ns() // 1_000_000}"
            self.thread = f"thread_{stem}_{next(hub.numbers)}_{os.urandom(4).hex()}"
            hub.owner_of_thread[self.thread] = connection.user
        self.id = f"{self.thread[len('thread_'):].rsplit('_', 2)[0]}_{next(hub.numbers)}"

    def emit(self, kind, **more):
        ids = {"user_id": self.connection.user, "thread_id": self.thread, "run_id": self.id}
        self.connection.tell({"type": kind, **ids, **self.echo, **more})

    async def go(self, slow):
        for thought in range(random.choice((1, 1, 2))):
            await asyncio.sleep(random.uniform(0.001, 0.006))
            self.emit("agent_thinking", thought=f"step {thought + 1}")
        if slow:
            await asyncio.sleep(0.25)
        for tool in self.tools:
            self.call = {"tool_call_id": f"{tool}-{next(self.hub.numbers)}", "tool_name": tool}
            self.emit("tool_executing", **self.call)
            await asyncio.sleep(random.uniform(0.001, 0.01))
            self.end_call("failed" if tool == "calculator" and "fail" in self.text else "ok")
        self.emit("agent_completed", status="completed", final_response=f"You said: {self.text}")

    def end_call(self, status):
        if self.call is not None:
            self.emit("tool_completed", status=status, **self.call)
        self.call = None

    def end(self, task):
        """A cancelled task may never have begun, so its last words are said here."""
        self.connection.runs.pop(self.id, None)
        if task.cancelled():
            self.end_call("cancelled")
            self.emit("agent_completed", status="cancelled", final_response="")


async def serve(options):
    hub = Hub(options.key.encode(), options.bug)
    application = web.Application()
    application.router.add_get("/health", hub.health)
    application.router.add_get("/ws", hub.upgrade)
    application.router.add_get("/ws/{tail:.*}", hub.upgrade)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port)
    await site.start()
    print(f"listening on 127.0.0.1:{runner.addresses[0][1]}", flush=True)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    await runner.cleanup()


def main():
    parser = argparse.ArgumentParser(description="agent-chat server on aiohttp")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default=os.environ.get("MISWIRE_JWT_KEY", "miswire-development-key"))
    parser.add_argument("--bug", choices=BUGS)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
