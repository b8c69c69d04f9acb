"""An export to a real HDFS: every line once, through kill -9 of the pipeline and an HDFS that goes away and comes back."""

import json
import os
import random
import subprocess
import time

import duckdb
import pytest

from support.hdfs import HDFS
from support.processes import MILLRACE, Broker, Process, wait_until
from support.rows import Producer, committed

FULL = bool(os.environ.get("MILLRACE_TEST_FULL"))
KILLS = 30 if FULL else 4
PIPELINE = """
pipeline: to-hdfs
from: {{topics: [rows], start: earliest}}
steps:
  - parse: {{json: {{}}}}
to:
  - export: {{root: "{root}", hdfs: {{user: etl, spool: "{spool}"}}, table: rows, partition_by: [dt, hour], rotate: {{age: 300ms}}, format: parquet, columns: {{n: int64}}}}
"""


@pytest.fixture(scope="module")
def hdfs(tmp_path_factory):
    hdfs = HDFS(tmp_path_factory.mktemp("hdfs")).start()
    try:
        yield hdfs
    finally:
        hdfs.stop()


def left_in_staging(hdfs):
    return [path for path in hdfs.files("/logs/.millrace") if not path.endswith(".commit")]


def test_every_line_once_through_kills_and_an_outage(hdfs, tmp_path):
    seed = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"MILLRACE_SEED={seed}")
    chance = random.Random(seed)
    hdfs.make_folder("/logs", "etl")
    root = f"hdfs://etl@127.0.0.1:{hdfs.port}/logs"
    spool = tmp_path / "spool"
    spool.mkdir()
    broker = Broker(tmp_path).start()
    subprocess.run([MILLRACE, "topics", "create", "rows", "--partitions", "3", "--broker", broker.address], check=True, timeout=60)
    file = tmp_path / "pipeline.yaml"
    file.write_text(PIPELINE.format(root=root.replace("etl@", ""), spool=spool))
    command = [MILLRACE, "pipeline", "run", "--broker", broker.address, "-c", file]
    members = [Process(f"pipeline-{number}", command, tmp_path) for number in range(2)]
    producer = Producer(broker)
    producer.start()
    try:
        for member in members:
            member.start()
        for kill in range(KILLS):
            time.sleep(chance.uniform(0.3, 2.5))
            member = chance.choice(members)
            if kill == KILLS // 2:
                hdfs.stop()
                time.sleep(chance.uniform(0.5, 3))
                hdfs.start()
            assert member.is_running, member.tail()
            member.kill()
            member.start()
        producer.stopping.set()
        producer.join()
        wait_until(lambda: committed([root]) == producer.count, 120, "the chains hold every offset")
        for member in members:
            assert member.stop(60) == 0, member.tail()
        # An owner that is killed, or whose upload is cut short by an outage, leaves files that the next one sweeps: here it comes.
        before = members[0].log.stat().st_size
        members[0].start()
        wait_until(lambda: "rows-2" in members[0].log.read_text()[before:], 60, "the last owner has its partitions")
        time.sleep(1)
        wait_until(lambda: left_in_staging(hdfs) == [], 60, "the next owner sweeps the staging folders")
        assert members[0].stop(60) == 0, members[0].tail()
    finally:
        producer.stopping.set()
        for member in members:
            member.kill()
        assert broker.stop() == 0, broker.tail()

    report = subprocess.run([MILLRACE, "export", "verify", "-c", file, "--output", "json"], capture_output=True, text=True, timeout=120)
    assert report.returncode == 0, report.stdout + report.stderr
    assert json.loads(report.stdout)["rows"] == producer.count
    hdfs.download("/logs/rows", tmp_path)
    source = f"read_parquet('{tmp_path}/logs/rows/**/*.parquet', hive_partitioning=true)"
    found = duckdb.connect().execute(f"select count(*), count(distinct n), min(n), max(n) from {source}").fetchone()
    assert found == (producer.count, producer.count, 0, producer.count - 1)
    assert left_in_staging(hdfs) == [], "the last owner swept what killed ones, and uploads cut short, had left"
    assert list(spool.iterdir()) == [], "nothing is left in the spool"


def test_a_folder_that_the_user_may_not_write_is_said_with_what_to_do(hdfs, tmp_path):
    broker = Broker(tmp_path).start()
    try:
        subprocess.run([MILLRACE, "produce", "rows", "--broker", broker.address], input=b'{"n": 1}\n', check=True, timeout=60)
        hdfs.make_folder("/closed", "root")
        file = tmp_path / "pipeline.yaml"
        file.write_text(PIPELINE.format(root=f"hdfs://127.0.0.1:{hdfs.port}/closed", spool="/var/tmp"))
        pipeline = Process("pipeline", [MILLRACE, "pipeline", "run", "--broker", broker.address, "-c", file], tmp_path).start()
        try:
            wait_until(lambda: "Permission denied: user=etl" in pipeline.tail(), 30, "the pipeline says that it may not write")
            assert "name another with 'user'" in pipeline.tail() and pipeline.is_running
        finally:
            pipeline.kill()
    finally:
        broker.stop()
