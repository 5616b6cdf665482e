"""One `miswire fuzz` as a child: bounded, measured, its reports read. For the fuzz-* scripts beside this file."""
import contextlib
import json, os, pathlib, socket, statistics, subprocess, sys, tempfile, time
import xml.etree.ElementTree as XML

ROOT = pathlib.Path(__file__).resolve().parent.parent
THIRD = ROOT / "Tests" / "ThirdParty"
EXITS = {0: "pass", 1: "violations", 2: "inconclusive", 3: "nothing exercised", 4: "usage", 5: "self-check failed", 130: "interrupted"}
# Beyond its budget a run may take so long to end, here and in the issue.
GRACE = 5.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(process, port, seconds=10):
    """False when the child ended instead. What accepts nothing listens too: the connection stands in its backlog."""
    over = time.monotonic() + seconds
    while time.monotonic() < over and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


class Child:
    """A process of ours, ended by its number when the block is over."""

    def __init__(self, argv, environment=None):
        self.process = subprocess.Popen(
            [str(word) for word in argv], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Its group is its own, so its children go with it.
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait()


def status(pid, key):
    """A line of /proc/PID/status in bytes; 0 when the process is gone."""
    try:
        for line in open(f"/proc/{pid}/status"):
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 0


def children_of(marker):
    """Processes whose command line holds the marker; only looked at, never ended."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                if marker.encode() in open(f"/proc/{name}/cmdline", "rb").read():
                    found.append(int(name))
            except OSError:
                pass
    return found


class Fuzzed:
    """What a run left: `code` (negative = signal, None = did not end and was ended by us), `seconds`, `peak` in bytes,
    `lines` of the NDJSON, `problems` of its reports."""

    def __init__(self, miswire, arguments, budget, directory, environment=None, limit=None):
        self.directory = pathlib.Path(directory)
        self.findings = self.directory / "findings"
        self.reports = {k: self.directory / f"report.{k}" for k in ("junit", "sarif", "ndjson")}
        self.argv = [str(a) for a in [
            miswire, "fuzz", *arguments, "--max-total-time", f"{budget:g}s", "--findings", self.findings, "--report",
            ",".join(f"{k}={v}" for k, v in self.reports.items()), "--json"]]
        # A work directory of its own: no run may meet the corpus or the findings of another.
        out, err = open(self.directory / "out", "wb"), open(self.directory / "err", "wb")
        clean = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
        started = time.monotonic()
        process = subprocess.Popen(
            self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=directory, env={**clean, **(environment or {})})
        self.peak, self.code = 0, None
        over = started + (limit or budget + GRACE + 30)
        while time.monotonic() < over:
            self.peak = max(self.peak, status(process.pid, "VmHWM"))
            if process.poll() is not None:
                self.code = process.returncode
                break
            time.sleep(0.05)
        else:
            process.kill()
            process.wait()
        self.seconds = time.monotonic() - started
        out.close(), err.close()
        self.out = (self.directory / "out").read_text(errors="replace")
        self.err = (self.directory / "err").read_text(errors="replace")
        self.budget = budget
        self.problems, self.lines = [], []
        self.read_reports()

    @property
    def kept(self):
        """Findings that count, each once, in the order reported."""
        by_id = {}
        for line in self.lines:
            if line.get("kind") == "violation" and not is_flaky(line):
                by_id[line.get("finding")] = line
        return list(by_id.values())

    @property
    def summary(self):
        return self.lines[-1] if self.lines and self.lines[-1].get("kind") == "summary" else {}

    def first_found(self, property_id=None):
        """Seconds and executions until a finding was first seen."""
        for line in self.stdout_lines():
            if line.get("kind") == "found" and property_id in (None, line.get("property")):
                return line.get("at"), line.get("executions")
        return None, None

    def stdout_lines(self):
        return read_ndjson(self.out)[0]

    def read_reports(self):
        if self.code in (4, None) or self.code < 0:
            return
        # What standard output said is enough to go on with; that the report is not there stays a problem.
        self.lines = self.stdout_lines()
        if (text := self.read("ndjson")) is not None:
            self.lines, wrong = read_ndjson(text)
            self.problems += [f"ndjson: {w}" for w in wrong]
            if not self.summary:
                self.problems.append("ndjson: the last line is no summary")
            elif self.summary.get("exit") != self.code:
                self.problems.append(f"ndjson: says exit {self.summary.get('exit')}, was {self.code}")
        if (text := self.read("junit")) is not None:
            try:
                tree = XML.fromstring(text)
                if not list(tree.iter("testcase")):
                    self.problems.append("junit: no test case")
            except XML.ParseError as error:
                self.problems.append(f"junit: {error}")
        if (text := self.read("sarif")) is not None:
            try:
                if "results" not in json.loads(text)["runs"][0]:
                    self.problems.append("sarif: no results")
            except (ValueError, KeyError, IndexError, TypeError) as error:
                self.problems.append(f"sarif: {error!r}")
        for line in self.kept:
            if self.plan(line) is None:
                self.problems.append(f"{line.get('finding')}: its plan {line.get('file')} is not there")

    def plan(self, line):
        """The file of a finding's plan; None when it is not there."""
        path = self.directory / str(line.get("file"))
        return path if "file" in line and path.is_file() else None

    def read(self, kind):
        try:
            text = self.reports[kind].read_text()
        except OSError as error:
            self.problems.append(f"{kind}: {error.strerror}")
            return None
        return text

    @property
    def open(self):
        """Sentences of findings that were seen when no time was left to run them again."""
        mark = " was seen and not run again: "
        said = [str(l.get("sentence")) for l in self.stdout_lines() if l.get("kind") == "warning"]
        return [sentence.split(mark, 1)[1] for sentence in said if mark in sentence]

    def code_without(self, library):
        """The exit code that it must have when all that is found is what `library` really does."""
        if any(is_real(library, line.get("sentence", "")) for line in self.kept):
            return 1
        return 2 if self.open and all(is_real(library, sentence) for sentence in self.open) else 0

    def told(self):
        """Why it went wrong, in one line."""
        said = [l.strip() for l in self.err.splitlines() if l.strip()][-3:]
        said += [str(l.get("sentence")) for l in self.stdout_lines() if l.get("kind") == "warning"][-3:]
        return " | ".join(said or [str(self.summary.get("reason") or self.summary.get("error") or "nothing was said")])[:400]


def is_flaky(line):
    return line.get("flaky") is True or str(line.get("attribution", "")).startswith("flaky")


def read_ndjson(text):
    lines, wrong = [], []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            lines.append(json.loads(line))
        except ValueError:
            wrong.append(f"line {number} is no JSON: {line[:80]}")
    return lines, wrong


def replay(miswire, plan, arguments, environment=None, seconds=120, runs=3):
    """Exit code and outcome (`STILL FAILING` …) of a replay."""
    argv = [str(a) for a in [miswire, "replay", plan, *arguments, "--runs", runs, "--json"]]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})})
    except subprocess.TimeoutExpired:
        return None, "did not end"
    lines, _ = read_ndjson(done.stdout)
    outcome = lines[-1].get("outcome") if lines else None
    return done.returncode, str(outcome or done.stderr.strip().replace("\n", " ")[-200:])


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def shown(value, digits=1):
    return "–" if value is None else f"{value:.{digits}f}" if isinstance(value, float) else str(value)


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |")
    sys.stdout.flush()


