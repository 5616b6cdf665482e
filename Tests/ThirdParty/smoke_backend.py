#!/usr/bin/env python3
"""Talks to an agent-chat server with the `websockets` library: a client that shares no code with Miswire.

    python3 smoke_backend.py ws://127.0.0.1:PORT/ws [--key SECRET] [--late]

Exit 0 when every check holds; the first that does not is named on stderr, exit 1. `--late` also tries /ws/late.
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

import websockets
from websockets.asyncio.client import connect

RUN_EVENTS = {
    "agent_started", "agent_thinking", "tool_executing", "tool_completed", "partial_result", "final_report",
    "agent_completed",
}
PROBES = [
    ({"type": "connection_test", "action": "force_disconnect"}, "connection_error"),
    ({"type": "invalid_type"}, "message_processing_error"),
    ({"type": "agent_started", "agent_name": "non_existent_agent"}, "agent_execution_error"),
    ({"type": "tool_executing", "tool_name": "invalid_tool"}, "tool_execution_error"),
    ({"type": "agent_started"}, "authentication_error"),
]


def check(holds, what):
    if not holds:
        raise SystemExit(f"smoke_backend: {what}")


def mint(user, key, alg="HS256", lifetime=600):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    signed = part(json.dumps({"alg": alg}).encode()) + "." + part(
        json.dumps({"sub": user, "exp": int(time.time()) + lifetime}).encode())
    return signed + "." + part(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())


async def receive(socket, within=2.0):
    return json.loads(await asyncio.wait_for(socket.recv(), within))


async def run(socket, user, agent, message, number):
    """Starts one run and returns its events, having checked ids, pairing and the end."""
    names = {"agent_name": agent, "user_id": user, "request_id": f"q{number}"}
    await socket.send(json.dumps({"type": "agent_started", "message": message, **names}))
    events, calls = [], set()
    while not events or events[-1]["type"] != "agent_completed":
        event = await receive(socket)
        check(event["type"] in RUN_EVENTS, f"{event} in a run")
        check(event["user_id"] == user and event["request_id"] == f"q{number}", f"ids of {event}")
        if event["type"] == "tool_executing":
            calls.add(event["tool_call_id"])
        if event["type"] == "tool_completed":
            check(event["tool_call_id"] in calls, f"{event} ends no call")
            calls.remove(event["tool_call_id"])
        events.append(event)
    check(events[0]["type"] == "agent_started", "a run begins with agent_started")
    check(not calls, "a call is left open")
    check(len({(event["thread_id"], event["run_id"]) for event in events}) == 1, "ids of a run change")
    check(message in json.dumps(events[-1]), "the answer repeats the message")
    return events


async def talk(url, key):
    token = mint("smoke", key)
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(url, additional_headers=headers, subprotocols=["agent-chat"]) as socket:
        greeting = await receive(socket)
        check(greeting["type"] == "connected" and greeting["user_id"] == "smoke", f"greeting {greeting}")
        check(socket.subprotocol == "agent-chat", "the subprotocol is taken")
        for number, agent in enumerate(["assistant", "researcher", "tooluser", "slow"]):
            await run(socket, "smoke", agent, f"say smoke-{number}, do not fail", number)
        for probe, kind in PROBES:
            await socket.send(json.dumps({**probe, "request_id": kind}))
            error = await receive(socket, 1.0)
            check(error["type"] == "error" and error["error"] == kind, f"{error} for {probe}")
            check(error["message"] and isinstance(error["timestamp"], (int, float)), f"shape of {error}")
            check(error["request_id"] == kind and error["user_id"] == "smoke", f"context of {error}")
        # Fragments, with a ping between them, and text beyond ASCII.
        pong = await socket.ping()
        await socket.send(iter(['{"type":"agent_started","user_id":"smoke",', '"message":"grüße 🌍"}']))
        await asyncio.wait_for(pong, 2)
        text = ""
        while "agent_completed" not in text:
            text = await asyncio.wait_for(socket.recv(), 2)
        check("grüße 🌍" in json.loads(text).get("result", json.loads(text).get("final_response", "")), "text kept")
    check(socket.close_code == 1000, f"close code {socket.close_code}")


async def refused(url, key):
    forged = [mint("smoke", key + "x"), mint("smoke", key, lifetime=-5), mint("smoke", key, alg="none")]
    for token in [None, "nonsense", *forged]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with connect(url, additional_headers=headers):
                check(False, f"token {token} is accepted")
        except websockets.InvalidStatus as error:
            check(error.response.status_code == 401, f"status {error.response.status_code}")


async def limits(url, key):
    async with connect(f"{url}?token={mint('smoke', key)}") as socket:
        await receive(socket)
        await socket.send("x" * ((1 << 20) + 1))
        try:
            await receive(socket)
            check(False, "a message over 1 MiB is answered")
        except websockets.ConnectionClosed:
            check(socket.close_code == 1009, f"close code {socket.close_code} for a message over 1 MiB")


async def late(url, key):
    async with connect(f"{url}/late") as socket:
        await socket.send(json.dumps({"type": "auth", "token": mint("smoke", key)}))
        check((await receive(socket))["type"] == "connected", "a late credential is greeted")
    for first in [None, {"type": "auth", "token": "bad"}]:
        async with connect(f"{url}/late") as socket:
            if first:
                await socket.send(json.dumps(first))
            try:
                await receive(socket, 2.0)
                check(False, "something is said without a credential")
            except websockets.ConnectionClosed:
                check(socket.close_code == 4401, f"close code {socket.close_code}")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--key", default=os.environ.get("MISWIRE_JWT_KEY", "miswire-development-key"))
    parser.add_argument("--late", action="store_true")
    options = parser.parse_args()
    await talk(options.url, options.key)
    await refused(options.url, options.key)
    await limits(options.url, options.key)
    if options.late:
        await late(options.url, options.key)
    print("smoke_backend: every check holds")


if __name__ == "__main__":
    asyncio.run(main())
