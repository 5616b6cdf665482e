#!/usr/bin/env python3
"""What options of `miswire fuzz` do that only a real server shows: corpora merged and made minimal, a dictionary's word that
reaches the server, given credentials, a recording as corpus, a crash replayed.

    fuzz-options.py MISWIRE [--checks dict,merge] [--time 10]
"""
import argparse, base64, hashlib, hmac, json, os, shlex, shutil, subprocess, sys, time

import fuzzrun
from fuzzrun import ROOT, THIRD, Child, Fuzzed

HOSTILE = THIRD / "hostile_servers.py"
WORD = "zq-xyzzy-17"
KEY = "a-key-that-only-the-server-knows"


class Wrong(Exception):
    pass


def must(holds, *words):
    if not holds:
        raise Wrong(" ".join(str(word) for word in words))


def hostile(mode, *more):
    return shlex.join([sys.executable, str(HOSTILE), mode, "{port}", *map(str, more), "--life", "120"])


def backend(miswire):
    return shlex.join([miswire, "backend", "--port", "{port}"])


def run(argv, directory, environment=None):
    """Exit code and NDJSON lines."""
    done = subprocess.run(
        [str(a) for a in argv], cwd=directory, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})})
    lines, wrong = fuzzrun.read_ndjson(done.stdout)
    must(not wrong, *wrong)
    must(lines and lines[-1].get("kind") == "summary", "no summary:", done.stderr[-300:])
    return done.returncode, lines


def plans(directory):
    """Those that were added are called by their hash."""
    return sorted(os.listdir(directory))


def check_merge(options, directory):
    """What shows something new is added to the first corpus, and a second time there is nothing to add."""
    first, offered = directory + "/first", directory + "/offered"
    os.makedirs(first), os.makedirs(offered)
    for name in ("transparent", "lost-credential", "crossed-streams"):
        text = (ROOT / "corpus" / "plans" / f"{name}.plan").read_text()
        for copy in range(2):
            open(f"{offered}/{name}-{copy}.plan", "w").write(f"# copy {copy}\n" + text if copy else text)
    argv = [options.miswire, "fuzz", "--exec", backend(options.miswire), first, offered, "--merge", "--json"]
    code, lines = run(argv, directory)
    must(code == 0, "merge: exit", code, lines[-1])
    once = plans(first)
    must(1 <= len(once) <= 3, "merge kept", once, "of 3 plans, each given twice")
    must(len(plans(offered)) == 6, "merge changed the corpus that was offered")
    code, lines = run(argv, directory)
    must(code == 0 and plans(first) == once, "merging again changed", once, "to", plans(first))
    return f"{len(once)} of 6 kept"


def check_minimize(options, directory):
    """Copies go, and what is left shows as much."""
    corpus = directory + "/corpus"
    os.makedirs(corpus)
    for name in ("transparent", "lost-credential"):
        text = (ROOT / "corpus" / "plans" / f"{name}.plan").read_text()
        for copy in range(3):
            open(f"{corpus}/{name}-{copy}.plan", "w").write(text)
    argv = [options.miswire, "fuzz", "--exec", backend(options.miswire), corpus, "--minimize", "--json"]
    code, lines = run(argv, directory)
    must(code == 0, "minimize: exit", code, lines[-1])
    left = plans(corpus)
    must(1 <= len(left) <= 2, "minimize left", left)
    must(len({name.rsplit("-", 1)[0] for name in left}) == len(left), "minimize left two copies:", left)
    return f"{len(left)} of 6 left"


def check_dict(options, directory):
    """A server that dies of one word: found with the dictionary that has it."""
    open(directory + "/words.dict", "w").write(f'# AFL++ syntax\nmagic="{WORD}"\nother="\\x41\\x42"\n')
    run = Fuzzed(
        options.miswire,
        ["--exec", hostile("dies-on", "--word", WORD), "--contract", "agent-chat", "--dict", "words.dict", "--max-failures", 1],
        options.time * 2, directory)
    must(run.code == 1, "dict: exit", run.code, run.told())
    must("R2" in {line.get("property") for line in run.kept}, "dict: found", [line.get("finding") for line in run.kept])
    text = "".join(run.plan(line).read_text() for line in run.kept if run.plan(line))
    must(WORD in text, "dict: the word is in no plan:", text)
    return f"R2 after {run.summary.get('executions')} executions"


