"""The agent beside a real journald: rotation and vacuuming while it reads, damage in an archived file.

Each entry is delivered once, or it lies in a gap that the agent counted.
"""

import json
import os
import random
import re
import subprocess
import time

import pytest

from support.journald import Journald, Writer, checksum
from support.processes import MILLRACE_AGENT, Broker, Process, wait_until

FULL = bool(os.environ.get("MILLRACE_TEST_FULL"))

AGENT = """
broker: {broker}
state: {state}
sources:
  - journal: {{directory: {folder}, topic: journal}}
"""


def agent_of(tmp_path, broker, journald):
    file = tmp_path / "agent.yaml"
    file.write_text(AGENT.format(broker=broker.address, state=tmp_path / "agent-state", folder=journald.folder))
    return Process("agent", [MILLRACE_AGENT, "run", "-c", file], tmp_path)


def records(broker):
    """The messages of all entries in the topic, in the order in which they stand there."""
    command = ["kcat", "-b", broker.address, "-C", "-t", "journal", "-e", "-q"]
    result = subprocess.run(command, capture_output=True)
    if result.returncode != 0 and b"Unknown topic" in result.stderr:
        return []
    assert result.returncode == 0, result.stderr.decode(errors="replace")
    return [json.loads(line).get("MESSAGE") for line in result.stdout.splitlines()]


def delivered(broker, prefix):
    """The numbers of the test's messages, in the order in which they stand in the topic."""
    numbers = []
    for message in records(broker):
        found = re.fullmatch(re.escape(prefix) + r" (\d+) ([0-9a-f]{8})", message) if isinstance(message, str) else None
        if found and found[2] == checksum(prefix, int(found[1])):
            numbers.append(int(found[1]))
    return numbers


def counted_as_gone(agent):
    """How many entries the agent says were removed before it read them, and how often it couldn't tell a number."""
    text = agent.log.read_text(errors="replace")
    known = sum(int(number) for number in re.findall(r"up to (\d+) entries", text))
    known += sum(int(number) for number in re.findall(r"(\d+) entries (?:are damaged|were passed over)", text))
    unknown = len(re.findall(r"is gone; reading goes on|no entry of the journal is known|: entries before", text))
    return known, unknown


def check(numbers, count, agent):
    assert len(set(numbers)) == len(numbers), f"{len(numbers) - len(set(numbers))} entries came twice"
    missing = count - len(numbers)
    known, unknown = counted_as_gone(agent)
    print(f"{count} entries, {missing} not delivered; the agent counted {known} as gone and {unknown} gaps without a number")
    assert missing <= known or unknown > 0, f"{missing} entries are missing, {known} were counted; log:\n{agent.tail()}"


def settled(broker, prefix):
    """Waits until nothing comes any more."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 4:
        count = len(delivered(broker, prefix))
        if count != last:
            last, since = count, time.monotonic()
        time.sleep(0.5)


@pytest.fixture
def parts(tmp_path):
    broker = Broker(tmp_path).start()
    journald = Journald(tmp_path)
    agent = agent_of(tmp_path, broker, journald)
    yield broker, journald, agent
    agent.kill()
    journald.stop()
    broker.stop()


def test_rotation_and_vacuuming_in_a_loop_under_ten_thousand_messages_a_second(parts):
    seed = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"MILLRACE_SEED={seed}")
    chance = random.Random(seed)
    broker, journald, agent = parts
    prefix = f"entry of {seed}"
    agent.start()
    writer = Writer(journald, 10_000, prefix)
    end = time.monotonic() + (60 if FULL else 8)
    kills = 0
    while time.monotonic() < end:
        time.sleep(chance.uniform(0.05, 0.4))
        journald.control("--rotate")
        if chance.random() < 0.5:
            journald.control("--vacuum-files=2")
        if chance.random() < 0.2:
            agent.kill()
            kills += 1
            time.sleep(chance.uniform(0, 0.5))
            agent.start()
    count = writer.stop()
    if not kills:
        agent.kill()
        agent.start()
    settled(broker, prefix)
    numbers = delivered(broker, prefix)
    assert count > 20_000 and len(numbers) > count / 10
    check(numbers, count, agent)
    assert numbers == sorted(numbers), "entries of one source are out of order"


def test_without_vacuuming_nothing_is_missing_whatever_is_rotated_and_killed(parts):
    broker, journald, agent = parts
    prefix = "kept"
    agent.start()
    writer = Writer(journald, 2_000, prefix)
    for _ in range(5):
        time.sleep(0.5)
        journald.control("--rotate")
        agent.kill()
        time.sleep(0.2)
        agent.start()
    count = writer.stop()
    wait_until(lambda: len(delivered(broker, prefix)) >= count, 60, f"{count} entries in the topic")
    assert delivered(broker, prefix) == list(range(count))


def test_flipped_bytes_in_an_archived_file_cost_only_what_they_hit(parts):
    seed = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"MILLRACE_SEED={seed}")
    chance = random.Random(seed)
    broker, journald, agent = parts
    prefix = "flipped"
    for number in range(3_000):
        journald.send_numbered(prefix, number)
        if number % 1_000 == 999:
            wait_until(lambda: len(journald.messages()) > number, 20, "journald wrote them")
            journald.control("--rotate")
    archived = sorted(journald.folder.glob("*/system@*.journal"))
    assert len(archived) >= 3
    damaged = archived[len(archived) // 2]
    hit = subprocess.run(["journalctl", "--file", damaged, "-o", "cat", "--no-pager"], check=True, capture_output=True).stdout
    hit = {int(line.split()[-2]) for line in hit.splitlines() if line.startswith(prefix.encode())}
    content = bytearray(damaged.read_bytes())
    for _ in range(500):
        content[chance.randrange(4096, len(content))] ^= 1 << chance.randrange(8)
    damaged.write_bytes(content)
    agent.start()
    journald.send_numbered(prefix, 3_000)
    wait_until(lambda: 3_000 in delivered(broker, prefix), 60, "what came after the damage")
    settled(broker, prefix)
    numbers = delivered(broker, prefix)
    assert len(set(numbers)) == len(numbers)
    # The other files are whole. Of the damaged one an entry whose text was hit counts too: nothing in the file tells that it was.
    missing = set(range(3_001)) - set(numbers)
    assert missing <= hit, f"entries of whole files are missing: {sorted(missing - hit)[:5]}; log:\n{agent.tail()}"
    known, unknown = counted_as_gone(agent)
    strange = len(records(broker)) - len(numbers)
    print(f"{len(missing)} of {len(hit)} entries hit; {strange} others came, {known} were counted as gone")
    assert len(missing) <= known + strange or unknown > 0, agent.tail()
    assert agent.is_running
