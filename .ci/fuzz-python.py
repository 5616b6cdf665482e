#!/usr/bin/env python3
"""The same demands as fuzz-bugs.py, of a server that shares no code with Miswire: Tests/ThirdParty/agent_chat_server.py,
clean and with each of its three bugs.

    fuzz-python.py MISWIRE [--seeds 1,2,3] [--time 60s] [--bugs NAMES] [--clean 60s] [--no-bugs] [--python PYTHON]

PYTHON has aiohttp (Tests/ThirdParty/requirements.txt).
"""
import argparse, os, sys

import fuzzrun
from fuzzrun import Hunt, THIRD

PROPERTY = {"broadcast-errors": "I2", "success-theatre": "E4", "tool-errors-dropped": "E3"}
# Its library takes frames that are not masked (C1), which would end each hunt for something else.
OURS = "H1,E1,E3,E4,E5,I1,I2,A1"
ENVIRONMENT = {"MISWIRE_JWT_KEY": "a key of the third party"}


def main():
    parser = argparse.ArgumentParser(description="miswire fuzz against a Python server")
    parser.add_argument("miswire")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--time", default="60s")
    parser.add_argument("--bugs", default=",".join(PROPERTY))
    parser.add_argument("--clean", default="60s")
    parser.add_argument("--no-bugs", action="store_true")
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    miswire, good = os.path.abspath(options.miswire), True
    seeds = [int(s) for s in options.seeds.split(",")]
    clean = f"'{os.path.abspath(options.python)}' '{THIRD / 'agent_chat_server.py'}' --port {{port}}"
    if not options.no_bugs:
        hunts = []
        for bug in options.bugs.split(","):
            for seed in seeds:
                found = Hunt(
                    miswire, bug, PROPERTY[bug], seed, fuzzrun.span(options.time), "agent-chat", f"{clean} --bug {bug}",
                    clean, environment=ENVIRONMENT, arguments=["--checks", OURS])
                found.say()
                hunts.append(found)
        good &= fuzzrun.conclude(hunts)
    if fuzzrun.span(options.clean) > 0:
        for seed in seeds:
            good &= fuzzrun.stays_silent(
                miswire, "Python server", seed, fuzzrun.span(options.clean), "agent-chat", clean, ENVIRONMENT, "aiohttp")
    sys.exit(0 if good else 1)


main()
