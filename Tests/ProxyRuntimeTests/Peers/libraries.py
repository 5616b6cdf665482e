"""Third-party WebSocket peers behind one shape: `websockets` (asyncio, sync, legacy) and aiohttp, clients and servers.

A server echoes, save for texts that ask for more: `close CODE` (CODE may be `none`), `fragments`, `ping`.
`deflate` is one of "off", "takeover", "fresh" (no context takeover on either side).
"""
import asyncio
import logging
import threading
import warnings

import aiohttp
import aiohttp.web
import websockets.asyncio.client
import websockets.asyncio.server
import websockets.exceptions
import websockets.sync.client
import websockets.sync.server
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        import websockets.legacy.client
        import websockets.legacy.server
    except ImportError:
        websockets.legacy = None

# A close code that a case asked for, or a broken frame is an error to a library's log only.
for library in ("websockets", "aiohttp", "asyncio"):
    logging.getLogger(library).setLevel(logging.CRITICAL)
GONE = websockets.exceptions.ConnectionClosed


def asked_code(text):
    return None if text == "close none" else int(text[6:])


def compression(deflate, factory):
    if deflate != "fresh":
        return {"compression": "deflate" if deflate == "takeover" else None}
    return {"compression": None, "extensions": [
        factory(server_no_context_takeover=True, client_no_context_takeover=True)]}


def reason(code):
    return "" if code is None else "as asked"


# Servers: each function starts one and returns its port and what stops it.


async def echo(socket):
    async for message in socket:
        if isinstance(message, str) and message.startswith("close "):
            code = asked_code(message)
            return await socket.close(code, reason(code))
        if message == "fragments":
            await socket.send(["one ", "two ", "three"])
        elif message == "ping":
            await (await socket.ping(b"server"))
            await socket.send("pinged")
        else:
            await socket.send(message)


async def asyncio_server(deflate):
    server = await websockets.asyncio.server.serve(
        echo, "127.0.0.1", 0, max_size=None, subprotocols=["chat"],
        **compression(deflate, ServerPerMessageDeflateFactory))
    return server.sockets[0].getsockname()[1], server.close


async def legacy_server(deflate):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        server = await websockets.legacy.server.serve(
            echo, "127.0.0.1", 0, max_size=None, subprotocols=["chat"],
            **compression(deflate, ServerPerMessageDeflateFactory))
    return server.sockets[0].getsockname()[1], server.close


def echo_in_thread(socket):
    for message in socket:
        if isinstance(message, str) and message.startswith("close "):
            code = asked_code(message)
            return socket.close(code, reason(code))
        if message == "fragments":
            socket.send(["one ", "two ", "three"])
        elif message == "ping":
            socket.ping(b"server").wait(10)
            socket.send("pinged")
        else:
            socket.send(message)


async def sync_server(deflate):
    server = websockets.sync.server.serve(
        echo_in_thread, "127.0.0.1", 0, max_size=None, subprotocols=["chat"],
        **compression(deflate, ServerPerMessageDeflateFactory))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.socket.getsockname()[1], server.shutdown


async def aiohttp_echo(socket):
    async for message in socket:
        if message.type == aiohttp.WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        elif message.type != aiohttp.WSMsgType.TEXT:
            break
        elif message.data.startswith("close "):
            await socket.close(code=int(message.data[6:]), message=b"as asked")
        elif message.data == "ping":
            await socket.ping(b"server")
            await socket.send_str("pinged")
        else:
            await socket.send_str(message.data)


async def aiohttp_server(deflate):
    async def serve(request):
        socket = aiohttp.web.WebSocketResponse(max_msg_size=0, compress=deflate != "off", protocols=["chat"])
        await socket.prepare(request)
        await aiohttp_echo(socket)
        return socket

    async def upload(request):
        return aiohttp.web.Response(text=f"{request.method} of {len(await request.read())} bytes")

    async def stream(request):
        response = aiohttp.web.StreamResponse()
        await response.prepare(request)
        for number in range(20):
            await response.write(b"%d " % number * 500)
        await response.write_eof()
        return response

    application = aiohttp.web.Application(client_max_size=1 << 24)
    application.router.add_post("/plain", upload)
    application.router.add_get("/stream", stream)
    application.router.add_get("/ws", serve)
    runner = aiohttp.web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner.addresses[0][1], lambda: None


