"""The agent beside a broker that takes only small batches: what is too large is divided, what can't be divided stands among the dead letters,
and another topic flows meanwhile; through kills of both."""

import json
import random
import subprocess
import time

from support.processes import MILLRACE, MILLRACE_AGENT, Broker, Process, wait_until

AGENT = """
broker: {broker}
state: {state}
host: h
sources:
  - file: {{path: [{folder}/small.log], topic: small}}
  - file: {{path: [{folder}/large.log], topic: large}}
batch: {{codec: gzip, bytes: 64KiB}}
files: {{linger: 1s}}
"""


def read(broker, topic):
    command = ["kcat", "-b", broker.address, "-C", "-t", topic, "-e", "-q", "-f", "%s\n"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()


def counted(broker, topic):
    try:
        return len(read(broker, topic))
    except subprocess.CalledProcessError:
        return 0


def test_too_large_batches_are_divided_and_too_large_lines_set_aside(tmp_path):
    chance = random.Random(7)
    broker = Broker(tmp_path).start()
    state = tmp_path / "agent-state"
    config = tmp_path / "agent.yaml"
    config.write_text(AGENT.format(broker=broker.address, state=state, folder=tmp_path))
    agent = Process("agent", [MILLRACE_AGENT, "run", "-c", config], tmp_path)
    try:
        for topic, limit in (("small", 3000), ("large", 1_000_000)):
            subprocess.run(
                [MILLRACE, "topics", "create", topic, "--broker", broker.address, "--partitions", "1", "--set", f"max.message.bytes={limit}"],
                check=True, capture_output=True,
            )
        small = [f"{i} {chance.getrandbits(400):x}" for i in range(5000)]
        too_long = [f"long-{i} {chance.getrandbits(40_000):x}" for i in range(3)]
        for i, line in enumerate(too_long):
            small.insert(1000 * (i + 1), line)
        large = [f"{i} {chance.getrandbits(400):x}" for i in range(5000)]
        (tmp_path / "small.log").write_text("".join(line + "\n" for line in small))
        (tmp_path / "large.log").write_text("".join(line + "\n" for line in large))
        agent.start()
        for victim in (agent, broker, agent, agent):
            time.sleep(0.4)
            victim.kill()
            victim.start()
        wait_until(lambda: counted(broker, "large") >= len(large), 60, "the other topic flows")
        wait_until(lambda: counted(broker, "small") >= len(small) - len(too_long), 120, "what fits is delivered")
        assert read(broker, "large") == large
        assert read(broker, "small") == [line for line in small if line not in too_long]
        letters = [json.loads(line) for line in (state / "dead-letters.jsonl").read_text().splitlines()]
        assert [letter["value"] for letter in letters] == too_long
        assert {(letter["topic"], letter["partition"], letter["error"], letter["key"]) for letter in letters} == {
            ("small", 0, "MESSAGE_TOO_LARGE", f"h{tmp_path}/small.log")
        }
        assert agent.stop() == 0
    finally:
        agent.kill()
        broker.kill()
