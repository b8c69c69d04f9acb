"""The main job, chaos version.

nginx under load with a rotation every second, journal entries arriving, and kill -9 of agent, broker and pipeline at random moments. Afterwards
DuckDB finds every line that nginx and the journal hold exactly once in the export. MILLRACE_SEED replays a failing run's choices.
"""

import collections
import os
import random
import time

import pytest

from support.export import rows
from support.journal import Journal
from support.nginx import Load, Nginx
from support.processes import MILLRACE, MILLRACE_AGENT, Broker, Process, wait_until

FULL = bool(os.environ.get("MILLRACE_TEST_FULL"))
KILLS = 200 if FULL else 24

AGENT = """
broker: {broker}
state: {state}
sources:
  - file:
      path: ["{logs}/access.log"]
      topic: nginx.access
      format: nginx_access
  - journal:
      directory: {journal}
      topic: journal
"""

NGINX_PIPELINE = """
pipeline: nginx
from: {{topics: [nginx.access], start: earliest}}
steps:
  - parse: {{nginx: {{log_format: combined}}}}
to:
  - export: {{root: "{root}", table: nginx, format: jsonl, partition_by: [dt, hour], rotate: {{age: 2s}}}}
"""

JOURNAL_PIPELINE = """
pipeline: journal
from: {{topics: [journal], start: earliest}}
steps:
  - parse: {{json: {{}}}}
to:
  - export: {{root: "{root}", table: journal, format: jsonl, partition_by: [dt, hour], rotate: {{age: 2s}}}}
"""


def pipeline_command(broker, folder, root):
    files = []
    for name, text in (("nginx", NGINX_PIPELINE), ("journal", JOURNAL_PIPELINE)):
        file = folder / f"{name}.yaml"
        file.write_text(text.format(root=root))
        files += ["-c", file]
    return [MILLRACE, "pipeline", "run", "--broker", broker.address, *files]


def agent_command(broker, folder, nginx, journal):
    file = folder / "agent.yaml"
    file.write_text(
        AGENT.format(broker=broker.address, state=folder / "agent-state", logs=nginx.logs, journal=journal.folder)
    )
    return [MILLRACE_AGENT, "run", "-c", file]


def differences(wanted, found):
    """What is missing and what stands twice, a few of each, for the message of a failed comparison."""
    wanted, found = collections.Counter(wanted), collections.Counter(found)
    missing, extra = wanted - found, found - wanted
    return (
        f"{sum(missing.values())} missing, {sum(extra.values())} repeated or foreign; "
        f"missing: {list(missing)[:3]}; too many: {list(extra)[:3]}"
    )


def requests(lines):
    """The request field of combined lines: `GET /item/… HTTP/1.1`."""
    return [line.split(b'"')[1].decode() for line in lines]


def test_every_line_stands_once_in_the_export_through_kill_9_of_anything(tmp_path):
    seed = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"MILLRACE_SEED={seed}")
    chaos = random.Random(seed)
    root = tmp_path / "export"

    nginx = Nginx(tmp_path).start()
    journal = Journal(tmp_path)
    broker = Broker(tmp_path).start()
    agent = Process("agent", agent_command(broker, tmp_path, nginx, journal), tmp_path).start()
    pipeline = Process("pipeline", pipeline_command(broker, tmp_path, root), tmp_path).start()
    parts = {"broker": broker, "agent": agent, "pipeline": pipeline}
    load = Load(nginx, tmp_path)
    down = {}
    kills = collections.Counter()
    try:
        next_rotation = next_kill = time.monotonic() + 1
        while sum(kills.values()) < KILLS or down:
            now = time.monotonic()
            journal.add(f"entry {journal.count} of {seed}")
            if now >= next_rotation:
                nginx.rotate()
                next_rotation = now + 1
            for name in [name for name, due in down.items() if now >= due]:
                del down[name]
                parts[name].start()
            if now >= next_kill and sum(kills.values()) < KILLS:
                name = chaos.choice([name for name in parts if name not in down] or ["agent"])
                if name not in down:
                    assert parts[name].is_running, f"{name} ended by itself; its log:\n{parts[name].tail()}"
                    parts[name].kill()
                    kills[name] += 1
                    down[name] = now + chaos.uniform(0, 1.5)
                next_kill = now + chaos.uniform(0.3, 2.5)
            time.sleep(0.01)
        load.stop()
        nginx.stop()
        journal.stop()

        wanted_lines = requests(nginx.lines())
        wanted_entries = [message.decode() for message in journal.messages()]
        assert len(wanted_lines) > 5_000 and len(wanted_entries) > 500
        assert sum(kills.values()) >= 20

        def complete():
            for name, part in parts.items():
                assert part.is_running, f"{name} ended by itself; its log:\n{part.tail()}"
            return (
                len(rows(root / "nginx", ["request"])) >= len(wanted_lines)
                and len(rows(root / "journal", ['"MESSAGE"'])) >= len(wanted_entries)
            )

        try:
            wait_until(complete, 120, "the export holds as many rows as lines were written")
        except AssertionError as error:
            found = [row[0] for row in rows(root / "nginx", ["request"])]
            entries = [row[0] for row in rows(root / "journal", ['"MESSAGE"'])]
            logs = "\n".join(f"--- {part.name}\n{part.tail()}" for part in parts.values())
            pytest.fail(
                f"{error}\nkills {dict(kills)}\nnginx: {differences(wanted_lines, found)}\n"
                f"journal: {differences(wanted_entries, entries)}\n{logs}"
            )
        time.sleep(5)  # A repeat that is still on its way would come now.
        for name in ("agent", "pipeline", "broker"):
            assert parts[name].stop() == 0, f"{name} did not stop cleanly; its log:\n{parts[name].tail()}"

        found = [row[0] for row in rows(root / "nginx", ["request"])]
        entries = [row[0] for row in rows(root / "journal", ['"MESSAGE"'])]
        assert collections.Counter(found) == collections.Counter(wanted_lines), differences(wanted_lines, found)
        assert collections.Counter(entries) == collections.Counter(wanted_entries), differences(wanted_entries, entries)
        print(f"{len(found)} lines and {len(entries)} entries, each once, through {dict(kills)}")
    finally:
        load.child.kill()
        nginx.process.kill()
        journal.child.kill()
        for part in parts.values():
            part.kill()
