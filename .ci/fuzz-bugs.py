#!/usr/bin/env python3
"""Has `miswire fuzz` find each bug of the reference backend from the contract alone: headed by the right property, shrunk,
attributed, and replayable; and find nothing in the sound backend.

    fuzz-bugs.py MISWIRE [--seeds 1,2,3] [--time 60s] [--bugs B08,B10] [--clean 5m] [--no-bugs] [--again OPTION…]

Prints one line a run, then a Markdown table with medians. Exit 1 when a demand does not hold. `--clean T` runs the sound
backend for T a seed besides; `--no-bugs` leaves out the rest. What follows `--again` goes to each `miswire fuzz`.
"""
import argparse, os, re, subprocess, sys

import fuzzrun
from fuzzrun import Hunt

# fuzzing.md, "reported as".
PROPERTY = {
    "B01": "H1", "B02": "H1", "B03": "E1", "B04": "E1", "B05": "E2", "B06": "E2", "B07": "E1", "B08": "E3", "B09": "E4", "B10": "I2",
    "B11": "I1", "B12": "I2", "B13": "I2", "B14": "I1", "B15": "A1", "B16": "A1", "B17": "A1", "B18": "D1", "B19": "D2", "B20": "D1",
    "B21": "R1", "B22": "R1", "B23": "R1", "B24": "R3", "B25": "C1", "B26": "C1", "B27": "I3", "B28": "E5", "B29": "E3", "B30": "I4",
}
# Those that show only under a fault, so that the fault belongs to the finding.
EXPOSED = {"B01", "B07", "B17", "B18", "B19", "B20", "B21", "B23", "B24"}


def known(miswire):
    done = subprocess.run([miswire, "backend", "--help"], capture_output=True, text=True, timeout=30)
    return re.findall(r"\bB\d\d\b", next((l for l in done.stdout.splitlines() if l.startswith("Bugs:")), ""))


def hunt(miswire, bug, seed, options):
    with fuzzrun.work() as directory:
        marks = os.path.join(directory, "marks.ndjson")

        def read():
            return open(marks).read() if os.path.exists(marks) else ""

        found = Hunt(
            miswire, bug, PROPERTY[bug], seed, fuzzrun.span(options.time), options.contract,
            f"'{miswire}' backend --bugs {bug} --marks '{marks}' --port {{port}}", f"'{miswire}' backend --port {{port}}",
            marks=read, exposed=bug in EXPOSED, arguments=options.again)
        found.say()
        return found


def main():
    parser = argparse.ArgumentParser(description="miswire fuzz against the reference backend")
    parser.add_argument("miswire")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--time", default="60s")
    parser.add_argument("--bugs", default="")
    parser.add_argument("--clean")
    parser.add_argument("--no-bugs", action="store_true")
    parser.add_argument("--contract", default="demo")
    parser.add_argument("--again", nargs=argparse.REMAINDER, default=[])
    options = parser.parse_args()
    miswire, good = os.path.abspath(options.miswire), True
    seeds = [int(s) for s in options.seeds.split(",")]
    there = known(miswire)
    for bug in there:
        if bug not in PROPERTY:
            good = False
            print(f"FAIL {bug}: the backend knows it, this script does not")
    if not options.no_bugs:
        bugs = options.bugs.split(",") if options.bugs else there
        hunts = [hunt(miswire, bug, seed, options) for bug in bugs for seed in seeds]
        good &= fuzzrun.conclude(hunts)
    if options.clean:
        for seed in seeds:
            good &= fuzzrun.stays_silent(
                miswire, "reference backend", seed, fuzzrun.span(options.clean), options.contract,
                f"'{miswire}' backend --port {{port}}")
    sys.exit(0 if good else 1)


main()
