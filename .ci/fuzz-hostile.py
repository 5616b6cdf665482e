#!/usr/bin/env python3
"""Lets `miswire fuzz` loose on servers that misbehave (Tests/ThirdParty/hostile_servers.py). Whatever they do, the run
ends within its budget + 5 s, with an exit code that means something, in bounded memory, its reports complete, and
nothing that it started is left.

    fuzz-hostile.py MISWIRE [--modes floods,restarts] [--time 5] [--seed 1] [--verbose]
"""
import argparse, os, sys, uuid

import fuzzrun
from fuzzrun import Child, Fuzzed, THIRD

SERVER = THIRD / "hostile_servers.py"
MEMORY = 500 << 20
# Nothing of an application is ever heard: exit 3. Where more is heard than that, it may be a violation, and a verdict
# too few for one is inconclusive; a pass it never is. Ends of the process itself, seen under --exec, are crashes.
NOTHING, BROKEN, CRASH = {3}, {1, 2, 3}, {1}
# It ends whoever asks: no plan alone is to blame, so that the crash is told and does not count.
NOBODY = {1, 2}
# mode: (how it is started, exit codes that are right, more for the server)
MODES = {
    "clean": ("url", {0}, []),
    "dies-after": ("exec", NOBODY, ["--after", "20"]),
    "dies-on": ("exec", CRASH, ["--word", "non_existent_agent"]),
    "dies-on url": ("url", CRASH, ["--word", "non_existent_agent"]),
    "no-accept": ("url", NOTHING, []),
    "no-accept exec": ("exec", NOTHING, []),
    "no-upgrade": ("url", NOTHING, []),
    "refuses": ("url", NOTHING, []),
    "refuses exec": ("exec", NOTHING, []),
    "resets": ("url", NOTHING, []),
    "says-401": ("url", NOTHING, []),
    "web-page": ("url", NOTHING, []),
    "silent-101": ("url", BROKEN, []),
    "garbage-101": ("url", BROKEN, []),
    "wrong-accept": ("url", BROKEN, []),
    "floods": ("url", BROKEN, []),
    "huge-length": ("url", BROKEN, []),
    "top-bit-length": ("url", BROKEN, []),
    "big-header": ("url", NOTHING, []),
    "endless-headers": ("url", NOTHING, []),
    "slow": ("url", NOTHING, []),
    "slow-events": ("url", BROKEN, []),
    "closes-after-101": ("url", BROKEN, []),
    "endless-pings": ("url", BROKEN, []),
    "bad-utf8": ("url", BROKEN, []),
    "masked": ("url", BROKEN, []),
    "endless-fragments": ("url", BROKEN, []),
    "tiny-fragments": ("url", BROKEN, []),
    "nonsense-json": ("url", BROKEN, []),
    "deep-json": ("url", BROKEN, []),
    "restarts": ("url", {0, 1, 2, 3}, []),
    "hangs-later": ("exec", BROKEN, ["--after", "20"]),
}


def judge(miswire, name, options):
    how, right, more = MODES[name]
    mode, marker = name.split()[0], f"hostile-{uuid.uuid4().hex}"
    port = fuzzrun.free_port()
    life = ["--life", str(options.time * 4 + 60)]
    # The marker is a word that the server ignores; it tells our children from all others.
    command = [sys.executable, SERVER, mode, "{port}", *more, *life]
    fixed = ["--contract", "agent-chat", "--seed", options.seed]
    with fuzzrun.work() as directory:
        link = os.path.join(directory, marker + ".py")
        os.symlink(SERVER, link)
        command[1] = link
        if how == "exec":
            words = " ".join(f"'{w}'" if " " in str(w) else str(w) for w in command)
            run = Fuzzed(miswire, ["--exec", words, *fixed], options.time, directory)
        else:
            argv = [str(w).replace("{port}", str(port)) for w in command]
            with Child(argv) as server:
                if mode not in ("refuses", "no-accept", "resets"):
                    fuzzrun.wait_until_listening(server.process, port)
                run = Fuzzed(miswire, [f"ws://127.0.0.1:{port}/ws", *fixed], options.time, directory)
        left = fuzzrun.children_of(marker)
        wrong = list(run.problems)
        if run.code is None:
            wrong.append("it did not end")
        elif run.code < 0:
            wrong.append(f"it ended by signal {-run.code}: {run.told()}")
        elif run.code not in right:
            wrong.append(f"exit {run.code}, expected {' or '.join(map(str, sorted(right)))}: {run.told()}")
        if run.seconds > options.time + fuzzrun.GRACE:
            wrong.append(f"{run.seconds:.1f} s, allowed {options.time + fuzzrun.GRACE:.0f} s")
        if run.peak > MEMORY:
            wrong.append(f"{run.peak >> 20} MiB, allowed {MEMORY >> 20}")
        told = {l.get("property") for l in run.lines if l.get("kind") == "violation"}
        if right == NOBODY and "R2" not in told:
            wrong.append(f"no R2 is told, only {told}")
        if right == CRASH and "R2" not in {l.get("property") for l in run.kept}:
            wrong.append(f"no R2 among {[l.get('finding') for l in run.kept]}")
        if left:
            wrong.append(f"processes {left} are left")
        found = " ".join(str(l.get("finding")) for l in run.kept)
        print(
            f"{'FAIL' if wrong else 'ok  '} {name:18} exit {str(run.code):4} {run.seconds:5.1f} s {run.peak >> 20:4} MiB"
            f" {run.summary.get('executions', '–'):>7} executions  {found}", *wrong, sep="  ", flush=True)
        if options.verbose:
            print(run.err, run.out[-2000:], sep="\n")
        return not wrong


def main():
    parser = argparse.ArgumentParser(description="miswire fuzz against servers that misbehave")
    parser.add_argument("miswire")
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--time", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    miswire = os.path.abspath(options.miswire)
    good = [judge(miswire, name, options) for name in options.modes.split(",")]
    print(f"hostile servers: {sum(good)} of {len(good)} runs as they must be")
    sys.exit(0 if all(good) else 1)


main()