def token(user, key=KEY):
    def pack(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    claims = {"sub": user, "iat": int(time.time()), "exp": int(time.time()) + 3600}
    text = pack(b'{"alg":"HS256","typ":"JWT"}') + b"." + pack(json.dumps(claims).encode())
    return (text + b"." + pack(hmac.new(key.encode(), text, hashlib.sha256).digest())).decode()


def check_credential(options, directory):
    """Given credentials are sent as they are: what the server accepts is judged, what it refuses leaves nothing to judge."""
    seconds, port = options.time, fuzzrun.free_port()
    keyed = {"MISWIRE_JWT_KEY": KEY}
    server = Child([options.miswire, "backend", "--port", port], {**os.environ, **keyed})
    with server:
        must(fuzzrun.wait_until_listening(server.process, port), "credential: no backend")
        told = []
        for name, key, right in (("good", KEY, 0), ("wrong", "another-key", 3)):
            place = f"{directory}/{name}"
            os.makedirs(place)
            users = ["alice", "bob", "carol", "dave"]
            for user in users:
                open(f"{place}/{user}.token", "w").write(token(user, key) + "\n")
            given = [word for user in users for word in ("--credential", f"{user}=@{user}.token")]
            run = Fuzzed(options.miswire, [f"ws://127.0.0.1:{port}/ws", *given], seconds, place, keyed)
            must(run.code == right, f"credential, {name} key: exit {run.code}, expected {right}:", run.told())
            spoken = run.out + run.err + (run.read("ndjson") or "") + (run.read("sarif") or "") + (run.read("junit") or "")
            for user in users:
                must(token(user, key).rsplit(".", 1)[1] not in spoken, "credential:", user, "was written out")
            told.append(f"{name} {run.summary.get('executions')} executions")
    return ", ".join(told)


def check_recording(options, directory):
    """Sessions of a recording are seeds, and nothing is written beside them."""
    recording = directory + "/recording"
    shutil.copytree(ROOT / "corpus" / "recordings" / "crossed-pair", recording)
    before = sorted(os.listdir(recording))
    argv = ["--exec", backend(options.miswire), recording, "--runs", 60]
    run = Fuzzed(options.miswire, argv, options.time * 3, directory)
    must(run.code == 0, "recording: exit", run.code, run.told())
    start = next((line for line in run.stdout_lines() if line.get("kind") == "start"), {})
    must((start.get("seeds") or 0) >= 1, "recording: seeds", start.get("seeds"))
    must((run.summary.get("executions") or 0) > 0, "recording: nothing was played")
    must(sorted(os.listdir(recording)) == before, "recording: files were written into it")
    return f"{start['seeds']} seeds, {run.summary.get('executions')} executions"


def check_crash(options, directory):
    """A finding of a server that dies is a plan like any other: it still fails, and on a sound server it is fixed."""
    deadly = hostile("dies-on", "--word", "non_existent_agent")
    run = Fuzzed(options.miswire, ["--exec", deadly, "--max-failures", 1], options.time * 2, directory)
    must(run.code == 1, "crash: exit", run.code, run.told())
    line = next((line for line in run.kept if line.get("property") == "R2"), None)
    must(line is not None, "crash: found", [line.get("finding") for line in run.kept])
    must("alice's " in line.get("sentence", ""), "crash: users bear other names than in the plan:", line.get("sentence"))
    must(line.get("targetExit"), "crash: the line does not say how the target ended:", line)
    plan = run.plan(line)
    code, outcome = fuzzrun.replay(options.miswire, plan, ["--exec", deadly])
    must((code, outcome) == (1, "STILL FAILING"), "crash: replay says", outcome, "exit", code)
    code, outcome = fuzzrun.replay(options.miswire, plan, ["--exec", hostile("clean")])
    must((code, outcome) == (0, "FIXED"), "crash: replay on a sound server says", outcome, "exit", code)
    return f"{line.get('finding')} {line.get('targetExit')}, replayed"


CHECKS = {name.removeprefix("check_"): body for name, body in list(globals().items()) if name.startswith("check_")}


def main():
    parser = argparse.ArgumentParser(description="options of miswire fuzz against real servers")
    parser.add_argument("miswire")
    parser.add_argument("--checks", default=",".join(CHECKS))
    parser.add_argument("--time", type=float, default=10)
    options = parser.parse_args()
    options.miswire = os.path.abspath(options.miswire)
    wrong = 0
    for name in options.checks.split(","):
        began = time.monotonic()
        with fuzzrun.work() as directory:
            try:
                told = "ok   " + name + ": " + CHECKS[name](options, directory)
            except (Wrong, subprocess.TimeoutExpired) as error:
                told, wrong = f"FAIL {name}: {error}", wrong + 1
        print(f"{told}  ({time.monotonic() - began:.0f} s)", flush=True)
    sys.exit(1 if wrong else 0)


main()
