"""What the three harnesses share: packages in a virtual environment, a proxy as a child process, free ports."""
import argparse
import importlib.util
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("MISWIRE_ALLOW_ROOT", "1")

# A debug build writes and judges some thousand entries a second; what is queued is bounded, so this is too.
DRAIN = 120


def arguments(about, **defaults):
    """--proxy and --venv, which every harness takes."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument(
        "--proxy", required=True, metavar="CMD",
        help="command that starts the proxy; {listen} becomes HOST:PORT, {upstream} ws://HOST:PORT, {record} a new directory")
    parser.add_argument("--quick", action="store_true", help="a small run, at most 10 s")
    parser.add_argument("--venv", help="virtual environment to use; made when it is not there")
    for name, (kind, value, text) in defaults.items():
        parser.add_argument("--" + name, type=kind, default=value, help=f"{text} ({value})")
    return parser


def need(packages, venv):
    """Makes the packages importable: as they are, or by running this script again inside a virtual environment."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if not missing:
        return
    if os.environ.get("MISWIRE_PEERS_VENV"):
        sys.exit(f"error: {', '.join(missing)} could not be installed")
    temporary = None if venv else tempfile.TemporaryDirectory(prefix="miswire-peers-")
    place = venv or temporary.name
    python = os.path.join(place, "bin", "python3")
    try:
        if not os.path.exists(python):
            subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
        again = subprocess.run([python, *sys.argv], env={**os.environ, "MISWIRE_PEERS_VENV": place})
    finally:
        if temporary:
            temporary.cleanup()
    sys.exit(again.returncode)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    """Whether somebody listens on that port, without connecting to it."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = open(table).read().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if words[3] == "0A" and int(words[1].split(":")[1], 16) == port:
                return True
    return False


class Proxy:
    """The proxy under test, from start to its orderly end."""

    def __init__(self, command, upstream_port):
        self.port = free_port()
        self.place = tempfile.TemporaryDirectory(prefix="miswire-peers-")
        filled = command.replace("{listen}", f"127.0.0.1:{self.port}").replace(
            "{upstream}", f"ws://127.0.0.1:{upstream_port}").replace("{record}", os.path.join(self.place.name, "rec"))
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(shlex.split(filled), stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 20
        while not listens(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                sys.exit(f"error: the proxy does not listen\n{self.output()}")
            time.sleep(0.02)

    def output(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(DRAIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return f"killed after {DRAIN} s"

    def verdict(self, violations_allowed=False):
        """Stops it; the sentence that is wrong with how it ended, or None."""
        code = self.stop()
        if code == 5:
            return f"the proxy found a ledger difference of its own (exit 5)\n{self.output()}"
        if code == 1 and not violations_allowed:
            return f"the proxy reports violations (exit 1)\n{self.output()}"
        if code not in (0, 1, 2, 3):
            return f"the proxy ended with {code}\n{self.output()}"
        return None
