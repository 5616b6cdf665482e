#!/usr/bin/env python3
"""Has Miswire judge a server that shares no code with it: clean when clean, and each of its bugs by the right property.

    python3 judge_python_server.py .build/debug/miswire

Each variant of agent_chat_server.py is judged twice: behind `miswire proxy` while third-party clients talk to it, and by
`miswire replay` of a shipped plan. One line a judgement; exit 0 when all are as they must be.
"""

import argparse
import asyncio
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from websockets.asyncio.client import connect

import smoke_backend

HERE = pathlib.Path(__file__).resolve().parent
PLAN = HERE.parent.parent / "corpus" / "plans" / "transparent.plan"
KEY = "a key of the third party"
ENVIRONMENT = {**os.environ, "MISWIRE_JWT_KEY": KEY, "PYTHONDONTWRITEBYTECODE": "1", "MISWIRE_ALLOW_ROOT": "1"}
# What each variant breaks: an error that others get, a success for what is invalid, an error that never comes.
PROPERTY = {None: None, "broadcast-errors": "I2", "success-theatre": "E4", "tool-errors-dropped": "E3"}
# The longest time that the contract gives an answer, and as much again. On a crowded machine deadlines are credited and a
# judgement may be inconclusive: then it is tried again, with more time.
PATIENCE = [2.0, 6.0, 9.0]
INCONCLUSIVE = 2


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Child:
    """A process of ours that says on stdout where it listens; ended with it."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(
            argv, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def first_line(self):
        return self.process.stdout.readline()

    def end(self, within=30):
        """SIGTERM; exit code and the rest of its output."""
        self.process.send_signal(signal.SIGTERM)
        try:
            out, err = self.process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            return "killed", out, err
        return self.process.returncode, out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def server(bug):
    child = Child(sys.executable, str(HERE / "agent_chat_server.py"), "--port", "0", *(["--bug", bug] if bug else []))
    line = child.first_line()
    found = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
    if not found:
        child.__exit__()
        raise SystemExit(f"judge_python_server: the server says {line!r}")
    return child, int(found.group(1))


# Two users who run agents and make every kind of error; whatever the server answers, they go on.


async def listen(socket, seen):
    async for text in socket:
        seen.append(json.loads(text))


async def user(url, name, together, patience):
    headers = {"Authorization": f"Bearer {smoke_backend.mint(name, KEY)}"}
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        seen = []
        listener = asyncio.ensure_future(listen(socket, seen))
        await together.wait()
        for agent in ("assistant", "researcher", "tooluser"):
            await socket.send(json.dumps(
                {"type": "agent_started", "agent_name": agent, "user_id": name, "request_id": f"{name}-{agent}",
                 "message": f"say hello to {name}"}))
            await asyncio.sleep(0.2)
        for number, (probe, kind) in enumerate(smoke_backend.PROBES):
            await socket.send(json.dumps({**probe, "request_id": f"{name}-{number}-{kind}"}))
            await asyncio.sleep(0.1)
        await asyncio.sleep(patience)
        listener.cancel()
        return seen


async def users(url, patience):
    together = asyncio.Barrier(2)
    seen = await asyncio.gather(*(user(url, name, together, patience) for name in ("ada", "grace")))
    return sum(map(len, seen))


# Judgements: each is (exit code, what is wrong or None, what is worth telling)


def properties(lines):
    return [line["property"] for line in lines if line.get("kind") == "violation"]


def behind_proxy(miswire, bug, port, patience):
    listen_port = free_port()
    with tempfile.TemporaryDirectory() as place, Child(
            miswire, "proxy", f"ws://127.0.0.1:{port}", "--listen", f"127.0.0.1:{listen_port}", "--profile", "transparent",
            "--contract", "agent-chat", "--record", os.path.join(place, "rec"), "--json") as proxy:
        start = proxy.first_line()
        if '"start"' not in start:
            return None, f"the proxy says {start!r} {proxy.end()}", ""
        url = f"ws://127.0.0.1:{listen_port}/ws"
        if bug is None:
            smoke = subprocess.run(
                [sys.executable, str(HERE / "smoke_backend.py"), url], env=ENVIRONMENT, capture_output=True, text=True,
                timeout=60)
            if smoke.returncode != 0:
                return None, f"the smoke client through the proxy: {smoke.stderr.strip()}", ""
        events = asyncio.run(asyncio.wait_for(users(url, patience), 60))
        code, out, err = proxy.end()
        lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        found = properties(lines)
        summary = f"{events} events, exit {code}, found {' '.join(found) or 'nothing'}"
        offline = subprocess.run(
            [miswire, "check", os.path.join(place, "rec"), "--json"], env=ENVIRONMENT, capture_output=True, text=True,
            timeout=60)
        again = properties([json.loads(line) for line in offline.stdout.splitlines() if line.startswith("{")])
        if code not in ((0, 2) if bug is None else (1,)):
            return code, f"exit {code}: {err.strip()}", summary
        if set(found) != ({PROPERTY[bug]} if bug else set()):
            return code, f"expected {PROPERTY[bug] or 'nothing'}", summary
        if sorted(again) != sorted(found) or offline.returncode != code:
            return code, f"`check` of the recording found {again} with exit {offline.returncode}", summary
        return code, None, summary


def by_replay(miswire, bug, port, _):
    wanted = PROPERTY[bug]
    with tempfile.TemporaryDirectory() as place:
        plan = pathlib.Path(place) / "judge.plan"
        lines = PLAN.read_text().splitlines(keepends=True)
        if wanted:
            # A plan about a finding is failed only by a finding of that property.
            dashes = next(i for i, line in enumerate(lines) if line.startswith("-----"))
            lines.insert(dashes, f"finding   {wanted}-000000\n")
        plan.write_text("".join(lines))
        done = subprocess.run(
            [miswire, "replay", str(plan), f"ws://127.0.0.1:{port}/ws", "--contract", "agent-chat", "--runs", "1", "--json"],
            env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    if not done.stdout.strip():
        return done.returncode, f"exit {done.returncode}: {done.stderr.strip()}", ""
    summary = json.loads(done.stdout.splitlines()[-1])
    told = f"{summary.get('outcome')}: {summary.get('sentence')}"
    expected = 1 if wanted else 0
    return done.returncode, None if done.returncode == expected else f"exit {done.returncode}, expected {expected}", told


def judge(miswire, bug, how):
    started = time.monotonic()
    for attempt, patience in enumerate(PATIENCE, 1):
        child, port = server(bug)
        with child:
            try:
                code, wrong, told = how(miswire, bug, port, patience)
            except (subprocess.TimeoutExpired, asyncio.TimeoutError, OSError, ValueError) as error:
                code, wrong, told = None, f"{type(error).__name__} {error}", ""
        if wrong is None or code != INCONCLUSIVE:
            break
    name = {"behind_proxy": "proxy", "by_replay": "replay"}[how.__name__]
    line = f"{'FAIL' if wrong else 'ok  '} {bug or 'clean':20} {name:7} {PROPERTY[bug] or '-':3} {told}"
    print(line + (f"   {wrong}" if wrong else "") + f"   {time.monotonic() - started:.1f} s"
          + (f", attempt {attempt}" if attempt > 1 else ""), flush=True)
    return wrong is None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("miswire")
    miswire = os.path.abspath(parser.parse_args().miswire)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        good = list(pool.map(lambda job: judge(miswire, *job), [
            (bug, how) for how in (behind_proxy, by_replay) for bug in PROPERTY]))
    print(f"python server: {sum(good)} of {len(good)} judgements as they must be")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