SERVERS = {"websockets": asyncio_server, "websockets sync": sync_server, "aiohttp": aiohttp_server}
if websockets.legacy:
    SERVERS["websockets legacy"] = legacy_server


# Clients


class Client:
    async def ask(self, message):
        await self.tell(message)
        return await self.hear()

    async def ask_close(self, message):
        await self.tell(message)
        return await self.hear_close()


class AsyncioClient(Client):
    fragments = codeless = True

    async def open(self, port, deflate, headers=None, protocols=("chat",)):
        self.socket = await websockets.asyncio.client.connect(
            f"ws://127.0.0.1:{port}/ws?a=%41", max_size=None, subprotocols=protocols, proxy=None,
            additional_headers=headers, **compression(deflate, ClientPerMessageDeflateFactory))

    async def hear(self):
        return await self.socket.recv()

    async def tell(self, message):
        await self.socket.send(message)

    async def ping(self):
        await (await self.socket.ping(b"client"))

    async def hear_close(self):
        try:
            return f"{await self.socket.recv()} instead of a close"
        except GONE as gone:
            return gone.rcvd.code if gone.rcvd else None

    async def close(self, code):
        await self.socket.close(code, reason(code))


class LegacyClient(AsyncioClient):
    codeless = False

    async def open(self, port, deflate, headers=None, protocols=("chat",)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.socket = await websockets.legacy.client.connect(
                f"ws://127.0.0.1:{port}/ws?a=%41", max_size=None, subprotocols=list(protocols),
                extra_headers=headers, **compression(deflate, ClientPerMessageDeflateFactory))


class SyncClient(Client):
    fragments = codeless = True

    async def open(self, port, deflate, headers=None, protocols=("chat",)):
        self.socket = await asyncio.to_thread(
            websockets.sync.client.connect, f"ws://127.0.0.1:{port}/ws?a=%41", max_size=None, subprotocols=protocols,
            proxy=None, additional_headers=headers, **compression(deflate, ClientPerMessageDeflateFactory))

    async def hear(self):
        return await asyncio.to_thread(self.socket.recv, 20)

    async def tell(self, message):
        await asyncio.to_thread(self.socket.send, message)

    async def ping(self):
        assert await asyncio.to_thread(self.socket.ping(b"client").wait, 20), "no pong"

    async def hear_close(self):
        try:
            return f"{await self.hear()} instead of a close"
        except GONE as gone:
            return gone.rcvd.code if gone.rcvd else None

    async def close(self, code):
        await asyncio.to_thread(self.socket.close, code, reason(code))


class AiohttpClient(Client):
    fragments = codeless = False

    async def open(self, port, deflate, headers=None, protocols=("chat",)):
        self.session = aiohttp.ClientSession()
        self.socket = await self.session.ws_connect(
            f"http://127.0.0.1:{port}/ws?a=%41", max_msg_size=0, compress=0 if deflate == "off" else 15,
            protocols=protocols, headers=headers)

    async def hear(self):
        return (await self.socket.receive()).data

    async def tell(self, message):
        await (self.socket.send_bytes if isinstance(message, bytes) else self.socket.send_str)(message)

    async def ping(self):
        await self.socket.ping(b"client")

    async def hear_close(self):
        message = await self.socket.receive()
        await self.session.close()
        return message.data if message.type == aiohttp.WSMsgType.CLOSE else self.socket.close_code

    async def close(self, code):
        await self.socket.close(code=code, message=b"as asked")
        await self.session.close()


CLIENTS = {"websockets": AsyncioClient, "websockets sync": SyncClient, "aiohttp": AiohttpClient}
if websockets.legacy:
    CLIENTS["websockets legacy"] = LegacyClient
