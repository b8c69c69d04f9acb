"""Starts Millrace's processes and the real things around them, on loopback, and stops what it started by process id."""

import os
import pathlib
import signal
import socket
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("MILLRACE_BUILD", REPOSITORY / ".build" / "debug"))
MILLRACE = BUILD / "millrace"
MILLRACE_AGENT = BUILD / "millrace-agent"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds, what):
    """Polls until the condition holds; fails with what was awaited."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def port_answers(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A child whose output goes to a file; it can be killed and started again with the same command."""

    def __init__(self, name, command, folder, env=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.env = {**os.environ, **(env or {})}
        self.child = None

    def start(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env, start_new_session=True
            )
        return self

    @property
    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def kill(self):
        """kill -9, and nothing else: what it had in memory is gone."""
        if self.child is None:
            return
        self.child.kill()
        self.child.wait()

    def stop(self, seconds=20):
        if not self.is_running:
            return self.child.returncode if self.child else None
        self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {seconds} s; its log:\n{self.tail()}")

    def tail(self, characters=4000):
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def resident_kib(self):
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")


class Broker(Process):
    def __init__(self, folder, port=None, name="broker", arguments=("--admin", "off")):
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        data = pathlib.Path(folder) / "broker-data"
        super().__init__(
            name, [MILLRACE, "broker", "--data", data, "--listen", self.address, *arguments], folder
        )

    def start(self):
        super().start()
        wait_until(lambda: not self.is_running or port_answers(self.port), 30, f"the broker listens on {self.address}")
        assert self.is_running, f"the broker ended; its log:\n{self.tail()}"
        return self
