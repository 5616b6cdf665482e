#!/usr/bin/env python3
"""A compressed message that a fault rewrote decodes at real peers, and so does every later one, whatever context they keep.

    deflate-peers.py MISWIRE [--chromium] [--seconds 55]

Servers of `websockets` (all four choices of context takeover) and aiohttp, each behind a proxy whose profile has a rule for
every kind that rewrites a message and leaves it legal, one path a kind; clients of `websockets` (three offers) and aiohttp,
and with --chromium the browser, talk to each. In both directions a message in the middle is rewritten. What each side
decoded is compared with what the other one sent, text for text, opcode for opcode.
"""
import argparse
import asyncio
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/ProxyRuntimeTests/Peers"))
import common  # noqa: E402
from aiohttp import ClientSession, WSMsgType, web  # noqa: E402
from websockets.asyncio.client import connect  # noqa: E402
from websockets.asyncio.server import serve  # noqa: E402
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory  # noqa: E402

# The message of its direction that is rewritten, and how many there are besides the last one, which asks for a report.
UP, DOWN, COUNT = 3, 4, 9
LATIN = "lorem ipsum dolor sit amet consectetur "


def text(who, number):
    """Mostly what was said before, so that a context that differs by one byte shows."""
    return json.dumps({
        "from": who, "number": number, "drop": f"d{number}", "a_id": f"{who}-a{number}", "b_id": f"{who}-b{number}",
        "text": LATIN * 6 + f"needle {number} é€😀"}, ensure_ascii=False)


def at(change):
    """The message in the middle goes as these."""
    return lambda said, place: said[:place] + change(said, place) + said[place + 1 :]


def without(member):
    def change(said, place):
        value = json.loads(said[place])
        del value[member]
        return [value]
    return change


def swapped(said, place):
    value = json.loads(said[place])
    value["a_id"], value["b_id"] = value["b_id"], value["a_id"]
    return [value]


# Kind, settings, what the far side decodes of the messages said. A value that is no text is compared as JSON.
KINDS = [
    ("replace", "payload: in its place", at(lambda said, place: ["in its place"])),
    ("json-mutate", "op: [missing], field: [drop]", at(without("drop"))),
    ("regex-replace", "pattern: needle, with: thread", at(lambda said, place: [said[place].replace("needle", "thread")])),
    ("corrupt-id", "how: swap, field: [a_id, b_id]", at(swapped)),
    ("truncate", "size: 20B", at(lambda said, place: [said[place][:20]])),
    ("oversize", "size: 8KiB, with: letter", at(lambda said, place: [said[place] + "x" * (8192 - len(said[place].encode()))])),
    ("retype", "as: binary", at(lambda said, place: [said[place].encode()])),
    ("drop", "", at(lambda said, place: [])),
    ("duplicate", "copies: 2", at(lambda said, place: [said[place]] * 3)),
    ("reorder", "window: 1", lambda said, place: said[:place] + [said[place + 1], said[place]] + said[place + 2 :]),
    ("replay-stale", "back: 1", at(lambda said, place: [said[place], said[place - 1]])),
    ("inject", "payload: ours", at(lambda said, place: [said[place], "ours"])),
    ("delay", "delay: 20ms", at(lambda said, place: [said[place]])),
    ("fragment", "how: size, size: 5B", at(lambda said, place: [said[place]])),
    ("interleave", "what: pong", at(lambda said, place: [said[place]])),
    ("control", "how: unsolicited-pong", at(lambda said, place: [said[place]])),
]


def profile():
    rules = []
    for kind, settings, _ in KINDS:
        for to, number in (("server", UP), ("client", DOWN)):
            more = f"    {settings.replace(', ', chr(10) + '    ')}\n" if settings and "[" not in settings else ""
            if "[" in settings:
                more = "".join(f"    {part}\n" for part in re.split(r", (?=\w+:)", settings))
            rules.append(
                f"  - id: {kind}-{to}\n    fault: {kind}\n{more}"
                f"    when: {{ path: /{kind}, to: {to}, message: nth {number} }}\n")
    return "miswire: 1\nname: rewritten\nabout: Rewrites one compressed message each way.\nseed: 5\nfaults:\n" + "".join(rules)


def sane(said):
    return [value.hex() if isinstance(value, bytes) else value for value in said]


def same(want, got):
    """Nil, or what is wrong."""
    if len(want) != len(got):
        return f"{len(got)} messages, expected {len(want)}: {[str(g)[:60] for g in got]}"
    for number, (a, b) in enumerate(zip(want, got), 1):
        if isinstance(a, dict):
            b = json.loads(b)
        if a != b:
            return f"message {number} is {str(b)[:120]!r}, expected {str(a)[:120]!r}"
    return None


# ---- servers: each says one text for every message, and last what it got and said.

