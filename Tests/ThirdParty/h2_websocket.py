"""WebSocket over HTTP/2 (RFC 8441) with `h2` and `wsproto`: all sockets of a process are streams of one connection."""

import asyncio
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
from h2.settings import SettingCodes
from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode


class Connection:
    shared = None

    @classmethod
    async def to(cls, host, port):
        # Without an await between asking and keeping: whoever comes second waits for the same one.
        if cls.shared is None:
            cls.shared = asyncio.ensure_future(cls.open(host, port))
        return await cls.shared

    @classmethod
    async def open(cls, host, port):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection(host, port)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.streams, self.settled, self.window = {}, asyncio.Event(), asyncio.Event()
        self.h2.initiate_connection()
        self.flush()
        self.task = asyncio.ensure_future(self.read())
        await asyncio.wait_for(self.settled.wait(), 10)
        if not self.h2.remote_settings.get(SettingCodes.ENABLE_CONNECT_PROTOCOL):
            raise RuntimeError("the other side takes no WebSocket over HTTP/2")
        return self

    def flush(self):
        self.writer.write(self.h2.data_to_send())

    async def read(self):
        while data := await self.reader.read(65536):
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.RemoteSettingsChanged):
                    self.settled.set()
                elif isinstance(event, h2.events.WindowUpdated):
                    self.window.set()
                elif isinstance(event, h2.events.DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if (stream := getattr(event, "stream_id", None)) in self.streams:
                    self.streams[stream].put_nowait(event)
            self.flush()
        for queue in self.streams.values():
            queue.put_nowait(None)

    async def send(self, stream, data):
        while data:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room <= 0:
                self.window.clear()
                await asyncio.wait_for(self.window.wait(), 10)
                continue
            self.h2.send_data(stream, data[:room])
            data = data[room:]
            self.flush()
        await self.writer.drain()


class H2:
    def __init__(self, url, headers):
        self.url, self.headers = urlsplit(url), headers
        self.frames = FrameProtocol(client=True, extensions=[])

    async def __aenter__(self):
        self.connection = await Connection.to(self.url.hostname, self.url.port)
        self.stream = self.connection.h2.get_next_available_stream_id()
        self.events = self.connection.streams[self.stream] = asyncio.Queue()
        path = (self.url.path or "/") + (f"?{self.url.query}" if self.url.query else "")
        fields = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", path),
                  (":authority", self.url.netloc), ("sec-websocket-version", "13")]
        self.connection.h2.send_headers(self.stream, fields + [(name.lower(), value) for name, value in self.headers.items()])
        self.connection.flush()
        while not isinstance(event := await asyncio.wait_for(self.events.get(), 10), h2.events.ResponseReceived):
            if event is None or isinstance(event, h2.events.StreamReset):
                raise RuntimeError(f"no answer: {event}")
        status = dict(event.headers)[":status"]
        if status != "200":
            raise RuntimeError(f"refused with {status}")
        self.inbox = self.messages()
        return self

    async def messages(self):
        parts, opcode = [], None
        while True:
            event = await self.events.get()
            if event is None or isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                raise EOFError(f"stream {self.stream} ended: {event}")
            if not isinstance(event, h2.events.DataReceived):
                continue
            self.frames.receive_bytes(event.data)
            for frame in self.frames.received_frames():
                if frame.opcode is Opcode.PING:
                    await self.connection.send(self.stream, self.frames.pong(frame.payload))
                elif frame.opcode is Opcode.CLOSE:
                    raise EOFError(f"closed: {frame.payload}")
                elif frame.opcode is not Opcode.PONG:
                    parts.append(frame.payload)
                    if frame.message_finished:
                        yield "".join(parts) if isinstance(parts[0], str) else b"".join(map(bytes, parts))
                        parts = []

    async def send(self, message):
        await self.connection.send(self.stream, self.frames.send_data(message, fin=True))

    async def receive(self):
        return await self.inbox.__anext__()

    async def __aexit__(self, *_):
        try:
            await self.connection.send(self.stream, self.frames.close(CloseReason.NORMAL_CLOSURE))
            while True:
                await asyncio.wait_for(self.inbox.__anext__(), 5)
        except (EOFError, StopAsyncIteration, asyncio.TimeoutError):
            pass
        try:
            self.connection.h2.end_stream(self.stream)
        except h2.exceptions.StreamClosedError:
            pass  # whoever was told to close has done so already
        self.connection.flush()
