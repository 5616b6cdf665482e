#!/usr/bin/env python3
"""Makes the captures of corpus/captures anew: real programs talk on 127.0.0.1 while tcpdump, Chromium or mitmproxy
listens, and `miswire backend --log-messages` writes down what was really said.

    python3 make_captures.py MISWIRE [--out ../../corpus/captures] [NAME...]

Needs root for tcpdump on `lo`; `websockets` (requirements.txt); openssl; `editcap` for pcapng-secrets, `chromium` for
har-chromium, `mitmdump` 11 for flow-mitmproxy (--mitmdump PATH). Everything is made in a temporary directory and moved
into place when it is whole and small.
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import time

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

KEY = "miswire-development-key"
LARGEST = 60 << 10


def mint(user):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    # A short life: what lies in the corpus is no credential any more.
    claims = {"sub": user, "exp": int(time.time()) + 120}
    signed = part(json.dumps({"alg": "HS256"}).encode()) + "." + part(json.dumps(claims).encode())
    return signed + "." + part(hmac.new(KEY.encode(), signed.encode(), hashlib.sha256).digest())


async def until(predicate, what, seconds=20):
    for _ in range(int(seconds * 50)):
        if found := predicate():
            return found
        await asyncio.sleep(0.02)
    raise SystemExit(f"make_captures: {what} did not come within {seconds} s")


class Process:
    """One that we started, with its output in a file."""

    def __init__(self, command, log, **more):
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **more)

    def said(self, pattern):
        with open(self.log, errors="replace") as file:
            found = re.search(pattern, file.read())
        if not found and self.process.poll() is not None:
            raise SystemExit(f"make_captures: ended early: {open(self.log, errors='replace').read()}")
        return found

    async def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        await until(lambda: self.process.poll() is not None, "the end of a process")


class Stage:
    """A folder, a backend with its own log, and whatever stands before it."""

    def __init__(self, miswire, folder):
        self.miswire, self.folder = miswire, folder
        self.stack = contextlib.AsyncExitStack()

    def path(self, name):
        return os.path.join(self.folder, name)

    async def __aenter__(self):
        work = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.work = work
        environment = {key: value for key, value in os.environ.items() if key != "MISWIRE_JWT_KEY"}
        backend = Process(
            [self.miswire, "backend", "--port", "0", "--log-messages", self.path("truth.ndjson")],
            os.path.join(work, "backend"), env=environment)
        self.stack.push_async_callback(backend.stop)
        self.backend = int((await until(lambda: backend.said(r"127\.0\.0\.1:(\d+)"), "the backend")).group(1))
        return self

    async def __aexit__(self, *error):
        await self.stack.aclose()

    async def sniff(self, port, name):
        """tcpdump from here until `stop_sniffing`."""
        self.dump = Process(
            ["tcpdump", "-i", "lo", "-U", "-s", "0", "-Z", "root", "-w", self.path(name), f"tcp port {port}"],
            os.path.join(self.work, "tcpdump"))
        self.stack.push_async_callback(self.dump.stop)
        await until(lambda: self.dump.said("listening on"), "tcpdump")
        await asyncio.sleep(0.3)

    async def stop_sniffing(self):
        await asyncio.sleep(1.0)
        await self.dump.stop(signal.SIGINT)
        if not re.search(r"\b0 packets dropped by kernel", open(self.dump.log).read()):
            raise SystemExit("make_captures: tcpdump lost packets")

    async def relay(self, context):
        """TLS in front of the backend; its port."""

        async def pump(reader, writer):
            with contextlib.suppress(OSError):
                while data := await reader.read(1 << 16):
                    writer.write(data)
                    await writer.drain()
            with contextlib.suppress(OSError):
                writer.close()

        async def accept(reader, writer):
            inner = await asyncio.open_connection("127.0.0.1", self.backend)
            await asyncio.gather(pump(reader, inner[1]), pump(inner[0], writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
        self.stack.callback(server.close)
        return server.sockets[0].getsockname()[1]

    async def deflating(self):
        """permessage-deflate in front of the backend, which speaks none; its port."""

        async def pump(source, target):
            with contextlib.suppress(websockets.ConnectionClosed):
                async for message in source:
                    await target.send(message)
            await target.close(source.close_code or 1000)

        async def accept(socket):
            headers = {"Authorization": socket.request.headers["Authorization"]}
            uri = f"ws://127.0.0.1:{self.backend}/ws"
            async with connect(uri, additional_headers=headers, compression=None) as inner:
                await asyncio.gather(pump(socket, inner), pump(inner, socket))

        server = await serve(accept, "127.0.0.1", 0, compression="deflate")
        self.stack.callback(server.close)
        return next(iter(server.sockets)).getsockname()[1]


async def fragments(socket, *pieces):
    """One message in as many frames. `send` of an iterable ends with an empty one, which Wireshark does not join."""
    for number, piece in enumerate(pieces):
        async with socket.send_context():
            say = socket.protocol.send_continuation if number else socket.protocol.send_text
            say(piece, fin=number == len(pieces) - 1)


async def talk(uri, user, number=0, compression=None, is_cut=True, **more):
    """One user: two runs, a message in fragments, an error, a ping."""
    async with connect(
            uri, additional_headers={"Authorization": f"Bearer {mint(user)}"}, compression=compression, **more) as socket:

        async def listen(last):
            while json.loads(await asyncio.wait_for(socket.recv(), 20))["type"] != last:
                pass

        def request(message, **fields):
            return json.dumps({"type": "agent_started", "user_id": user, "message": message, **fields}, ensure_ascii=False)

        await listen("connected")
        await asyncio.sleep(0.05 * number)
        await socket.send(request(f"Grüße von {user} 👋", request_id=f"{user}-1"))
        await listen("agent_completed")
        long = request(f"{user} " + "says it again, " * 70, request_id=f"{user}-2", agent_name="researcher")
        pieces = [long.encode()[:300], long.encode()[300:700], long.encode()[700:]]
        await fragments(socket, *(pieces if is_cut else [long.encode()]))
        await listen("agent_completed")
        await (await socket.ping(b"still there"))
        await socket.send('{"type": "agent_started", "agent_name": "non_existent_agent"}')
        await listen("error")


async def crowd(uri, users, **more):
    await asyncio.gather(*(talk(uri, user, number, **more) for number, user in enumerate(users)))


def certificate(work):
    chain, key = os.path.join(work, "c.pem"), os.path.join(work, "c.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", chain, "-days", "2",
         "-subj", "/CN=chat.example", "-addext", "subjectAltName=DNS:chat.example,IP:127.0.0.1"],
        check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    server.set_ciphers("ALL:@SECLEVEL=1")
    return server, chain


def client_context(chain, keys, version, suites=None):
    context = ssl.create_default_context(cafile=chain)
    context.minimum_version = context.maximum_version = version
    if suites:
        context.set_ciphers(suites + ":@SECLEVEL=1")
    context.keylog_filename = keys
    return context


async def plain(stage):
    await stage.sniff(stage.backend, "capture.pcap")
    await crowd(f"ws://127.0.0.1:{stage.backend}/ws", ["alice", "bob", "carol"])
    await stage.stop_sniffing()


async def over_tls(stage, rows):
    server, chain = certificate(stage.work)
    port = await stage.relay(server)
    await stage.sniff(port, "capture.pcap")
    uri = f"wss://127.0.0.1:{port}/ws"
    await asyncio.gather(*(
        talk(uri, user, number, ssl=client_context(chain, stage.path("keys.log"), *row), server_hostname="chat.example")
        for number, (user, *row) in enumerate(rows)))
    await stage.stop_sniffing()


async def tls12(stage):
    version = ssl.TLSVersion.TLSv1_2
    await over_tls(stage, [
        ("alice", version, "ECDHE-RSA-AES128-GCM-SHA256"), ("bob", version, "AES256-SHA"),
        ("carol", version, "ECDHE-RSA-CHACHA20-POLY1305")])


async def tls13(stage):
    version = ssl.TLSVersion.TLSv1_3
    await over_tls(stage, [("alice", version), ("bob", version)])


async def deflate(stage, is_cut=False):
    port = await stage.deflating()
    await stage.sniff(port, "capture.pcap")
    await crowd(f"ws://127.0.0.1:{port}/ws", ["alice", "bob"], compression="deflate", is_cut=is_cut)
    await stage.stop_sniffing()


async def deflate_fragments(stage):
    await deflate(stage, is_cut=True)


def shuffled(source, target):
    """The same packets as a disordered path would bring them: late by one or three places, and some of them twice."""
    with open(source, "rb") as file:
        data = file.read()
    head, at, packets = data[:24], 24, []
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        packets.append((data[at:at + 8], data[at + 8:at + 16], data[at + 16:at + 16 + length]))
        at += 16 + length
    order = []
    for index, (_, sizes, content) in enumerate(packets):
        size = len(content) - 14 - 20 - (content[14 + 20 + 12] >> 4) * 4
        late = (1.5 if index % 3 == 0 else 3.5 if index % 7 == 0 else 0) if size > 0 else 0
        order.append((index + late, index, sizes, content))
        if size > 0 and index % 5 == 0:
            order.append((index + 4.6, index, sizes, content))
    order.sort(key=lambda row: row[0])
    # Times stay in order, as a card that hears a disordered path would stamp them.
    stamps = sorted([packets[row[1]][0] for row in order], key=lambda stamp: struct.unpack("<II", stamp))
    with open(target, "wb") as file:
        file.write(head + b"".join(stamp + row[2] + row[3] for stamp, row in zip(stamps, order)))


async def out_of_order(stage):
    await plain(stage)
    os.rename(stage.path("capture.pcap"), os.path.join(stage.work, "ordered.pcap"))
    shuffled(os.path.join(stage.work, "ordered.pcap"), stage.path("capture.pcap"))


async def pcapng_secrets(stage):
    await tls13(stage)
    subprocess.run(
        ["editcap", "--inject-secrets", "tls," + stage.path("keys.log"), "-F", "pcapng", stage.path("capture.pcap"),
         stage.path("capture.pcapng")], check=True)
    os.remove(stage.path("capture.pcap"))
    os.remove(stage.path("keys.log"))


async def flow_mitmproxy(stage):
    proxy = Process(
        [stage.mitmdump, "--set", f"confdir={stage.work}", "--mode", f"reverse:http://127.0.0.1:{stage.backend}",
         "--listen-host", "127.0.0.1", "-p", "0", "-w", stage.path("dump.flow")], os.path.join(stage.work, "mitmdump"))
    stage.stack.push_async_callback(proxy.stop)
    port = (await until(lambda: proxy.said(r"listening at [^\n]*?127\.0\.0\.1:(\d+)"), "mitmdump", 60)).group(1)
    await crowd(f"ws://127.0.0.1:{port}/ws", ["alice", "bob"])
    await asyncio.sleep(1)
    await proxy.stop(signal.SIGINT)


class Browser:
    """Chromium through its DevTools protocol; the events of one page."""

    def __init__(self, socket):
        self.socket, self.number, self.answers, self.events = socket, 0, {}, []
        self.reading = asyncio.ensure_future(self.read())

    async def read(self):
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                self.answers.pop(message["id"]).set_result(message)
            else:
                self.events.append(message)

    async def call(self, method, session=None, **parameters):
        self.number += 1
        self.answers[self.number] = asyncio.get_running_loop().create_future()
        message = {"id": self.number, "method": method, "params": parameters}
        await self.socket.send(json.dumps({**message, **({"sessionId": session} if session else {})}))
        answer = await asyncio.wait_for(self.answers[self.number], 20)
        if "error" in answer:
            raise SystemExit(f"make_captures: {method}: {answer['error']}")
        return answer["result"]


def named(fields):
    return [{"name": name, "value": value} for name, value in fields.items()]


def har(events, version):
    """The rows that DevTools' own export would write (front_end/models/har/Log.ts), from the events it is made of."""
    entries = {}
    for event in events:
        name, value = event["method"], event.get("params", {})
        entry = entries.setdefault(value.get("requestId"), {"messages": []})
        if name == "Network.webSocketCreated":
            entry["url"] = value["url"]
        elif name == "Network.webSocketWillSendHandshakeRequest":
            entry.update(request=value["request"]["headers"], wall=value["wallTime"], begun=value["timestamp"])
        elif name == "Network.webSocketHandshakeResponseReceived":
            entry.update(response=value["response"], answered=value["timestamp"])
        elif name in ("Network.webSocketFrameSent", "Network.webSocketFrameReceived"):
            frame = value["response"]
            entry["messages"].append({
                "type": "send" if name.endswith("Sent") else "receive",
                "time": entry["wall"] + value["timestamp"] - entry["begun"],
                "opcode": frame["opcode"], "data": frame["payloadData"]})
    rows = []
    for entry in entries.values():
        if "response" not in entry:
            continue
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(entry["wall"])) + f".{int(entry['wall'] % 1 * 1000):03d}Z"
        url, _, query = entry["url"].partition("?")
        pairs = dict(pair.split("=", 1) for pair in query.split("&") if pair)
        took = (entry["answered"] - entry["begun"]) * 1000
        rows.append({
            "_initiator": {"type": "script"}, "_priority": "High", "_resourceType": "websocket",
            "_webSocketMessages": entry["messages"], "cache": {},
            "request": {
                "method": "GET", "url": entry["url"], "httpVersion": "HTTP/1.1", "headers": named(entry["request"]),
                "queryString": named(pairs), "cookies": [], "headersSize": -1, "bodySize": 0},
            "response": {
                "status": entry["response"]["status"], "statusText": entry["response"]["statusText"],
                "httpVersion": "HTTP/1.1", "headers": named(entry["response"]["headers"]), "cookies": [],
                "content": {"size": 0, "mimeType": "x-unknown"}, "redirectURL": "", "headersSize": -1, "bodySize": -1,
                "_transferSize": 0, "_error": None},
            "serverIPAddress": "", "startedDateTime": moment, "time": took,
            "timings": {"blocked": -1, "dns": -1, "ssl": -1, "connect": -1, "send": 0, "wait": took, "receive": 0}})
    creator = {"name": "WebInspector", "version": "537.36", "comment": version}
    return {"log": {"version": "1.2", "creator": creator, "pages": [], "entries": rows}}


