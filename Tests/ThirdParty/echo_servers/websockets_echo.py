#!/usr/bin/env python3
"""Echo on the current `websockets`, as its manual writes it.   websockets_echo.py PORT"""
import asyncio
import sys

from websockets.asyncio.server import serve


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    async with serve(echo, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()


asyncio.run(main())
