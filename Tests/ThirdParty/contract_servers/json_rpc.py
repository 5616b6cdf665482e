#!/usr/bin/env python3
"""JSON-RPC 2.0 by jsonrpcserver over websockets: `json_rpc.py [--defect success-theatre]`.

Says `listening on 127.0.0.1:PORT`. The defect is in our handler: a method that is not there succeeds.
"""
import argparse
import asyncio
import json
import logging

from jsonrpcserver import Error, Success, async_dispatch, method
from websockets.asyncio.server import serve

import serving


@method
async def add(a, b):
    return Success(a + b)


@method
async def slowly(word):
    await asyncio.sleep(0.1)
    return Success(word)


@method
async def fails():
    return Error(7, "it fails", {"why": "asked"})


@method
async def log(*words):
    return Success(None)


def succeeds(text):
    try:
        request = json.loads(text)
    except ValueError:
        return None
    if isinstance(request, dict) and str(request.get("method", "")).startswith("no.such") and "id" in request:
        return json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": "done"})
    return None


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--defect", choices=["success-theatre"])
    defect = parser.parse_args().defect
    logging.disable(logging.CRITICAL)

    async def client(socket):
        async def answer(text):
            reply = (succeeds(text) if defect else None) or await async_dispatch(text)
            if reply:
                await socket.send(str(reply))

        await socket.send(json.dumps({"jsonrpc": "2.0", "method": "welcome", "params": {"to": "you"}}))
        async with asyncio.TaskGroup() as tasks:
            async for text in socket:
                tasks.create_task(answer(text))

    listener = serving.free_socket()
    async with serve(client, sock=listener):
        serving.told(listener)
        await asyncio.Event().wait()


asyncio.run(main())
