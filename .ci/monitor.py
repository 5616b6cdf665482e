#!/usr/bin/env python3
"""Every live monitor fires and clears on real traffic, and everybody hears of it: lines, webhook, metrics, health, `check`.

    python3 .ci/monitor.py .build/debug/miswire

A server of this script's own speaks agent-chat and misbehaves by the name of its user; the thresholds of the contract are a few
seconds. Standard library only; half a minute, most of it the 30 s in which nothing must happen before an alert about an instant
clears.
"""
import asyncio, base64, hashlib, hmac, http.server, json, os, re, signal, struct, subprocess, sys, tempfile, threading, time, urllib.error, urllib.request

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = b"miswire-development-key"
HOOK_KEY = "a-key-of-the-receiver"
SECRET = "hook-secret-7QmK2xT4vN"
CONTRACT = """miswire-contract: 1
name: watched
extends: agent-chat
session: { ready: connected }
delivery: null
monitors:
  silent-failure: 2s
  stuck-authentication: 1s
  event-flow-breakdown: 1500ms
  event-rate: 6/3s
  auth-failures: 20%
  connect-success: 90%
  connect-time: 300ms
"""
MONITORS = {
    "silent failure": r"no event for 2 s with 1 session active \(critical\)",
    "stuck authentication": r"no answer to the upgrade for 1 s \(high\)",
    "event flow breakdown": r"run r-\d+ is under way without an event for 1.5 s \(high\)",
    "event rate": r"\d/3 s with \d runs? active, needs 6 \(warning\)",
    "auth failure rate": r"[\d.]+ %, \d+ of \d+ in 5 min, at most 20% \(warning\)",
    "unpaired events": r"run run_chat_\d+: no .* or error, the server closes with 1011 \(high\)",
    "invalid transition": r"open to closed: the server ends the connection without a Close \(high\)",
    "connect success": r"[\d.]+ %, \d+ of \d+ in 5 min, needs 90% \(warning\)",
    "connect time": r"\d+ of \d+ take 300 ms or more in 5 min, the longest .*, needs p99 < 300 ms \(warning\)",
}
failures = []
begun = time.monotonic()


def check(holds, what):
    print(f"  {'ok' if holds else 'FAILED':6} {time.monotonic() - begun:5.1f} s  {what}", flush=True)
    if not holds:
        failures.append(what)


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(user):
    text = b64(b'{"alg":"HS256","typ":"JWT"}') + "." + b64(json.dumps({"sub": user, "exp": int(time.time()) + 3600}).encode())
    return text + "." + b64(hmac.new(KEY, text.encode(), hashlib.sha256).digest())


def frame(payload, opcode=1, mask=False):
    size = len(payload)
    head = bytes([0x80 | opcode]) + (bytes([(0x80 if mask else 0) | size]) if size < 126 else bytes([(0x80 if mask else 0) | 126]) + struct.pack(">H", size))
    if not mask:
        return head + payload
    key = b"\x11\x22\x33\x44"
    return head + key + bytes(b ^ key[i & 3] for i, b in enumerate(payload))


