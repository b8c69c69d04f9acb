"""_SUCCESS: when an hour of a table is said to be final, and what `export verify` holds against the agents' own counts."""

import json
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest
from confluent_kafka import Producer

from support.export import rows
from support.processes import MILLRACE, MILLRACE_AGENT, Broker, Process, wait_until

PIPELINE = """
pipeline: p
from: {{topics: [nginx.access], start: earliest}}
steps:
  - parse: {{nginx: {{log_format: combined}}}}
to:
  - export:
      root: "{root}"
      table: nginx
      rotate: {{age: 300ms}}
      success: {{lateness: 1s, silent_after: {silent_after}, check: 300ms}}
"""

AGENT = """
broker: {broker}
state: {state}
host: {host}
status: {{interval: 500ms}}
sources:
  - file: {{path: ["{log}"], topic: nginx.access}}
"""


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    assert broker.stop() == 0, broker.tail()


def line(when, number):
    return f'192.0.2.1 - - [{when:%d/%b/%Y:%H:%M:%S} +0000] "GET /{number} HTTP/1.1" 200 5 "-" "-"\n'


def run_pipeline(broker, folder, silent_after="1h", name="pipeline"):
    file = folder / "pipeline.yaml"
    file.write_text(PIPELINE.format(root=folder / "export", silent_after=silent_after))
    return Process(name, [MILLRACE, "pipeline", "run", "--broker", broker.address, "-c", file], folder).start()


def marker(folder, when):
    """The marker of an hour; None while there is none."""
    path = folder / "export" / "nginx" / f"dt={when:%Y-%m-%d}" / f"hour={when:%H}" / "_SUCCESS"
    return json.loads(path.read_text().splitlines()[0]) if path.exists() else None


def verify(folder, *arguments, code=0):
    command = [MILLRACE, "export", "verify", folder / "export", "--output", "json", *arguments]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def wait_for_generation(folder, when, generation, pipeline):
    def stands():
        found = marker(folder, when)
        return found if found and found["generation"] >= generation else None

    return wait_until(stands, 60, f"generation {generation} of the marker; {pipeline.tail()}")


def test_an_hour_is_final_once_its_agents_shipped_it_and_late_lines_raise_the_generation(broker, tmp_path):
    when = datetime.now(timezone.utc).replace(minute=5, second=0, microsecond=0) - timedelta(hours=3)
    agents = []
    for host in ("web1", "web2"):
        log = tmp_path / f"{host}-access.log"
        log.write_text("".join(line(when, f"{host}/{number}") for number in range(500)))
        file = tmp_path / f"{host}.yaml"
        state = tmp_path / f"{host}-state"
        file.write_text(AGENT.format(broker=broker.address, state=state, host=host, log=log))
        agents.append(Process(host, [MILLRACE_AGENT, "run", "-c", file], tmp_path).start())
    pipeline = run_pipeline(broker, tmp_path)
    try:
        wait_for_generation(tmp_path, when, 1, pipeline)
        # Both agents are known within moments; until then a marker may have named one of them alone.
        wait_until(lambda: marker(tmp_path, when)["rows"] == 1000, 60, "all rows in the marker")
        found = marker(tmp_path, when)
        assert found["folder"] == f"dt={when:%Y-%m-%d}/hour={when:%H}"
        assert not any(agent["silent"] for agent in found["agents"])
        with (tmp_path / "web1-access.log").open("a") as log:
            log.write(line(when, "late"))
        later = wait_for_generation(tmp_path, when, found["generation"] + 1, pipeline)
        assert later["rows"] == 1001 and {agent["agent"] for agent in later["agents"]} == {"web1", "web2"}
        assert later["sources"] == [f"web1{tmp_path}/web1-access.log", f"web2{tmp_path}/web2-access.log"]
        # A new owner finds that it says the same, and leaves it.
        pipeline.kill()
        pipeline = run_pipeline(broker, tmp_path, name="pipeline-again")
        with (tmp_path / "web2-access.log").open("a") as log:
            log.write(line(when + timedelta(hours=1), "next"))
        assert wait_for_generation(tmp_path, when + timedelta(hours=1), 1, pipeline)["rows"] == 1
        assert marker(tmp_path, when) == later
        assert len(rows(tmp_path / "export" / "nginx", ["kafka_offset"])) == 1002
        report = verify(tmp_path, "--broker", broker.address)
        assert report["fine"] and report["markers"] == 2 and report["rows"] == 1002
    finally:
        assert pipeline.stop() == 0, pipeline.tail()
        for agent in agents:
            assert agent.stop() == 0, agent.tail()