def report(got, said):
    return json.dumps({"got": [{"hex": g.hex()} if isinstance(g, bytes) else g for g in got], "said": said})


def unpacked(values):
    return [bytes.fromhex(v["hex"]) if isinstance(v, dict) else v for v in values]


async def answer(messages, send):
    got, said = [], []
    async for message in messages:
        if message == "report":
            await send(report(got, said))
            return
        got.append(message)
        said.append(text("server", len(got)))
        await send(said[-1])


async def websockets_server(server_keeps, client_keeps):
    factory = ServerPerMessageDeflateFactory(
        server_no_context_takeover=not server_keeps, client_no_context_takeover=not client_keeps)

    async def handle(socket):
        await answer(socket, socket.send)

    server = await serve(handle, "127.0.0.1", 0, compression=None, extensions=[factory])
    return server.sockets[0].getsockname()[1]


async def aiohttp_server():
    async def handle(request):
        socket = web.WebSocketResponse(compress=True)
        await socket.prepare(request)

        async def messages():
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    yield message.data

        await answer(messages(), socket.send_str)
        return socket

    application = web.Application()
    application.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return site._server.sockets[0].getsockname()[1]


# ---- clients: everything that came, the report last, and what was negotiated.

async def talk(send, receive):
    for number in range(1, COUNT + 1):
        await send(text("client", number))
    await send("report")
    came = []
    while True:
        message = await receive()
        if isinstance(message, str) and message.startswith('{"got"'):
            return came, json.loads(message)
        came.append(message)


def websockets_client(**parameters):
    async def run(url):
        factory = ClientPerMessageDeflateFactory(**parameters)
        async with connect(url, compression=None, extensions=[factory]) as socket:
            came, told = await talk(socket.send, socket.recv)
            return came, told, socket.response.headers.get("Sec-WebSocket-Extensions", "")
    return run


async def aiohttp_client(url):
    async with ClientSession() as session, session.ws_connect(url, compress=15) as socket:
        async def receive():
            message = await socket.receive()
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                raise RuntimeError(f"aiohttp got {message.type.name} {message.data!r} {message.extra!r}")
            return message.data
        came, told = await talk(socket.send_str, receive)
        extensions = socket._response.headers.get("Sec-WebSocket-Extensions", "")
        return came, told, extensions


CLIENTS = {
    "websockets": websockets_client(client_max_window_bits=True),
    "websockets, no takeover": websockets_client(server_no_context_takeover=True, client_no_context_takeover=True, client_max_window_bits=True),
    "websockets, windows of 9": websockets_client(server_max_window_bits=9, client_max_window_bits=9),
    "aiohttp": aiohttp_client,
}


def judge(kind, change, came, told):
    sent = [text("client", number) for number in range(1, COUNT + 1)]
    wrong = same(change(sent, UP - 1), unpacked(told["got"]))
    if wrong:
        return f"at the server: {wrong}"
    # The report is the last message that it said; what is in the middle is not.
    wrong = same(change(told["said"], DOWN - 1), came)
    return f"at the client: {wrong}" if wrong else None


async def play(name, client, server, port, gate):
    failures, done, seen = [], 0, set()
    async def one(kind, change):
        nonlocal done
        async with gate:
            try:
                came, told, extensions = await asyncio.wait_for(client(f"ws://127.0.0.1:{port}/{kind}"), 20)
            except Exception as error:  # whatever a library thinks of what it got
                failures.append(f"{server} and {name}, {kind}: {type(error).__name__} {error}")
                return
        done += 1
        seen.add(extensions)
        wrong = judge(kind, change, came, told)
        if "permessage-deflate" not in extensions:
            wrong = wrong or f"nothing was compressed: {extensions!r}"
        if wrong:
            failures.append(f"{server} and {name}, {kind}: {wrong}")
    await asyncio.gather(*(one(kind, change) for kind, _, change in KINDS))
    return failures, done, seen


# ---- the browser: one page talks to every server and kind, writes what it got into its document, and sends that back.

PAGE = """<!doctype html><meta charset=utf-8><pre id=seen>waiting</pre><script>
const tasks = %s, count = %d, up = %s;
const hex = buffer => [...new Uint8Array(buffer)].map(b => b.toString(16).padStart(2, '0')).join('');
async function one(url) {
  return await new Promise(done => {
    const socket = new WebSocket(url), came = [];
    socket.binaryType = 'arraybuffer';
    const end = (report, why) => done({url, came, report, why, extensions: socket.extensions});
    socket.onopen = () => { for (const text of up) socket.send(text); socket.send('report'); };
    socket.onmessage = e => {
      if (typeof e.data === 'string' && e.data.startsWith('{"got"')) { end(JSON.parse(e.data), ''); socket.close(); }
      else came.push(typeof e.data === 'string' ? e.data : {hex: hex(e.data)});
    };
    socket.onclose = e => end(null, 'closed ' + e.code + ' ' + e.reason);
  });
}
(async () => {
  const seen = [];
  for (const url of tasks) seen.push(await one(url));
  document.getElementById('seen').textContent = JSON.stringify(seen);
  await fetch('/seen', {method: 'POST', body: document.getElementById('seen').textContent});
})();
</script>"""


