"""One way for all servers here to listen on a free port of the loopback, and to say which."""
import asyncio
import socket

from aiohttp import web


def free_socket():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener


def told(listener):
    print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)


def run(app):
    """An aiohttp application."""
    async def serve():
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        listener = free_socket()
        await web.SockSite(runner, listener).start()
        told(listener)
        await asyncio.Event().wait()

    asyncio.run(serve())