async def read_frame(reader):
    first, second = await reader.readexactly(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", await reader.readexactly(2))
    key = await reader.readexactly(4) if second & 0x80 else None
    payload = await reader.readexactly(size)
    return first & 15, bytes(b ^ key[i & 3] for i, b in enumerate(payload)) if key else payload


class Server:
    """Agent-chat; what it does wrong stands in the user's name."""

    def __init__(self):
        self.count, self.go, self.well = 0, asyncio.Event(), True

    async def serve(self, reader, writer):
        try:
            await self.talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def talk(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        credential = re.search(r"(?i)authorization: bearer (\S+)", head).group(1)
        user = json.loads(base64.urlsafe_b64decode(credential.split(".")[1] + "=="))["sub"]
        kind = user.split("-")[0]
        if kind in ("deny", "broken"):
            status = "401 Unauthorized" if kind == "deny" else "503 Service Unavailable"
            return writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await asyncio.sleep({"slow": 0.9, "hang": 2.5}.get(kind, 0))
        key = re.search(r"(?i)sec-websocket-key: *(\S+)", head).group(1).encode()
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        writer.write(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        self.count += 1
        number = self.count

        def say(kind, **more):
            writer.write(frame(json.dumps({"type": kind, "user_id": user, **more}).encode()))

        say("connected", connection_id=f"ws_{user}_1757371237_{number:08x}")
        if kind == "drop":
            return await asyncio.sleep(0.2)
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == 8:
                return writer.write(frame(payload[:2], 8))
            if opcode != 1 or not self.well:
                continue
            ids = {"thread_id": f"thread_chat_{number}_{number}_{number:08x}", "run_id": f"run_chat_{number}"}
            if kind == "silent":
                await self.go.wait()
            say("agent_started", **ids)
            if kind == "stall":
                await asyncio.sleep(5)
                say("agent_thinking", **ids)
                await asyncio.sleep(0.3)
            if kind == "unpaired":
                await asyncio.sleep(0.2)
                writer.write(frame(struct.pack(">H", 1011), 8))
                return await asyncio.sleep(0.2)
            say("agent_completed", **ids)


class Client:
    def __init__(self, port, user):
        self.port, self.user = port, user

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(
            f"GET /ws HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nAuthorization: Bearer {token(self.user)}\r\n\r\n".encode())
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        self.status = int(head.split()[1])
        if self.status == 101:
            await read_frame(self.reader)
        return self

    def ask(self):
        text = {"type": "agent_started", "agent_name": "assistant", "user_id": self.user, "message": "hi"}
        self.writer.write(frame(json.dumps(text).encode(), mask=True))

    async def until(self, kind):
        while True:
            opcode, payload = await asyncio.wait_for(read_frame(self.reader), 20)
            if opcode == 8 or json.loads(payload)["type"] == kind:
                return

    async def leave(self):
        if self.status == 101:
            self.writer.write(frame(struct.pack(">H", 1000), 8, mask=True))
            try:
                while (await asyncio.wait_for(read_frame(self.reader), 20))[0] != 8:
                    pass
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
        self.writer.close()


class Receiver(http.server.BaseHTTPRequestHandler):
    """Is not there for the first attempt."""
    got, attempts = [], []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Receiver.attempts.append(self.headers["Miswire-Delivery"])
        if len(Receiver.attempts) == 1:
            self.send_response(503)
        else:
            Receiver.got.append((dict(self.headers), body, self.path))
            self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


class Proxy:
    def __init__(self, program, upstream, folder, *words):
        self.lines = []
        environment = {**os.environ, "MISWIRE_WEBHOOK_KEY": HOOK_KEY, "MISWIRE_ALLOW_ROOT": "1"}
        self.process = subprocess.Popen(
            [program, "proxy", f"ws://127.0.0.1:{upstream}", "--listen", "127.0.0.1:0", "--contract", f"{folder}/watched.yaml", *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    async def line(self, pattern, within=20):
        end = time.monotonic() + within
        while time.monotonic() < end:
            for line in list(self.lines):
                if found := re.search(pattern, line):
                    return found
            await asyncio.sleep(0.05)
        print("\n".join(self.lines[-60:]))
        raise SystemExit(f"the proxy never said {pattern}")

    async def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self.process.wait, 30)
        self.thread.join(10)
        return code


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


async def ask(url, **headers):
    await asyncio.sleep(1.1)  # An answer is kept for a second.
    return await asyncio.to_thread(get, url, **headers)


async def provoke(server, proxy, port, metrics):
    async def run(user, action):
        client = await Client(port, user).open()
        await action(client)
        await client.leave()

    async def silent(client):
        client.ask()
        await proxy.line(r"ALERT +silent failure: ")
        status, _, body = await ask(f"{metrics}/health")
        firing = [m["id"] for m in json.loads(body)["monitors"] if m["state"] == "firing"]
        check(status == 503 and "silent-failure" in firing, f"health says 503 while a critical alert fires: {status} {firing}")
        status, _, text = await ask(f"{metrics}/metrics")
        check('miswire_alerts_firing{monitor="silent-failure",severity="critical"} 1' in text, "metrics: silent-failure fires")
        check('miswire_connections{state="open"} 1' in text, "metrics: one connection is open")
        server.go.set()
        await client.until("agent_completed")

    async def finish(client):
        client.ask()
        await client.until("agent_completed")

    async def unpaired(client):
        client.ask()
        await client.until("never")
        client.status = 0

    async def drop(client):
        client.status = 0
        await client.reader.read()

    async def nothing(client):
        pass

    await run("silent-1", silent)
    await asyncio.gather(
        run("drop-1", drop), run("unpaired-1", unpaired), run("stall-1", finish), run("hang-1", finish),
        *(run(f"deny-{n}", nothing) for n in range(24)),
        *(run(f"broken-{n}", nothing) for n in range(3)))
    # What is late on a crowded machine does not count, so that it may take some more.
    for _ in range(4):
        await asyncio.gather(*(run(f"slow-{n}", nothing) for n in range(3)))
        if any("ALERT    connect time" in line for line in proxy.lines):
            break
    else:
        if os.getloadavg()[0] > os.cpu_count():
            print("  left out: connect time, for the machine is crowded", flush=True)
            MONITORS.pop("connect time")
    for start in range(0, 1200, 40):
        await asyncio.gather(*(run(f"user-{n}", finish if n % 10 == 0 else nothing) for n in range(start, start + 40)))


def check_webhook(proxy, receiver):
    alerts = [json.loads(body) for _, body, _ in Receiver.got]
    check(Receiver.attempts[0] == Receiver.attempts[1], "the first message was posted again, as the same delivery")
    check(len(set(Receiver.attempts)) == len(Receiver.got), "each message arrived once")
    deliveries = [int(headers["Miswire-Delivery"].split("-")[-1]) for headers, _, _ in Receiver.got]
    check(deliveries == sorted(deliveries), "in order")
    signed = 0
    for headers, body, path in Receiver.got:
        stamp, code = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["Miswire-Signature"]).groups()
        signed += hmac.compare_digest(code, hmac.new(HOOK_KEY.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest())
    check(signed == len(Receiver.got), f"all {signed} signatures are good")
    check(all(path == f"/hook?key={SECRET}" for _, _, path in Receiver.got), "path and query arrive as they were given")
    for name in MONITORS:
        mine = [a for a in alerts if a.get("name") == name]
        check({"alert", "clear"} <= {a["kind"] for a in mine}, f"webhook: {name} fires and clears")
    check(any(a["kind"] == "violation" and a["property"] == "E1" for a in alerts), "webhook: FAIL E1")
    words = b"".join(body for _, body, _ in Receiver.got).decode() + "\n".join(proxy.lines)
    check("eyJ" not in words and HOOK_KEY not in words and SECRET not in "\n".join(proxy.lines), "no credential, key or secret is told")
    return alerts


async def watched(program, server, upstream, folder, receiver):
    print("monitors, webhook, metrics", flush=True)
    proxy = Proxy(
        program, upstream, folder, "--record", f"{folder}/rec", "--metrics", "127.0.0.1:0",
        "--webhook", f"http://127.0.0.1:{receiver.server_address[1]}/hook?key={SECRET}")
    port = int((await proxy.line(r"listen +ws://127\.0\.0\.1:(\d+)")).group(1))
    metrics = (await proxy.line(r"metrics +(http://127\.0\.0\.1:\d+)/metrics")).group(1)
    check((await proxy.line(r"^ +webhook +(.*)")).group(1) == f"http://127.0.0.1:{receiver.server_address[1]}, signed", "the banner names the webhook's host alone")
    await provoke(server, proxy, port, metrics)
    for name, words in MONITORS.items():
        check(await proxy.line(rf"ALERT +{name}: {words}$"), f"line: {name} fires")
    for name in MONITORS:
        check(await proxy.line(rf"clear +{name}: .+", within=45), f"line: {name} clears")
    status, headers, text = await ask(f"{metrics}/metrics")
    check(status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", "metrics are Prometheus text")
    for monitor in (name.replace(" ", "-").replace("auth-failure-rate", "auth-failures") for name in MONITORS):
        counts = re.search(rf'miswire_alerts_total\{{monitor="{monitor}",severity="\w+"\}} (\d+)', text)
        check(counts and int(counts.group(1)) >= 1, f"metrics: {monitor} {counts and counts.group(1)}")
    check("user-1" not in text and "/ws" not in text, "no user and no path in metrics")
    check((await ask(f"{metrics}/health"))[0] == 200, "health says 200 when all is clear")
    check(get(f"{metrics}/metrics", Host="evil.example")[0] == 421, "a name of somebody else's is refused")
    check(get(f"{metrics}/metrics", Origin="http://localhost")[0] == 403, "a page is refused")
    code = await proxy.stop()
    summary = "\n".join(proxy.lines)
    check(code == 1, f"exit 1 for the run that was cut off: {code}")
    for pattern in (
            r"sessions +[\d,]+ opened +[\d,]+ connected [\d.]+ % \(needs 90 %\) [✓✗]", r"connect, ms .* p99 < 300 [✓✗]", r"answer, ms ",
            r"runs +\d+ begun +\d+ completed [\d.]+ % \(needs 99 %\) [✓✗] +0 ended by an error +1 lost",
            r"survived +[\d,]+ of [\d,]+ sessions [\d.]+ % \(needs 99 %\) ✓ +2 lost +0 resumed", r"alerts +\d+: silent failure \d+, ",
            r"webhook +\d+ messages sent$"):
        check(re.search(pattern, summary, re.M), f"summary: {pattern}")
    alerts = check_webhook(proxy, receiver)
    live = sorted((a["monitor"], a["what"]) for a in alerts if a["kind"] == "alert")
    told = subprocess.run([program, "check", f"{folder}/rec", "--json"], capture_output=True, text=True).stdout
    later = [json.loads(line) for line in told.splitlines()]
    check(sorted((a["monitor"], a["what"]) for a in later if a["kind"] == "alert") == live, f"`check` tells the same {len(live)} alerts")
    text = subprocess.run([program, "check", f"{folder}/rec"], capture_output=True, text=True).stdout
    check(re.search(r"^ +[\d.]+  s\d+ silent-1 +ALERT|^ +[\d.]+  – +ALERT +silent failure", text, re.M), "and lists them")
    print("\n".join(line for line in proxy.lines if re.search("ALERT|clear  ", line))[:6000])
    print("\n".join(proxy.lines[-16:]))


async def healthy(program, server, upstream, folder):
    print("health runs, NDJSON", flush=True)
    server.well = True
    proxy = Proxy(program, upstream, folder, "--json", "--metrics", "127.0.0.1:0", "--health-run", "1s", "--log", "all")
    start = json.loads((await proxy.line(r'\{.*"kind":"start".*\}')).group(0))
    metrics = "http://" + start["metrics"]
    await proxy.line(r'"kind":"session.close".*miswire-health|miswire-health.*"kind":"session.close"|"user":"miswire-health".*')
    for _ in range(10):
        status, _, body = await ask(f"{metrics}/health")
        run = json.loads(body).get("run")
        if run:
            break
    check(status == 200 and run and run["ok"] and run["flow"] == "one-run", f"a synthetic run succeeds: {status} {run}")
    client = await Client(int(start["listen"].rsplit(":", 1)[1]), "drop-2").open()
    await client.reader.read()
    client.writer.close()
    alert = json.loads((await proxy.line(r'\{.*"kind":"alert".*\}')).group(0))
    check((alert["v"], alert["monitor"], alert["severity"], alert["user"]) == (1, "invalid-transition", "high", "drop-2"), f"NDJSON: {alert}")
    code = await proxy.stop()
    summary = json.loads(proxy.lines[-1])
    check(code == 0 and summary["exit"] == 0, f"alerts change no exit code: {code}")
    check(summary["alerts"]["invalid-transition"] == 1 and summary["alertsFiring"] == 1, f"summary: {summary['alerts']}")
    check(summary["connections"] == {"connected": 1, "failed": 0} and summary["connectMs"]["p95"] > 0, f"summary: {summary['connections']}, {summary['connectMs']}")
    check(summary["runs"]["begun"] == 0 and summary["survival"]["sessions"] == 1, f"synthetic runs are nobody's: {summary['runs']}")


async def broken_health(program, server, upstream, folder):
    print("a server whose event flow is broken", flush=True)
    server.well = False
    with open(f"{folder}/watched.yaml", "a") as file:
        file.write("flows: { one-run: [ { send: { type: agent_started, agent_name: assistant, user_id: \"{user}\" } }, { await: agent_completed, within: 1s } ] }\n")
    proxy = Proxy(program, upstream, folder, "--metrics", "127.0.0.1:0", "--health-run", "1s")
    metrics = (await proxy.line(r"metrics +(http://127\.0\.0\.1:\d+)/metrics")).group(1)
    for _ in range(10):
        status, _, body = await ask(f"{metrics}/health")
        run = json.loads(body).get("run")
        if run:
            break
    check(status == 503 and run and not run["ok"] and run["why"] == "no agent_completed within 1 s", f"the synthetic run fails: {status} {run}")
    check("miswire_health_run_ok 0" in (await ask(f"{metrics}/metrics"))[2], "metrics: miswire_health_run_ok 0")
    await proxy.stop()


async def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="miswire-monitor-") as folder:
        open(f"{folder}/watched.yaml", "w").write(CONTRACT)
        server = Server()
        listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, backlog=1024)
        upstream = listener.sockets[0].getsockname()[1]
        receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        await watched(program, server, upstream, folder, receiver)
        await healthy(program, server, upstream, folder)
        await broken_health(program, server, upstream, folder)
        receiver.shutdown()
    if failures:
        sys.exit("FAILED: " + "; ".join(failures))
    print(f"every monitor is well, {time.monotonic() - begun:.0f} s")


asyncio.run(main())