class Agents:
    """Agents as the status topic knows them: says of hosts what a test wants to be said."""

    def __init__(self, broker):
        self.producer = Producer({"bootstrap.servers": broker.address})

    def ship(self, source, when, count):
        for number in range(count):
            self.producer.produce(
                "nginx.access", key=source, value=line(when, number).encode(), partition=0,
                timestamp=int(when.timestamp() * 1000),
            )
        self.producer.flush()

    def say(self, agent, watermark, counts):
        report = {
            "kind": "agent",
            "agent": agent,
            "time": int(time.time() * 1000),
            "partitions": [{"topic": "nginx.access", "partition": 0}],
            "sources_total": len(counts),
            "sources": [
                {"source": source, "hours": [{"hour_start": int(hour.timestamp() * 1000), "lines": lines}]}
                for source, hour, lines in counts
            ],
        }
        if watermark:
            report["watermark"] = int(watermark.timestamp() * 1000)
        self.producer.produce("__millrace_status", key=agent, value=json.dumps(report))
        self.producer.flush()


@pytest.fixture
def agents(broker):
    for topic in ("nginx.access", "__millrace_status"):
        subprocess.run(
            [MILLRACE, "topics", "create", topic, "--partitions", "1", "--broker", broker.address], check=True
        )
    return Agents(broker)


def test_an_agent_that_is_behind_is_waited_for_and_one_that_is_silent_is_listed(broker, agents, tmp_path):
    now = datetime.now(timezone.utc)
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    agents.ship("web1/a", hour, 10)
    # web2 has shipped only what was there within the hour.
    agents.say("web1", now, [("web1/a", hour, 10)])
    agents.say("web2", hour + timedelta(minutes=30), [])
    pipeline = run_pipeline(broker, tmp_path, silent_after="8s")
    try:
        table = tmp_path / "export" / "nginx"
        wait_until(lambda: len(rows(table, ["kafka_offset"])) == 10, 60, "the rows")
        assert marker(tmp_path, hour) is None

        def stands():
            agents.say("web1", datetime.now(timezone.utc), [("web1/a", hour, 10)])
            return marker(tmp_path, hour)

        found = wait_until(stands, 60, f"a marker without web2; {pipeline.tail()}")
        assert [agent["agent"] for agent in found["agents"] if agent["silent"]] == ["web2"]
        # It comes back with what it owed.
        agents.ship("web2/b", hour, 3)
        agents.say("web2", datetime.now(timezone.utc), [("web2/b", hour, 3)])
        assert wait_for_generation(tmp_path, hour, 2, pipeline)["rows"] == 13
    finally:
        assert pipeline.stop() == 0, pipeline.tail()


def test_verify_holds_what_sources_shipped_against_what_was_exported(broker, agents, tmp_path):
    now = datetime.now(timezone.utc)
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    agents.ship("web1/a", hour, 10)
    agents.say("web1", now, [("web1/a", hour, 10)])
    pipeline = run_pipeline(broker, tmp_path)
    try:
        wait_for_generation(tmp_path, hour, 1, pipeline)
    finally:
        assert pipeline.stop() == 0, pipeline.tail()
    report = verify(tmp_path, "--broker", broker.address)
    assert report["fine"] and report["source_hours"] == 1
    agents.say("web1", now, [("web1/a", hour, 11)])
    report = verify(tmp_path, "--broker", broker.address, code=1)
    assert [finding["kind"] for finding in report["findings"]] == ["source"]
    assert "web1/a shipped 11 records" in report["findings"][0]["message"]
    # An hour that isn't over for the agent is not judged, nor is a table that lags.
    agents.say("web1", hour + timedelta(minutes=59), [("web1/a", hour, 11)])
    assert verify(tmp_path, "--broker", broker.address)["source_hours"] == 0
    agents.say("web1", now, [("web1/a", hour, 11)])
    agents.ship("web1/a", hour, 1)
    assert verify(tmp_path, "--broker", broker.address)["source_hours"] == 0
