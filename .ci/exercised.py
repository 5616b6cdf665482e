#!/usr/bin/env python3
"""Reads what `miswire demo --json` wrote for the clean server and demands that the run showed something: on `transparent`
each property that a demo can ask asked at least 20 times (X1 once a fault on `lost-credential`, which states an expectation;
D2 once a cut on `flaky-network`, where clients resume; H2 and R1 to R3 have plans of their own, .ci/judge-table), under every
other profile at least 10 faults acted (on `flaky-network` each cuts a run: 4), of no property more excuses than they, no
violation anywhere.

    exercised.py DEMO.ndjson
"""
import json, sys

stages = [s for s in map(json.loads, open(sys.argv[1])) if s["kind"] == "stage"]
wrong = [] if stages else ["no stage was played"]
for stage in stages:
    name, properties = stage["name"], stage["properties"]
    faultless = name in ("transparent", "interleaved-users")
    if name == "transparent":
        asked = [p for p in properties if p["id"] not in ("X1", "D2", "H2", "R1", "R2", "R3")]
        wrong += [f"{name}: {p['id']} asked {p['checked']} times, 20 expected" for p in asked if p["checked"] < 20]
    if name == "lost-credential":
        stated = sum(p["checked"] for p in properties if p["id"] == "X1")
        if stated < stage["faults"]:
            wrong.append(f"{name}: X1 asked {stated} times, {stage['faults']} expected")
    if name == "flaky-network":
        resumed = sum(p["pass"] for p in properties if p["id"] == "D2")
        if resumed < stage["faults"]:
            wrong.append(f"{name}: {resumed} resumed, {stage['faults']} expected")
    least = 4 if name == "flaky-network" else 10
    if not faultless and stage["faults"] < least:
        wrong.append(f"{name}: {stage['faults']} faults acted, {least} expected")
    # One fault may excuse a run and the tool that was open in it.
    excused = max(p["excused"] for p in properties)
    if excused > stage["faults"]:
        wrong.append(f"{name}: {excused} excuses, {stage['faults']} faults")
    wrong += [f"{name}: {p['id']} failed {p['fail']} times" for p in properties if p["fail"]]
    print(f"{name:18} {stage['faults']:3} faults  {excused} excused  " + " ".join(f"{p['id']} {p['checked']}" for p in properties))
print(*wrong, sep="\n")
sys.exit(1 if wrong else 0)
