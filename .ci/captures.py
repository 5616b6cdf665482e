#!/usr/bin/env python3
"""Imports every capture of corpus/captures and compares what comes out, byte for byte, with what was really said.

    python3 .ci/captures.py MISWIRE [--corpus corpus/captures] [NAME...]

Truth is `truth.ndjson`, the log of the server that took part. Per user and direction, the data messages of
`miswire export --format ndjson` must be those of the truth in the same order; and for captures of packets, those that
tshark extracts from the same file as well. Exit 1 and the first difference otherwise.
"""

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile

from dissection import UNREAD_BY_TSHARK, found, payload

os.environ.setdefault("MISWIRE_ALLOW_ROOT", "1")
SOURCES = ("capture.pcap", "capture.pcapng", "trace.har", "dump.flow")


class Different(Exception):
    pass


def messages(path):
    """(user, direction) -> [(opcode, bytes)], of text and binary messages."""
    said, lines = {}, []
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    # A connection's user may be known later than its first message.
    users = {line.get("connection") or line.get("session"): line["user"] for line in lines if line.get("user")}
    for line in lines:
        if line["opcode"] not in (1, 2):
            continue
        user = users.get(line.get("connection") or line.get("session"), "")
        said.setdefault((user, line["direction"]), []).append((line["opcode"], payload(line)))
    return said


def imported(miswire, source, keys):
    with tempfile.TemporaryDirectory() as work:
        out, lines = os.path.join(work, "recording"), os.path.join(work, "messages.ndjson")
        command = [miswire, "import", source, "--out", out, "--contract", "agent-chat"]
        command += ["--keylog", keys] if keys else []
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if result.returncode != 0:
            raise Different(f"import ended with {result.returncode}: {result.stdout}{result.stderr}")
        command = [miswire, "export", out, "--format", "ndjson", "--out", lines]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if result.returncode != 0:
            raise Different(f"export ended with {result.returncode}: {result.stdout}{result.stderr}")
        return messages(lines)


def subject(bearer):
    body = bearer.split()[-1].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["sub"]


def dissected(source, keys):
    """The same from tshark."""
    users, servers, said = {}, {}, {}
    for it in found(source, keys):
        if it.authorization:
            users[it.stream], servers[it.stream] = subject(it.authorization), it.target
        else:
            direction = "toServer" if servers[it.stream] == it.target else "toClient"
            said.setdefault((users[it.stream], direction), []).append(it.message)
    return said


def compare(name, truth, found, who):
    for key in sorted(set(truth) | set(found)):
        want, got = truth.get(key, []), found.get(key, [])
        for index in range(max(len(want), len(got))):
            expected = want[index] if index < len(want) else None
            actual = got[index] if index < len(got) else None
            if expected != actual:
                user, direction = key
                raise Different(
                    f"message {index + 1} of {user or 'nobody'} {direction}\n  truth  {expected}\n  {who:<6} {actual}")
    return sum(map(len, truth.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("miswire")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--corpus", default=os.path.join(here, "..", "corpus", "captures"))
    options = parser.parse_intermixed_args()
    present = sorted(name for name in os.listdir(options.corpus) if os.path.isdir(os.path.join(options.corpus, name)))
    wrong = 0
    for name in options.names or present:
        folder = os.path.join(options.corpus, name)
        source = next(path for file in SOURCES if os.path.exists(path := os.path.join(folder, file)))
        keys = os.path.join(folder, "keys.log")
        keys = keys if os.path.exists(keys) else None
        try:
            truth = messages(os.path.join(folder, "truth.ndjson"))
            if not truth:
                raise Different("the truth is empty")
            count = compare(name, truth, imported(options.miswire, source, keys), "import")
            who = "import"
            if "pcap" in source and name not in UNREAD_BY_TSHARK:
                compare(name, truth, dissected(source, keys), "tshark")
                who = "import, tshark"
            print(f"{name}: {count} messages of {len({user for user, _ in truth})} users as the server logged them ({who})")
        except Different as difference:
            wrong += 1
            print(f"{name}: {difference}", file=sys.stderr)
    if wrong:
        sys.exit(f"{wrong} captures differ")
    if not (options.names or present):
        sys.exit("there are no captures")


if __name__ == "__main__":
    main()
