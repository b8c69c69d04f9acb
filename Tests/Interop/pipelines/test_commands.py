"""`millrace pipeline` and `millrace export gc` as an operator types them."""

import json
import pathlib
import subprocess

import pytest

from support.processes import MILLRACE, REPOSITORY, Broker, Process, wait_until

PIPELINE = """
pipeline: p
from: {{topics: [t], start: earliest}}
steps: [{{parse: json}}, {{filter: n != 1}}]
to:
  - export: {{root: "{root}", table: t, format: csv, columns: {{n: int64, s: string}}, rotate: {{age: 100ms}}}}
tests:
  - {{input: '{{"n":7}}', row: {{n: 7}}}}
"""


def millrace(*arguments, code=0, input=None):
    done = subprocess.run([str(part) for part in (MILLRACE, *arguments)], capture_output=True, input=input, timeout=60)
    assert done.returncode == code, done.stdout.decode() + done.stderr.decode()
    return done.stdout.decode()


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    assert broker.stop() == 0, broker.tail()


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "pipeline.yaml"
    file.write_text(PIPELINE.format(root=tmp_path / "export"))
    return file


def test_a_dry_run_shows_schema_and_rows_and_commits_nothing(broker, file, tmp_path):
    records = b'{"n":0,"s":"a","ts":"2026-11-22T07:30:00Z"}\n{"n":1}\nx\n{"n":3}\n'
    millrace("produce", "t", "--broker", broker.address, input=records)
    output = millrace("pipeline", "run", "-c", file, "--broker", broker.address, "--dry-run", "--limit", 3)
    table, *shown = map(json.loads, output.splitlines())
    assert table["table"] == "t" and {"name": "n", "type": "int64"} in table["columns"]
    assert [record["becomes"] for record in shown] == ["row", "filtered", "row"]
    assert shown[0]["folders"] == {"t": "dt=2026-11-22/hour=07"} and shown[0]["row"]["s"] == "a"
    assert shown[2]["row"]["line"] == "x" and "_error" in shown[2]["row"]
    assert not (tmp_path / "export").exists()
    assert "p" not in millrace("groups", "--broker", broker.address).split()


def test_the_ready_pipelines_pass_their_tests_and_a_failing_test_says_where(file):
    ready = sorted((REPOSITORY / "pipelines").glob("*/pipeline.yaml"))
    assert ready
    output = millrace("pipeline", "test", *ready)
    assert all(int(line.split(": ")[1].split()[0]) > 0 for line in output.splitlines())
    listed = [json.loads(line) for line in millrace("pipeline", "list", *ready, "--output", "json").splitlines()]
    assert [row["pipeline"] for row in listed] == [path.parent.name for path in ready]
    file.write_text(file.read_text().replace("row: {n: 7}", "row: {n: 8}"))
    assert f"{file}:8:5: " in millrace("pipeline", "test", file, code=1)


def test_collected_chains_are_verified_and_the_pipeline_goes_on(broker, file, tmp_path):
    root = tmp_path / "export"
    millrace("topics", "create", "t", "--partitions", 1, "--broker", broker.address)
    pipeline = Process("p", [MILLRACE, "pipeline", "run", "-c", file, "--broker", broker.address], tmp_path).start()

    def summary():
        if not (root / ".millrace").exists():
            return None
        lines = millrace("export", "ls", root, "--output", "json").splitlines()
        return json.loads(lines[0]) if lines else None

    def commit(number):
        millrace("produce", "t", "--broker", broker.address, input=f'{{"n":{number + 10}}}\n'.encode())
        wait_until(lambda: (summary() or {}).get("to") == number + 1, 30, f"record {number}; {pipeline.tail()}")

    try:
        for number in range(110):
            commit(number)
        chain = next(pathlib.Path(root / ".millrace").glob("*/*/*/p00000"))
        before = summary()
        collected = json.loads(millrace("export", "gc", root, "--keep", 100, "--output", "json"))["collected"]
        assert collected >= 10 and len(list(chain.glob("*.commit"))) == 100
        assert summary() == before
        commit(110)
        assert pipeline.stop() == 0, pipeline.tail()
        pipeline = Process("q", [MILLRACE, "pipeline", "run", "-c", file, "--broker", broker.address], tmp_path).start()
        commit(111)
        report = json.loads(millrace("export", "verify", root, "--output", "json"))
        assert report["fine"] and report["rows"] == 112
    finally:
        assert pipeline.stop() == 0, pipeline.tail()


def test_tap_shows_what_becomes_of_records(broker, file):
    millrace("produce", "t", "--broker", broker.address, input=b'{"n":0}\n{"n":1}\nx\n{"n":3}\n')
    tap = ("pipeline", "tap", "-c", file, "--broker", broker.address, "--from", "earliest")
    shown = [json.loads(line) for line in millrace(*tap, "--limit", 4).splitlines()]
    assert [record["becomes"] for record in shown] == ["row", "filtered", "row", "row"]
    parsed = [json.loads(line) for line in millrace(*tap, "--limit", 1, "--after", 1, "--where", "n == 1").splitlines()]
    assert [record["row"]["n"] for record in parsed] == [1]
    assert "1 to 2 steps" in subprocess.run(
        [MILLRACE, *map(str, tap), "--after", "9"], capture_output=True, text=True, timeout=60
    ).stderr
    # Nobody's progress: a tap is no member of the group.
    assert "p" not in millrace("groups", "--broker", broker.address).split()
