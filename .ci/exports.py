#!/usr/bin/env python3
"""Every capture of corpus/captures, exported and read by others: HAR by a schema of HAR 1.2 with Chrome's WebSocket
messages, by a HAR library of PyPI and by our own importer; pcapng by tshark, which must find every message.

    python3 .ci/exports.py MISWIRE [NAME...]
"""
import base64
import collections
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

from dissection import UNREAD_BY_TSHARK, by_miswire, by_tshark, first_difference

os.environ.setdefault("MISWIRE_ALLOW_ROOT", "1")
HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE.parent / "corpus" / "captures"
READERS = ["haralyzer==2.4.0", "jsonschema==4.25.1"]


def text(**more):
    return {"type": "string", **more}


def number(least=-1):
    return {"type": "number", "minimum": least}


def structure(required, **members):
    return {"type": "object", "required": required.split(), "properties": members}


def rows(item):
    return {"type": "array", "items": item}


# The specification of HAR 1.2: what it demands, and which members have which type.
MOMENT = text(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
PAIRS = rows(structure("name value", name=text(), value=text()))
COOKIES = rows(structure("name value", name=text(), value=text()))
REQUEST = structure(
    "method url httpVersion cookies headers queryString headersSize bodySize", method=text(), url=text(pattern=r"^wss?://"),
    httpVersion=text(), cookies=COOKIES, headers=PAIRS, queryString=PAIRS, headersSize=number(), bodySize=number())
RESPONSE = structure(
    "status statusText httpVersion cookies headers content redirectURL headersSize bodySize", status={"type": "integer"},
    statusText=text(), httpVersion=text(), cookies=COOKIES, headers=PAIRS, redirectURL=text(), headersSize=number(), bodySize=number(),
    content=structure("size mimeType", size=number(), mimeType=text()))
# As DevTools writes them (front_end/models/har): wall clock in seconds.
MESSAGE = structure(
    "type time opcode data", type={"enum": ["send", "receive", "error"]}, time=number(1_000_000_000), opcode={"type": "integer"},
    data=text())
ENTRY = structure(
    "startedDateTime time request response cache timings _resourceType _webSocketMessages", startedDateTime=MOMENT, time=number(0),
    request=REQUEST, response=RESPONSE, cache={"type": "object"}, _resourceType={"const": "websocket"}, _webSocketMessages=rows(MESSAGE),
    timings=structure("send wait receive", send=number(), wait=number(), receive=number()))
SCHEMA = structure(
    "log", log=structure(
        "version creator entries", version={"const": "1.2"}, creator=structure("name version", name=text(), version=text()),
        pages=rows({"type": "object"}), entries=rows(ENTRY)))


def run(*argv):
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=120)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit {done.returncode}: {done.stderr[-1000:]}")
    return done.stdout


def said(miswire, recording):
    return by_miswire(run(miswire, "export", recording, "--format", "ndjson"))


def must_equal(name, who, ours, theirs):
    if ours != theirs:
        sys.exit(f"{name}: {who}: {first_difference(ours, theirs)}")


def check_har(name, path, expected):
    import haralyzer
    import jsonschema

    har = json.loads(path.read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(har)
    found = haralyzer.HarParser(har)
    assert found.version == "1.2" and found.creator["name"] == "miswire"
    assert len(found.har_data["entries"]) == len(har["log"]["entries"]) > 0
    for entry in haralyzer.HarParser(har).har_data["entries"]:
        read = haralyzer.HarEntry(entry)
        assert read.request.method == "GET" and read.response.status == 101 and read.startTime and read.time >= 0
    lists = collections.defaultdict(list)
    for number, entry in enumerate(har["log"]["entries"]):
        for row in entry["_webSocketMessages"]:
            if row["opcode"] in (1, 2):
                isText = row["opcode"] == 1 and row.get("encoding") != "base64"
                lists[number, row["type"]].append(row["data"].encode() if isText else base64.b64decode(row["data"]))
    must_equal(name, "HAR", expected, sorted(lists.values()))


def check(miswire, names):
    for folder in [CORPUS / name for name in names] or sorted(path for path in CORPUS.iterdir() if path.is_dir()):
        name = folder.name
        source = next(path for path in folder.iterdir() if path.name.split(".")[0] in ("capture", "trace", "dump"))
        keys = ["--keylog", folder / "keys.log"] if (folder / "keys.log").exists() else []
        with tempfile.TemporaryDirectory() as work:
            work = pathlib.Path(work)
            run(miswire, "import", source, "--out", work / "rec", *keys)
            expected = said(miswire, work / "rec")
            count = sum(map(len, expected))
            assert count, f"{name}: nothing was said"
            run(miswire, "export", work / "rec", "--format", "har", "--out", work / "trace.har")
            check_har(name, work / "trace.har", expected)
            run(miswire, "import", work / "trace.har", "--out", work / "again")
            must_equal(name, "the HAR imported", expected, said(miswire, work / "again"))
            readers = "HAR by schema, library and importer"
            if name not in UNREAD_BY_TSHARK:
                run(miswire, "export", work / "rec", "--format", "pcapng", "--out", work / "packets.pcapng")
                must_equal(name, "tshark", expected, by_tshark(work / "packets.pcapng"))
                readers += ", pcapng by tshark"
            print(f"{name}: {count} messages: {readers}", flush=True)


def main():
    miswire, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
    if importlib.util.find_spec("haralyzer") and importlib.util.find_spec("jsonschema"):
        return check(miswire, names)
    with tempfile.TemporaryDirectory() as work:
        venv.create(work, with_pip=True)
        subprocess.run([f"{work}/bin/pip", "--disable-pip-version-check", "-q", "install", *READERS], check=True)
        sys.exit(subprocess.run([f"{work}/bin/python", __file__, miswire, *names]).returncode)


if __name__ == "__main__":
    main()
