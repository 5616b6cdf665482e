#!/usr/bin/env python3
"""Records three users through the proxy and replays the recording: against fresh servers (SAME everywhere, every time),
against servers with a bug (the right message, the right property), with faults, without credentials, and as the server
for two third-party clients. The shipped recordings as well.

    replay-recordings.py MISWIRE [--times 20]
"""
import json, os, pathlib, re, shlex, signal, subprocess, sys, tempfile, time

os.environ.setdefault("MISWIRE_ALLOW_ROOT", "1")

ROOT = pathlib.Path(__file__).resolve().parent.parent
USERS = ROOT / "Tests/ThirdParty/chat_users.py"
CORPUS = ROOT / "corpus/recordings"
# What the shipped recordings were made with.
BUGS = {"error-to-the-wrong-user": "B10", "silent-error": "B08"}
wrong = []


def check(holds, what, more=""):
    print(("ok    " if holds else "FAIL  ") + what + ("" if holds else f"\n{more}"), flush=True)
    if not holds:
        wrong.append(what)


def start(*argv):
    out = tempfile.NamedTemporaryFile("w+", delete=False)
    process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, text=True)
    for _ in range(200):
        text = pathlib.Path(out.name).read_text()
        found = [a for a in re.findall(r"127\.0\.0\.1:\d+", text) if not any(a in word for word in argv)]
        if found:
            return process, found[0], out.name
        time.sleep(0.1)
    process.kill()
    raise SystemExit(f"nobody listens: {pathlib.Path(out.name).read_text()}")


def stop(process, number=signal.SIGTERM):
    process.send_signal(number)
    return process.wait(timeout=60)


