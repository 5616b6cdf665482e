#!/usr/bin/env python3
"""Plants each bug of the reference backend alone and demands exactly one finding, headed by the property of its row in
the table of bugs, whose evidence names the exchange that the backend's own TRIGGERED mark names.

    bugs.py MISWIRE [--profiles]      --profiles: also under every shipped profile whose faults leave the bug's path alone
"""
import json, os, subprocess, sys, tempfile

PROPERTY = {"B01": "H1", "B02": "H1", "B03": "E1", "B08": "E3", "B09": "E4", "B10": "I2", "B12": "I2", "B15": "A1", "B28": "E5"}
PROFILES = ["delayed-accept", "lost-credential", "mutated-requests", "crossed-streams", "crossed-requests"]
# Bugs that only some profiles can provoke: B01 shows where an upgrade request arrives late, and nowhere else.
NEEDS = {"B01": ["delayed-accept"]}


def stage(bug, profile):
    """The users who provoke the bug: those of `transparent` provoke all that need no fault, but where credentials are
    lost every second of their connections is refused; there the users who were written for it play."""
    return profile if bug in NEEDS or profile == "lost-credential" else "transparent"


def run(miswire, bug, stage=None, profile=None):
    with tempfile.TemporaryDirectory() as d:
        marks = os.path.join(d, "marks.ndjson")
        argv = [miswire, "demo", "--json", "--bugs", bug, "--marks", marks, "--findings", d]
        argv += ["--stage", stage] if stage else []
        argv += ["--profile", profile] if profile else []
        done = subprocess.run(argv, capture_output=True, text=True, timeout=240)
        lines = [json.loads(l) for l in done.stdout.splitlines()]
        found = [json.loads(l) for l in open(marks)] if os.path.exists(marks) else []
        return done, lines, [m for m in found if m["mark"] == "TRIGGERED"]


def names_exchange(finding, marks):
    text = json.dumps(finding["witness"])
    for mark in marks:
        if mark.get("request_id") is not None and json.dumps(mark["request_id"]).strip('"') in text:
            return True
        if mark.get("request_id") is None and (mark.get("connection_id") or "") in text or mark.get("user") in finding["users"]:
            return True
    return False


def judge(bug, what, done, lines, marks):
    wrong = []
    if done.returncode != 1:
        wrong.append(f"exit {done.returncode}, expected 1: {done.stderr[-300:]}")
    findings = [l for l in lines if l["kind"] == "violation"]
    heads = [f["finding"] for f in findings]
    if len(findings) != 1 or findings[0]["property"] != PROPERTY[bug]:
        wrong.append(f"findings {heads}, expected exactly one headed by {PROPERTY[bug]}")
    if not marks:
        wrong.append("the backend never triggered it")
    elif findings and not names_exchange(findings[0], marks):
        wrong.append(f"the evidence does not name the exchange of {marks[0]}")
    summary = lines[-1] if lines else {}
    print(f"{'FAIL' if wrong else 'ok  '} {bug} {what:28} {' '.join(heads):14} {summary.get('ms', 0) / 1000:5.1f} s", *wrong, sep="  ", flush=True)
    return not wrong


def main():
    miswire, good = sys.argv[1], True
    for bug in PROPERTY:
        good &= judge(bug, "demo", *run(miswire, bug))
    if "--profiles" in sys.argv:
        for profile in PROFILES:
            for bug in PROPERTY:
                if profile in NEEDS.get(bug, PROFILES):
                    good &= judge(bug, profile, *run(miswire, bug, stage(bug, profile), profile))
    print("9 bugs,", "each found as it must be" if good else "NOT as they must be")
    sys.exit(0 if good else 1)


main()
