#!/usr/bin/env python3
"""A crowd of agent-chat users through the proxy: every connect succeeds, every run is answered, nothing is lost.

    python3 crowd.py --proxy 'miswire proxy {upstream} --listen {listen} --contract agent-chat' \\
                     --backend 'miswire backend --port {port}' --users 200 --seconds 30

Each user has a JWT of its own (HS256), connects, talks for a while, closes with 1000 and comes back, until the time is
over. An answer counts only when all its events carry this user's name and the run's canary came back to nobody else.
"""
import asyncio
import base64
import hashlib
import hmac
import json
import os
import random
import shlex
import subprocess
import sys
import time

import common

parser = common.arguments(
    __doc__.splitlines()[0], users=(int, 200, "users at once"), seconds=(int, 30, "how long they talk"),
    seed=(int, 1, "of all random choices"),
    key=(str, os.environ.get("MISWIRE_JWT_KEY", "miswire-development-key"), "that signs the tokens"))
parser.add_argument("--backend", required=True, help="command that starts the server; {port} becomes its port")
options = parser.parse_args()
if options.quick:
    options.users, options.seconds = 50, 4
common.need(["websockets"], options.venv)

from websockets.asyncio.client import connect  # noqa: E402

AGENTS = ["assistant", "researcher", "tooluser"]


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")


def token(user):
    signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part({"sub": user, "exp": int(time.time()) + 3600})
    mark = hmac.new(options.key.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mark).rstrip(b"=")).decode()


class Count:
    connects = runs = events = 0
    failures: list = []


def canary(dice):
    return "mwc-" + "".join(dice.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(12))


async def run(socket, user, dice):
    """One run, from request to completion; raises when an event is not this user's or does not come."""
    mark = canary(dice)
    request = f"q-{user}-{dice.randrange(10**9)}"
    await socket.send(json.dumps({
        "type": "agent_started", "agent_name": dice.choice(AGENTS), "user_id": user, "request_id": request,
        "message": f"say {mark}"}))
    seen = []
    while True:
        event = json.loads(await asyncio.wait_for(socket.recv(), 20))
        Count.events += 1
        seen.append(event.get("type"))
        assert event.get("user_id") == user, f"{user} was sent {event}"
        assert event.get("request_id") == request, f"{user} asked {request} and was sent {event}"
        assert event.get("type") != "error", f"{user} was sent {event}"
        if event["type"] == "agent_completed":
            break
    assert seen[0] == "agent_started" and seen.count("agent_completed") == 1, seen
    assert seen.count("tool_executing") == seen.count("tool_completed"), seen
    Count.runs += 1


async def user(number, port, until):
    name = f"user{number:03}"
    dice = random.Random(options.seed * 1_000_003 + number)
    await asyncio.sleep(dice.random())
    while time.monotonic() < until:
        try:
            async with asyncio.timeout(60):
                socket = await connect(
                    f"ws://127.0.0.1:{port}/ws", additional_headers={"Authorization": f"Bearer {token(name)}"},
                    proxy=None, open_timeout=10)
                Count.connects += 1
                greeting = json.loads(await asyncio.wait_for(socket.recv(), 10))
                assert greeting["type"] == "connected" and greeting["user_id"] == name, greeting
                for _ in range(dice.randrange(2, 8)):
                    if time.monotonic() > until:
                        break
                    await run(socket, name, dice)
                    await asyncio.sleep(dice.random() * 0.5)
                await socket.close(1000)
        except Exception as error:  # whatever it is, it is what this script looks for
            Count.failures.append(f"{name}: {type(error).__name__} {error}")
            await asyncio.sleep(0.5)


async def main():
    backend_port = common.free_port()
    backend = subprocess.Popen(
        shlex.split(options.backend.replace("{port}", str(backend_port))), stdout=subprocess.DEVNULL,
        env={**os.environ, "MISWIRE_JWT_KEY": options.key})
    try:
        deadline = time.monotonic() + 20
        while not common.listens(backend_port):
            if backend.poll() is not None or time.monotonic() > deadline:
                sys.exit("error: the backend does not listen")
            await asyncio.sleep(0.05)
        os.environ["MISWIRE_JWT_KEY"] = options.key
        proxy = await asyncio.to_thread(common.Proxy, options.proxy, backend_port)
        until = time.monotonic() + options.seconds
        await asyncio.gather(*(user(number, proxy.port, until) for number in range(options.users)))
        wrong = await asyncio.to_thread(proxy.verdict)
        if wrong:
            Count.failures.append(wrong)
        print(proxy.output())
    finally:
        backend.terminate()
        backend.wait(10)
    if Count.runs < options.users:
        Count.failures.append(f"{Count.runs} runs by {options.users} users: too few to say anything")
    for failure in Count.failures[:20]:
        print(f"failed: {failure}")
    print(f"crowd: {options.users} users, {Count.connects} connects, {Count.runs} runs, {Count.events} events, "
          f"{len(Count.failures)} failures")
    return 1 if Count.failures else 0


sys.exit(asyncio.run(main()))
