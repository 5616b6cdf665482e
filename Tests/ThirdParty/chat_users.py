#!/usr/bin/env python3
"""Users of an agent-chat server who always do the same, with a client library that shares no code with Miswire.

    python3 chat_users.py ws://127.0.0.1:PORT/ws [--library websockets|aiohttp|h2] [--key SECRET] [--lifetime S] [--other CHANGE]

`--other` does one thing differently: `skip` leaves out bob's last run, `text` asks for another agent, `more` says one more.
The last line is JSON: for each user the names of the events that came, in order.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import time
import uuid


def mint(user, key, lifetime):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    signed = part(json.dumps({"alg": "HS256"}).encode()) + "." + part(
        json.dumps({"sub": user, "exp": int(time.time()) + lifetime}).encode())
    return signed + "." + part(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())


class Websockets:
    def __init__(self, url, headers):
        self.url, self.headers = url, headers

    async def __aenter__(self):
        from websockets.asyncio.client import connect
        self.socket = await connect(self.url, additional_headers=self.headers, compression=None).__aenter__()
        return self

    async def __aexit__(self, *_):
        await self.socket.close(1000)

    async def send(self, text):
        await self.socket.send(text)

    async def receive(self):
        return await self.socket.recv()


class Aiohttp:
    def __init__(self, url, headers):
        self.url, self.headers = url, headers

    async def __aenter__(self):
        import aiohttp
        self.session = aiohttp.ClientSession()
        try:
            self.socket = await self.session.ws_connect(self.url, headers=self.headers)
        except BaseException:
            await self.session.close()
            raise
        return self

    async def __aexit__(self, *_):
        await self.socket.close(code=1000)
        await self.session.close()

    async def send(self, text):
        await self.socket.send_str(text)

    async def receive(self):
        return await self.socket.receive_str()


class User:
    def __init__(self, name, socket, seen):
        self.name, self.socket, self.count, self.seen = name, socket, 0, seen

    async def receive(self):
        event = json.loads(await asyncio.wait_for(self.socket.receive(), 10))
        self.seen.append(event["type"])
        return event

    async def say(self, **message):
        self.count += 1
        message["request_id"] = f"{self.name}-{self.count}-{uuid.uuid4().hex[:8]}"
        await self.socket.send(json.dumps(message))
        return message["request_id"]

    async def start(self, agent, text, **more):
        return await self.say(type="agent_started", agent_name=agent, user_id=self.name, message=text, **more)

    async def until(self, *names):
        wanted, last = list(names), None
        while wanted:
            last = await self.receive()
            if last["type"] in wanted:
                wanted.remove(last["type"])
        return last


async def alice(user, shared, other):
    await user.until("connected")
    await user.start("assistant", f"hello {uuid.uuid4()}")
    done = await user.until("agent_completed")
    shared["thread"].set_result(done["thread_id"])
    await user.start("tooluser" if other == "text" else "researcher", "look it up", thread_id=done["thread_id"])
    await user.until("agent_completed")
    await user.socket.send("{ this is no JSON")
    await user.until("error")
    await user.start("tooluser", "please fail")
    await user.until("agent_completed")
    if other == "more":
        await user.start("assistant", "one more thing")
        await asyncio.sleep(0.5)


async def bob(user, shared, other):
    await user.until("connected")
    await user.start("researcher", "first")
    await user.until("agent_completed")
    await user.start("assistant", "not mine", thread_id=await shared["thread"])
    await user.until("error")
    if other != "skip":
        await user.start("assistant", "mine again")
        await user.until("agent_completed")


async def carol(user, shared, other):
    await user.until("connected")
    await user.start("slow", "take your time")
    await user.start("assistant", "and this at once")
    await user.until("agent_completed", "agent_completed")
    await user.say(type="invalid_type")
    await user.until("error")


async def play(name, talk, url, headers, library, shared, other, seen):
    async with library(url, headers) as socket:
        await talk(User(name, socket, seen[name]), shared, other)


async def refused(url, headers, library, seen):
    try:
        async with library(url, headers):
            seen["dave"].append("accepted")
    except Exception as error:  # each library has its own
        seen["dave"].append("401" if "401" in str(error) else str(error))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--library", default="websockets", choices=["websockets", "aiohttp", "h2"])
    parser.add_argument("--key", default=os.environ.get("MISWIRE_JWT_KEY") or "miswire-development-key")
    parser.add_argument("--lifetime", type=int, default=600)
    parser.add_argument("--other", default="")
    given = parser.parse_args()
    if given.library == "h2":
        from h2_websocket import H2 as library
    else:
        library = Websockets if given.library == "websockets" else Aiohttp
    seen = {name: [] for name in ["alice", "bob", "carol", "dave"]}
    shared = {"thread": asyncio.get_running_loop().create_future()}
    token = {name: mint(name, given.key, given.lifetime) for name in seen}
    forged = mint("dave", given.key + "-of-somebody-else", given.lifetime)
    await refused(given.url, {"Authorization": f"Bearer {forged}"}, library, seen)
    await asyncio.gather(
        play("alice", alice, given.url, {"Authorization": f"Bearer {token['alice']}"}, library, shared, given.other, seen),
        play("bob", bob, f"{given.url}?token={token['bob']}", {}, library, shared, given.other, seen),
        play("carol", carol, given.url, {"Cookie": f"token={token['carol']}"}, library, shared, given.other, seen))
    print(json.dumps(seen))


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (asyncio.TimeoutError, OSError, RuntimeError, EOFError) as error:
        print(f"chat_users: {type(error).__name__} {error}", file=sys.stderr)
        sys.exit(1)
