"""Histories of real log files: programs write and rotate, gzip compresses, the agent and the broker are killed at random.

Each complete line stands exactly once in the topic, and in order. What was cut unread is missing only where the agent says so.
`MILLRACE_SEED=N` runs the twenty that begin with N; a failure prints its own.
"""

import concurrent.futures
import os
import random
import subprocess
import threading
import time

from support.logfiles import KINDS, LogSource
from support.processes import MILLRACE_AGENT, Broker, Process, wait_until

HISTORIES = 20
AT_ONCE = 5
STORM_SECONDS = 30 if os.environ.get("MILLRACE_TEST_FULL") else 3

AGENT = """
broker: {broker}
host: h
state: {folder}/state
intents: {{size: 64MiB}}
files: {{linger: 2s, poll: 200ms, reconcile: 1s, descriptors: {descriptors}}}
batch: {{linger: 20ms, codec: {codec}}}
sources:
  - file:
      path: {folder}/log/*.log
      topic: history-{seed}
      poll: {polls}
"""


class FileHistory:
    def __init__(self, seed, folder, broker):
        self.seed = seed
        self.chance = random.Random(seed)
        self.folder = folder / str(seed)
        self.log = self.folder / "log"
        self.log.mkdir(parents=True)
        self.broker = broker
        settings = AGENT.format(
            broker=broker.address, folder=self.folder, seed=seed, codec=self.chance.choice(["none", "gzip", "zstd"]),
            descriptors=self.chance.choice([2, 128]), polls=self.chance.choice(["true", "false", "false"]),
        )
        (self.folder / "agent.yaml").write_text(settings)
        command = [MILLRACE_AGENT, "run", "-c", self.folder / "agent.yaml", "--admin", "off"]
        self.agent = Process("agent", command, self.folder)
        kinds = self.chance.sample(KINDS, self.chance.randrange(1, 4))
        self.sources = [
            LogSource(self.log / f"{number}.log", kind, self.chance, lambda texts, n=number: self.holds(n, texts))
            for number, kind in enumerate(kinds)
        ]
        self.kills = 0

    def delivered(self):
        """The lines in the topic by their source's path, in order."""
        command = ["kcat", "-b", self.broker.address, "-C", "-t", f"history-{self.seed}", "-e", "-q", "-f", "%k\\t%s\\n"]
        lines = {}
        result = subprocess.run(command, capture_output=True, timeout=60)
        for record in result.stdout.decode().splitlines():
            key, _, text = record.partition("\t")
            lines.setdefault(key.removeprefix("h"), []).append(text)
        return lines

    def holds(self, number, texts):
        return set(texts) <= set(self.delivered().get(self.sources[number].key, []))

    def run(self):
        try:
            return self.run_to_the_end()
        finally:
            self.agent.kill()

    def run_to_the_end(self):
        # What stands there before the agent's first look would count as having been there before it.
        (self.log / "probe.log").write_text("first\n")
        self.agent.start()
        wait_until(lambda: self.delivered().get(str(self.log / "probe.log")) == ["first"], 30, "the agent ships")
        end = time.monotonic() + STORM_SECONDS
        while time.monotonic() < end:
            self.chance.choice(self.sources).step()
            if self.chance.random() < 0.04:
                self.agent.kill()
                self.kills += 1
                if self.chance.random() < 0.5:
                    self.chance.choice(self.sources).step()
                time.sleep(self.chance.uniform(0, 0.3))
                self.agent.start()
            time.sleep(self.chance.choice([0, 0.002, 0.02, 0.1]))
        for source in self.sources:
            source.finish()
        return self.verdict()

    def verdict(self):
        """Waits until all is there, then as long as something might be read again."""
        last, since, began = None, time.monotonic(), time.monotonic()
        while True:
            delivered = self.delivered()
            found = []
            for source in self.sources:
                lines = delivered.get(source.key, [])
                found += [f"{source.path.name} ({source.kind}): {text}" for text in source.violations(lines)]
            if delivered != last:
                last, since = delivered, time.monotonic()
            quiet = time.monotonic() - since
            if (not found and quiet > 3) or quiet > 15 or time.monotonic() - began > 120:
                break
            time.sleep(0.25)
        log = self.agent.tail(1 << 20)
        for source in self.sources:
            lost = source.was_lost(delivered.get(source.key, []))
            told = f"{source.key} was cut" in log or f"lines of h{source.key}" in log
            if lost and not told:
                found.append(f"{source.path.name}: {len(lost)} lines were lost and not told: {lost[0].text[:40]}")
        assert self.agent.is_running, f"the agent ended:\n{self.agent.tail()}"
        self.count = sum(len(source.lines) for source in self.sources)
        return [f"MILLRACE_SEED={self.seed} {text}" for text in found]


def test_twenty_histories_with_kills_and_every_rotation(tmp_path):
    first = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(1 << 31)))
    print(f"MILLRACE_SEED={first}")
    broker = Broker(tmp_path).start()
    stopped = threading.Event()

    def kill_the_broker():
        chance = random.Random(first)
        while not stopped.wait(chance.uniform(4, 8)):
            broker.kill()
            if stopped.wait(chance.uniform(0, 1)):
                break
            broker.start()

    killer = threading.Thread(target=kill_the_broker)
    killer.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            histories = [FileHistory(first + number, tmp_path, broker) for number in range(HISTORIES)]
            found = [text for texts in pool.map(FileHistory.run, histories) for text in texts]
    finally:
        stopped.set()
        killer.join()
        broker.kill()
    kinds = {source.kind for history in histories for source in history.sources}
    rotations = sum(source.rotations for history in histories for source in history.sources)
    kills = sum(history.kills for history in histories)
    print(f"{sum(history.count for history in histories)} lines, {rotations} rotations, {kills} kills, {sorted(kinds)}")
    assert not found, "\n".join(found[:20])
    assert kills >= 10 and rotations >= 40 and kinds == set(KINDS)
