#!/usr/bin/env python3
"""Socket.IO by python-socketio on aiohttp: `socket_io.py [--defect acks-twice]`.

Says `listening on 127.0.0.1:PORT`. The defect is in our handler: an acknowledgement that comes twice.
"""
import argparse

import socketio
from aiohttp import web
from socketio import packet

import serving


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--defect", choices=["acks-twice"])
    defect = parser.parse_args().defect
    server = socketio.AsyncServer(async_mode="aiohttp", ping_interval=1, ping_timeout=5)

    @server.event
    async def connect(sid, environ, auth):
        if auth and auth.get("token") == "nobody":
            raise socketio.exceptions.ConnectionRefusedError("not you")

    @server.event
    async def add(sid, a, b):
        return a + b

    @server.event
    async def raw(sid):
        return b"\x01\x02\x03"

    @server.event
    async def log(sid, words):
        await server.emit("news", {"said": words}, to=sid)

    @server.event
    async def ask_me(sid):
        await server.emit("question", "well?", to=sid, callback=lambda *_: None)
        await server.emit("bytes", b"\x00\xff", to=sid)

    @server.on("who", namespace="/admin")
    async def who(sid):
        return "admin"

    @server.on("connect", namespace="/admin")
    async def admin(sid, environ, auth):
        pass

    if defect:
        send = server._send_packet

        async def send_twice(eio_sid, outgoing):
            await send(eio_sid, outgoing)
            if outgoing.packet_type == packet.ACK:
                await send(eio_sid, outgoing)

        server._send_packet = send_twice
    app = web.Application()
    server.attach(app)
    serving.run(app)


main()
