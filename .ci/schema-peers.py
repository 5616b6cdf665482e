#!/usr/bin/env python3
"""Asks the `jsonschema` library about the vectors of Tests/ContractsTests/Vectors/Schema: whatever our validator calls valid or
invalid it must call so too. What we leave open may be either; `"peer": false` marks what the library does not read.

    schema-peers.py
"""
import json
import pathlib
import sys

import jsonschema

DIRECTORY = pathlib.Path(__file__).resolve().parent.parent / "Tests/ContractsTests/Vectors/Schema"
asked, open_, wrong = 0, 0, []
for path in sorted(DIRECTORY.glob("*.json")):
    for vector in json.loads(path.read_text()):
        if vector.get("peer") is False or "cases" not in vector:
            continue
        schema = vector["schema"]
        default = jsonschema.Draft202012Validator
        validator = (jsonschema.validators.validator_for(schema, default) if isinstance(schema, dict) else default)(schema)
        for value, wanted, *_ in vector["cases"]:
            if wanted == "unknown":
                open_ += 1
                continue
            asked += 1
            found = "valid" if validator.is_valid(value) else "invalid"
            if found != wanted:
                wrong.append(f"{path.stem}: {json.dumps(schema)} and {json.dumps(value)}: ours {wanted}, theirs {found}")
print(*wrong, sep="\n")
print(f"JSON Schema: {asked - len(wrong)} of {asked} answers agree with jsonschema, {open_} left open")
sys.exit(1 if wrong or not asked else 0)