def users(address, *more):
    done = subprocess.run([sys.executable, str(USERS), f"ws://{address}/ws", *more], capture_output=True, text=True, timeout=90)
    if done.returncode != 0:
        raise SystemExit(f"users: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def replay(miswire, recording, *more, bugs=""):
    server = f"{shlex.quote(miswire)} backend --port {{port}}" + (f" --bugs {bugs}" if bugs else "")
    argv = [miswire, "replay", str(recording), "--exec", server, "--json", *more]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done, lines, [line for line in lines if line["kind"] == "difference"], (lines or [{}])[-1]


def record(miswire, directory):
    backend, upstream, _ = start(miswire, "backend", "--port", "0")
    proxy, listen, _ = start(
        miswire, "proxy", f"ws://{upstream}", "--listen", "127.0.0.1:0", "--contract", "agent-chat", "--record", directory)
    # Its tokens are over when it is replayed.
    seen = users(listen, "--lifetime", "20")
    stop(proxy)
    stop(backend)
    return seen


def number(events, name, nth=1):
    """Place of the nth event of that name among all, from 1."""
    return [i + 1 for i, event in enumerate(events) if event == name][nth - 1]


def on_bugs(miswire, recording, seen):
    alice, bob = number(seen["alice"], "error"), number(seen["bob"], "error")
    carol = number(seen["carol"], "error")
    done, _, found, _ = replay(miswire, recording, "--speed", "max", bugs="B08")
    what = [(d["user"], d["what"], d["message"], d["name"], d.get("property")) for d in found]
    check(done.returncode == 1 and what == [("alice", "MISSING", alice, "error", "E3")], "B08 at the right message", what)
    done, _, found, _ = replay(miswire, recording, "--speed", "max", bugs="B12")
    what = [(d["user"], d["what"], d["message"], d["name"], d.get("property")) for d in found]
    right = what[:1] == [("bob", "CHANGED", bob, "error", "I2")] and all(w[:2] == ("bob", "EXTRA") for w in what[1:])
    check(done.returncode == 1 and right, "B12 at the right message", what)
    done, lines, found, _ = replay(miswire, recording, "--speed", "max", bugs="B28")
    what = sorted((d["user"], d["what"], d["message"], d["name"], d["sentence"]) for d in found)
    gone = "message and timestamp are gone"
    right = [(user, "CHANGED", place, "error", gone) for user, place in [("alice", alice), ("bob", bob), ("carol", carol)]]
    check(done.returncode == 1 and what == right, "B28 at the right messages", what)
    check({d.get("property") for d in found} - {None} == {"E5"}, "B28 is E5", [d.get("property") for d in found])


def on_shipped(miswire):
    for path in sorted(p for p in CORPUS.iterdir() if p.is_dir()):
        for speed in ["10x", "max"]:
            bugs = BUGS.get(path.name, "")
            done, _, found, last = replay(miswire, path, "--speed", speed, bugs=bugs)
            check(
                done.returncode == (1 if bugs else 0) and last.get("differences") == 0 and last.get("same", 0) > 0,
                f"{path.name} at {speed} {bugs}", done.stderr + json.dumps(found[:4], indent=1))
        if path.name in BUGS:
            done, _, found, _ = replay(miswire, path, "--speed", "max")
            check(done.returncode == 1 and found, f"{path.name} on a sound server differs", done.stderr)


def credentials(miswire, recording, directory):
    contract = os.path.join(directory, "unminted.yaml")
    pathlib.Path(contract).write_text("miswire-contract: 1\nname: unminted\nextends: agent-chat\nidentity: { mint: null }\n")
    done, _, _, _ = replay(miswire, recording, "--contract", contract)
    told = "the credential of `" in done.stderr and "--credential" in done.stderr
    check(done.returncode == 2 and told, "a credential that nobody can make", done.stderr)
    sys.path.insert(0, str(USERS.parent))
    text = USERS.read_text()
    scope = {}
    exec(compile(text[: text.index("class Websockets")], str(USERS), "exec"), scope)
    given = []
    for user in ["alice", "bob", "carol", "dave"]:
        token = os.path.join(directory, user + ".token")
        pathlib.Path(token).write_text(scope["mint"](user, os.environ.get("MISWIRE_JWT_KEY") or "miswire-development-key", 600))
        given += ["--credential", f"{user}=@{token}"]
    done, _, found, _ = replay(miswire, recording, "--contract", contract, "--speed", "max", *given)
    check(done.returncode == 0 and not found, "given credentials", done.stderr + json.dumps(found[:4], indent=1))


def as_server(miswire, recording, seen):
    for library in ["websockets", "aiohttp"]:
        host, address, out = start(miswire, "replay", str(recording), "--as", "server", "--listen", "127.0.0.1:0", "--speed", "10x")
        got = users(address, "--library", library)
        code = host.wait(timeout=60)
        text = pathlib.Path(out).read_text()
        check(code == 0 and "0 differences" in text, f"as server for {library}", text)
        check(got == seen, f"{library} saw what was recorded", f"{got}\n{seen}")
    for other, word in [("skip", "MISSING"), ("text", "CHANGED"), ("more", "EXTRA")]:
        host, address, out = start(miswire, "replay", str(recording), "--as", "server", "--listen", "127.0.0.1:0", "--speed", "max")
        users(address, "--other", other)
        code = host.wait(timeout=60)
        text = pathlib.Path(out).read_text()
        found = re.findall(r"^  (MISSING|CHANGED|EXTRA) ", text, re.M)
        check(code == 1 and found == [word], f"a client that does otherwise: {other}", text)


def main():
    miswire = os.path.abspath(sys.argv[1])
    times = int(sys.argv[sys.argv.index("--times") + 1]) if "--times" in sys.argv else 20
    with tempfile.TemporaryDirectory() as directory:
        recording = os.path.join(directory, "rec")
        seen = record(miswire, recording)
        good, last = 0, ""
        for turn in range(times):
            speed = ["1x", "10x", "max", "max"][turn % 4]
            done, _, found, summary = replay(miswire, recording, "--speed", speed)
            if done.returncode == 0 and not found and summary["same"] == summary["messages"] > 30:
                good += 1
            else:
                last = f"{speed} exit {done.returncode} {done.stderr} {json.dumps(found[:4], indent=1)}"
        check(good == times, f"{good} of {times} replays: SAME everywhere", last)
        time.sleep(0)
        on_bugs(miswire, recording, seen)
        on_shipped(miswire)
        done, _, found, _ = replay(miswire, recording, "--profile", "delayed-accept", "--speed", "max")
        check(done.returncode == 0 and not found, "with faults that only delay", done.stderr + json.dumps(found[:4]))
        credentials(miswire, recording, directory)
        as_server(miswire, recording, seen)
    print("replays are", "as they must be" if not wrong else f"NOT as they must be: {wrong}")
    sys.exit(1 if wrong else 0)


main()