def work():
    return tempfile.TemporaryDirectory(prefix="miswire-fuzz-")


# Hunts: one planted defect, one run, and everything that is demanded of what comes of it.


def names_exchange(line, marks):
    """Whether the evidence of a finding names an exchange of which the server itself says that it went wrong."""
    text = json.dumps(line.get("witness", []))
    for mark in marks:
        if mark.get("request_id") is not None:
            if json.dumps(mark["request_id"]).strip('"') in text:
                return True
        elif (mark.get("connection_id") or "\0") in text:
            return True
        # An upgrade by nobody whom the server knows: its name for the connection is never told to anybody.
        elif mark.get("user") is None and mark.get("type") == "upgrade" and "Upgrade: websocket" in text:
            return True
        # In the run each user has a number behind the name (`alice-17`), in the finding none.
        elif (mark.get("user") or "").split("-")[0] in line.get("users", []):
            return True
    return False


class Hunt:
    """Fuzzes a server with one defect until its first finding; when another consequence of the defect came first, for the
    whole time. `wrong` says what of the demands does not hold."""

    def __init__(self, miswire, name, property_id, seed, seconds, contract, server, clean, marks=None, environment=None,
                 exposed=False, arguments=()):
        self.name, self.property, self.seed, self.wrong = name, property_id, seed, []
        self.steps = self.users = self.at = self.executions = None
        self.attribution = self.replayed = "–"
        with contextlib.ExitStack() as stack:
            for limit in (["--max-failures", 1], []):
                run = Fuzzed(
                    miswire, ["--exec", server, "--contract", contract, "--seed", seed, *limit, *arguments], seconds,
                    stack.enter_context(work()), environment)
                if any(l.get("property") == property_id for l in run.kept):
                    break
            self.seconds, self.code = run.seconds, run.code
            self.wrong += run.problems
            if run.code != 1:
                self.wrong.append(f"exit {run.code}, expected 1: {run.told()}")
            if run.seconds > seconds + GRACE:
                self.wrong.append(f"{run.seconds:.0f} s, allowed {seconds + GRACE:.0f} s")
            self.heads = [str(l.get("finding")) for l in run.kept]
            # What else the same defect makes go wrong may stand beside it, never instead of it.
            mine = [l for l in run.kept if l.get("property") == property_id]
            if not mine:
                self.wrong.append(f"found {self.heads or 'nothing'}, expected {property_id}")
            else:
                self.look(run, mine[0], marks, exposed)
                self.play(miswire, run, mine[0], server, clean, environment)

    def look(self, run, line, marks, exposed):
        self.at, self.executions = run.first_found(self.property)
        if self.at is None:
            self.at = line.get("at", run.seconds)
        self.steps = line.get("steps")
        plan = run.plan(line)
        self.users = sum(l.startswith("user ") for l in plan.read_text().splitlines()) if plan else None
        self.attribution = str(line.get("attribution", "–"))
        if exposed != self.attribution.startswith("fault"):
            self.wrong.append(f"attribution {self.attribution}, expected {'fault-exposed' if exposed else 'intrinsic'}")
        if marks is not None:
            triggered = [m for m in read_ndjson(marks())[0] if m.get("mark") == "TRIGGERED"]
            if not triggered:
                self.wrong.append("the server never triggered it")
            elif not names_exchange(line, triggered):
                self.wrong.append("the evidence names no exchange that the server's marks name")

    def play(self, miswire, run, line, server, clean, environment):
        plan = run.plan(line)
        if plan is None:
            return
        code, outcome = replay(miswire, plan, ["--exec", server], environment)
        # A crowded machine leaves deadlines undecided; that is no answer, so it is asked once more.
        after, sound = replay(miswire, plan, ["--exec", clean], environment)
        if after == 2:
            after, sound = replay(miswire, plan, ["--exec", clean], environment)
        self.replayed = f"{outcome} / {sound}"
        if code != 1:
            self.wrong.append(f"replay says {outcome} (exit {code}), expected STILL FAILING")
        if after != 0:
            self.wrong.append(f"replay on the sound server says {sound} (exit {after}), expected FIXED")
        if code != 1 or after != 0:
            self.wrong.append("plan: " + " ⏎ ".join(plan.read_text().splitlines()))

    HEAD = ["bug", "property", "seed", "found after, s", "executions", "steps", "users", "attribution", "replay: with bug / without"]

    def row(self):
        return [
            self.name, self.property, self.seed, shown(self.at), shown(self.executions), shown(self.steps), shown(self.users),
            self.attribution, self.replayed]

    def say(self):
        print(
            f"{'FAIL' if self.wrong else 'ok  '} {self.name} seed {self.seed} {' '.join(self.heads):14} {shown(self.at)} s"
            f" {shown(self.executions)} executions, {shown(self.steps)} steps, {shown(self.users)} users, {self.attribution},"
            f" {self.replayed}; {self.seconds:.0f} s in all", *self.wrong, sep="\n     ", flush=True)


