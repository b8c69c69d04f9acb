"""Numbered rows into a topic, and how far an export of them is."""

import json
import subprocess
import threading

from .processes import MILLRACE


class Producer(threading.Thread):
    """Numbered lines, a few at a time, until it is told to stop."""

    def __init__(self, broker):
        super().__init__()
        self.broker, self.count, self.stopping = broker, 0, threading.Event()

    def run(self):
        while not self.stopping.is_set():
            lines = "".join(json.dumps({"n": n}) + "\n" for n in range(self.count, self.count + 500))
            command = [MILLRACE, "produce", "rows", "--broker", self.broker.address]
            subprocess.run(command, input=lines.encode(), check=True, capture_output=True, timeout=60)
            self.count += 500
            self.stopping.wait(0.1)


def committed(export):
    """The next offset of each partition's chain, by its last record; `export` is a root, or -c and a file."""
    command = [MILLRACE, "export", "ls", *export, "--output", "json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return sum(json.loads(line)["to"] for line in result.stdout.splitlines()) if result.returncode == 0 else 0
