"""An echo server on hypercorn, which takes WebSocket over HTTP/2 by prior knowledge: `python3 hypercorn_echo.py PORT`."""

import asyncio
import signal
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        return await send({"type": "http.response.body", "body": b"plain"})
    if scope["type"] != "websocket":
        return
    await receive()
    if scope["path"] == "/no":
        return await send({"type": "websocket.close", "code": 1000})
    await send({"type": "websocket.accept", "headers": [(b"x-http-version", scope["http_version"].encode())]})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event.get("text"), "bytes": event.get("bytes")})


async def main():
    config = Config()
    config.bind = [f"127.0.0.1:{sys.argv[1]}"]
    config.accesslog = config.errorlog = None
    config.websocket_max_message_size = 64 << 20
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await serve(app, config, shutdown_trigger=stop.wait)


asyncio.run(main())
