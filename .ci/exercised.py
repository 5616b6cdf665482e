#!/usr/bin/env python3
"""Reads what `miswire demo --json` wrote for the clean server and demands that the run showed something: on `transparent`
each property asked at least 20 times (X1 once a fault on `lost-credential`, which states an expectation), under every other profile at least 10 faults acted and excuses no more than they,
no violation anywhere.

    exercised.py DEMO.ndjson
"""
import json, sys

stages = [s for s in map(json.loads, open(sys.argv[1])) if s["kind"] == "stage"]
wrong = [] if stages else ["no stage was played"]
for stage in stages:
    name, properties = stage["name"], stage["properties"]
    faultless = name in ("transparent", "interleaved-users")
    if name == "transparent":
        asked = [p for p in properties if p["id"] != "X1"]
        wrong += [f"{name}: {p['id']} asked {p['checked']} times, 20 expected" for p in asked if p["checked"] < 20]
    if name == "lost-credential":
        stated = sum(p["checked"] for p in properties if p["id"] == "X1")
        if stated < stage["faults"]:
            wrong.append(f"{name}: X1 asked {stated} times, {stage['faults']} expected")
    if not faultless and stage["faults"] < 10:
        wrong.append(f"{name}: {stage['faults']} faults acted, 10 expected")
    excused = sum(p["excused"] for p in properties)
    if excused > stage["faults"]:
        wrong.append(f"{name}: {excused} excuses, {stage['faults']} faults")
    wrong += [f"{name}: {p['id']} failed {p['fail']} times" for p in properties if p["fail"]]
    print(f"{name:18} {stage['faults']:3} faults  {excused} excused  " + " ".join(f"{p['id']} {p['checked']}" for p in properties))
print(*wrong, sep="\n")
sys.exit(1 if wrong else 0)