async def chromium(ports, seconds):
    tasks = [f"ws://127.0.0.1:{port}/{kind}" for port in ports.values() for kind, _, _ in KINDS]
    page = PAGE % (json.dumps(tasks), COUNT, json.dumps([text("client", number) for number in range(1, COUNT + 1)]))
    arrived = asyncio.get_running_loop().create_future()

    async def seen(request):
        arrived.set_result(json.loads(await request.text()))
        return web.Response(text="ok")

    application = web.Application(client_max_size=64 << 20)
    application.router.add_get("/", lambda request: web.Response(text=page, content_type="text/html"))
    application.router.add_post("/seen", seen)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = site._server.sockets[0].getsockname()[1]
    home = tempfile.mkdtemp(prefix="miswire-chromium-")
    browser = subprocess.Popen(
        [shutil.which("chromium") or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", f"--user-data-dir={home}", f"http://127.0.0.1:{address}/", "--remote-debugging-port=0"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        results = await asyncio.wait_for(arrived, seconds)
    finally:
        browser.terminate()
        try:
            browser.wait(10)
        except subprocess.TimeoutExpired:
            browser.kill()
        shutil.rmtree(home, ignore_errors=True)
        await runner.cleanup()
    names = {port: server for server, port in ports.items()}
    changes = {kind: change for kind, _, change in KINDS}
    failures, seen = [], set()
    for result in results:
        port, kind = re.fullmatch(r"ws://127\.0\.0\.1:(\d+)/(.+)", result["url"]).groups()
        seen.add(result["extensions"])
        wrong = result["why"] if result["report"] is None else judge(kind, changes[kind], unpacked(result["came"]), result["report"])
        if "permessage-deflate" not in result["extensions"]:
            wrong = wrong or f"nothing was compressed: {result['extensions']!r}"
        if wrong:
            failures.append(f"{names[int(port)]} and chromium, {kind}: {wrong}")
    return failures, len(results), seen


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("miswire")
    parser.add_argument("--chromium", action="store_true")
    parser.add_argument("--seconds", type=float, default=55)
    options = parser.parse_args()
    begun = time.monotonic()
    servers = {
        f"websockets server, takeover {'server ' * s + 'client' * c or 'none'}".rstrip(): await websockets_server(s, c)
        for s in (True, False) for c in (True, False)}
    servers["aiohttp server"] = await aiohttp_server()
    failures, proxies = [], {}
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "rewritten.yaml"
        file.write_text(profile())
        for server, port in servers.items():
            command = f"{options.miswire} proxy {{upstream}} --listen {{listen}} --profile {file} --json --log none"
            proxies[server] = common.Proxy(command, port)
        gate = asyncio.Semaphore(8)
        for server, proxy in proxies.items():
            for name, client in CLIENTS.items():
                wrong, done, seen = await play(name, client, server, proxy.port, gate)
                failures += wrong
                print(f"{'FAIL' if wrong else 'ok  '} {server:<48} {name:<26} {done} of {len(KINDS)} sessions  {' | '.join(sorted(seen))}", flush=True)
        if options.chromium:
            wrong, done, seen = await chromium({server: proxy.port for server, proxy in proxies.items()}, 90)
            failures += wrong
            print(f"{'FAIL' if wrong else 'ok  '} every server {'chromium':>62} {done} sessions  {' | '.join(sorted(seen))}", flush=True)
        for server, proxy in proxies.items():
            code = await asyncio.to_thread(proxy.stop)
            output = proxy.output()
            want = 2 * len(KINDS) * (len(CLIENTS) + options.chromium)
            last = next((json.loads(line) for line in reversed(output.splitlines()) if '"kind":"summary"' in line), {})
            if code != 0 or last.get("toolErrors") != 0 or last.get("faults") != want:
                failures.append(f"the proxy of {server} ended with {code}, expected 0 and {want} faults: {last or output[-2000:]}")
    lasted = time.monotonic() - begun
    if lasted > options.seconds + (90 if options.chromium else 0):
        failures.append(f"{lasted:.0f} s, allowed {options.seconds:.0f} s")
    for failure in failures[:20]:
        print("FAIL", failure)
    print(f"deflate peers: {'well' if not failures else f'{len(failures)} wrong'}, {lasted:.0f} s")
    sys.exit(1 if failures else 0)


asyncio.run(main())