PAGE = """
(uri, user) => new Promise((resolve, reject) => {
  const socket = new WebSocket(uri)
  let completed = 0
  const start = (message) => socket.send(JSON.stringify({type: 'agent_started', user_id: user, message}))
  socket.onerror = () => reject(new Error('no connection'))
  socket.onmessage = (event) => {
    const type = JSON.parse(event.data).type
    if (type === 'connected') start('Grüße von ' + user + ' 👋')
    if (type === 'agent_completed' && ++completed === 1) {
      socket.send(new Uint8Array([0, 1, 2, 253, 254, 255]))
      start('says it again, '.repeat(70))
    } else if (type === 'agent_completed') socket.close(1000, 'done')
  }
  socket.onclose = (event) => resolve(event.code)
})
"""


async def har_chromium(stage):
    chromium = Process(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--remote-debugging-port=0", f"--user-data-dir={stage.work}/profile", "about:blank"],
        os.path.join(stage.work, "chromium"))
    stage.stack.push_async_callback(chromium.stop)
    uri = (await until(lambda: chromium.said(r"DevTools listening on (ws://\S+)"), "Chromium", 60)).group(1)
    async with connect(uri, max_size=1 << 24, compression=None) as socket:
        browser = Browser(socket)
        version = (await browser.call("Browser.getVersion"))["product"]
        target = (await browser.call("Target.createTarget", url="about:blank"))["targetId"]
        session = (await browser.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        await browser.call("Network.enable", session)
        for user in ("alice", "bob"):
            where = f"ws://127.0.0.1:{stage.backend}/ws?token={mint(user)}"
            result = await browser.call(
                "Runtime.evaluate", session, expression=f"({PAGE})({json.dumps(where)}, {json.dumps(user)})",
                awaitPromise=True)
            if result["result"].get("value") != 1000:
                raise SystemExit(f"make_captures: the page said {result}")
        await asyncio.sleep(0.5)
        browser.reading.cancel()
    with open(stage.path("trace.har"), "w") as file:
        json.dump(har([e for e in browser.events if e["method"].startswith("Network.webSocket")], version), file, indent=1)


FORMS = {
    "plain": plain, "tls12": tls12, "tls13": tls13, "deflate": deflate,
    "deflate-fragments": deflate_fragments, "out-of-order": out_of_order,
    "pcapng-secrets": pcapng_secrets, "har-chromium": har_chromium, "flow-mitmproxy": flow_mitmproxy,
}


async def make(name, options):
    with tempfile.TemporaryDirectory() as folder:
        async with Stage(options.miswire, folder) as stage:
            stage.mitmdump = options.mitmdump
            await FORMS[name](stage)
        for file in os.listdir(folder):
            size = os.path.getsize(os.path.join(folder, file))
            if not 0 < size <= LARGEST:
                raise SystemExit(f"make_captures: {name}/{file} has {size} bytes")
        place = os.path.join(options.out, name)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(folder, place)
        os.chmod(place, 0o755)
        for file in os.listdir(place):
            os.chmod(os.path.join(place, file), 0o644)
        print(name, *sorted(f"{file} {os.path.getsize(os.path.join(place, file))}" for file in os.listdir(place)), sep="  ")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("miswire")
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(FORMS))
    parser.add_argument("--out", default=os.path.join(here, "..", "..", "corpus", "captures"))
    parser.add_argument("--mitmdump", default="mitmdump")
    options = parser.parse_intermixed_args()
    options.miswire = os.path.abspath(options.miswire)
    for name in options.names:
        if name not in FORMS:
            sys.exit(f"make_captures: there is no form {name}; there are {' '.join(FORMS)}")
    for name in options.names or FORMS:
        asyncio.run(make(name, options))


if __name__ == "__main__":
    main()