def conclude(hunts):
    """The table, and whether medians are what they must be."""
    table(Hunt.HEAD, [hunt.row() for hunt in hunts])
    seconds, steps, users = (median([getattr(h, k) for h in hunts]) for k in ("at", "steps", "users"))
    found = sum(h.at is not None for h in hunts)
    print(
        f"\n{found} of {len(hunts)} found; median {shown(seconds)} s, {shown(steps)} steps, {shown(users)} users;"
        f" {sum(not h.wrong for h in hunts)} of {len(hunts)} as they must be", flush=True)
    small = (steps or 0) <= 6 and (users or 0) <= 2
    if not small:
        print("FAIL the median plan is larger than 6 steps or 2 users")
    return small and not any(h.wrong for h in hunts)


# What servers of other makers really do against the standards: (library, part of the sentence): why it is real.
REAL = {
    ("aiohttp", "a client's frame is not masked"):
        "it takes unmasked frames and answers them; RFC 6455 5.1: the server MUST close the connection",
}


def is_real(library, sentence):
    return any(library == name and part in sentence for name, part in REAL)


def stays_silent(miswire, name, seed, seconds, contract, server, environment=None, library=None):
    """A sound server: exit 0 and no finding but what its library really does."""
    with work() as directory:
        run = Fuzzed(miswire, ["--exec", server, "--contract", contract, "--seed", seed], seconds, directory, environment)
        wrong = list(run.problems)
        real = [line for line in run.kept if is_real(library, line.get("sentence", ""))]
        if run.code != run.code_without(library):
            wrong.append(f"exit {run.code}: {run.told()}")
        if run.seconds > seconds + GRACE:
            wrong.append(f"{run.seconds:.0f} s, allowed {seconds + GRACE:.0f} s")
        for line in run.kept:
            if line in real:
                continue
            plan = run.plan(line)
            wrong.append(f"{line.get('finding')} {line.get('sentence')}, {line.get('attribution')}")
            wrong.append(plan.read_text() if plan else json.dumps(line.get("witness")))
        executions = run.summary.get("executions") or 0
        flaky = [l.get("finding") for l in run.lines if l.get("kind") == "violation" and is_flaky(l)]
        print(
            f"{'FAIL' if wrong else 'ok  '} {name} clean, seed {seed}: exit {run.code}, {run.seconds:.0f} s,"
            f" {executions:,} executions ({executions / max(run.seconds, 0.1):.0f}/s), stability {run.summary.get('stability')},"
            f" flaky {flaky}, peak {run.peak >> 20} MiB"
            + "".join(f", real: {line.get('finding')} {line.get('sentence')}" for line in real), *wrong, sep="\n     ", flush=True)
        return not wrong


def span(text):
    """`60s`, `5m`, `90` in seconds."""
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    return float(text[:-1]) * unit if unit else float(text)
