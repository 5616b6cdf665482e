#!/usr/bin/env python3
"""Holds `miswire profile schema` against a validator that is not ours: it is a schema of draft 2020-12, it takes every profile
that ships and others that `miswire profile check` takes, and what that refuses by form it refuses too.

    profile-schema.py MISWIRE
"""
import glob, importlib.util, json, os, pathlib, subprocess, sys, tempfile, venv

READERS = ["jsonschema==4.25.1", "PyYAML==6.0.2"]
HEAD = "miswire: 1\nname: a\n"
BAD = [
    "name: a\n", "miswire: 2\nname: a\n", HEAD + "fault: []\n", HEAD + "faults:\n  - fault: dropp\n",
    HEAD + "faults:\n  - { fault: delay, delay: fast }\n", HEAD + "faults:\n  - { fault: delay, dely: 3ms }\n",
    HEAD + "scope: { share: 200% }\n", HEAD + "faults:\n  - { fault: drop, when: { message: third } }\n",
    HEAD + "faults:\n  - { fault: drop, expect: fine }\n", HEAD + "faults:\n  - { fault: accept-delay, stage: now }\n",
    HEAD + "scope: { budget: { total: many } }\n", HEAD + "faults:\n  - { latency: 3ms }\n", HEAD + "about: ''\n",
    HEAD + "faults:\n  - { fault: drop, when: { opcode: 16 } }\n", HEAD + "faults:\n  - { fault: tls-version, min: 1.4 }\n",
]
GOOD = [
    "miswire: 1\nname: 7\n", HEAD + "seed: ~\nabout: ~\nscope: { share: ~ }\nfaults: ~\n",
    HEAD + "faults:\n  - { fault: drop, when: ~, expect: nothing lost within 2s }\n",
    HEAD + "faults:\n  - { fault: drop, when: { opcode: 9, to: ~, connection: nth  2 } }\n",
    HEAD + "faults:\n  - { fault: tls-version, min: 1.1, max: '1.2' }\n", HEAD + "faults:\n  - { fault: inject, payload: true }\n",
]


def check(miswire):
    import jsonschema, yaml

    schema = json.loads(subprocess.run([miswire, "profile", "schema"], capture_output=True, check=True, text=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    shipped = sorted(glob.glob(str(pathlib.Path(__file__).parent.parent / "profiles/*.yaml")))
    wrong = [] if shipped else ["no profile ships"]
    for file in shipped:
        wrong += [f"{file}: {error.message[:200]}" for error in validator.iter_errors(yaml.safe_load(open(file)))]
    with tempfile.TemporaryDirectory() as folder:
        for text in BAD + GOOD:
            file = pathlib.Path(folder) / "made.yaml"
            file.write_text(text)
            code = subprocess.run([miswire, "profile", "check", str(file)], capture_output=True).returncode
            expected = 0 if text in GOOD else 4
            if code != expected:
                wrong.append(f"miswire profile check: exit {code}, expected {expected}: {text!r}")
            if validator.is_valid(yaml.safe_load(text)) != (text in GOOD):
                wrong.append(f"the schema {'refuses' if text in GOOD else 'takes'} {text!r}")
    print(
        *wrong, f"profile schema: {len(shipped)} shipped profiles, {len(GOOD)} good and {len(BAD)} bad ones, {len(wrong)} wrong",
        sep="\n")
    return 1 if wrong else 0


def main():
    miswire = os.path.abspath(sys.argv[1])
    if all(importlib.util.find_spec(name) for name in ("jsonschema", "yaml")):
        return check(miswire)
    with tempfile.TemporaryDirectory() as work:
        venv.create(work, with_pip=True)
        subprocess.run([f"{work}/bin/pip", "--disable-pip-version-check", "-q", "install", *READERS], check=True)
        return subprocess.run([f"{work}/bin/python", __file__, miswire]).returncode


sys.exit(main())
