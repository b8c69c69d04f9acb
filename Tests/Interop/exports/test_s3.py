"""An export to S3 (moto's server): every line once, through kill -9 of the pipeline, lost requests and lost answers; every signature as botocore makes it."""

import json
import os
import random
import subprocess
import time

import duckdb
import pytest

from support.processes import MILLRACE, Broker, Process, wait_until
from support.rows import Producer, committed
from support.s3 import ACCESS_KEY, REGION, SECRET_KEY, SESSION_TOKEN, Moto, Proxy

FULL = bool(os.environ.get("MILLRACE_TEST_FULL"))
KILLS = 30 if FULL else 4
PIPELINE = """
pipeline: to-s3
from: {{topics: [rows], start: earliest}}
steps:
  - parse: {{json: {{}}}}
to:
  - export:
      root: s3://{bucket}/logs
      s3:
        endpoint: {endpoint}
        region: {region}
        access_key: {access_key}
        secret_key: {secret_key}
        session_token: {session_token}
        spool: {spool}
      table: rows
      partition_by: [dt, hour]
      rotate: {{age: 300ms}}
      format: parquet
      columns: {{n: int64}}
"""


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    moto = Moto(tmp_path_factory.mktemp("moto")).start()
    try:
        yield moto
    finally:
        moto.stop()


def configuration(folder, bucket, endpoint):
    spool = folder / "spool"
    spool.mkdir()
    file = folder / "pipeline.yaml"
    file.write_text(
        PIPELINE.format(
            bucket=bucket, endpoint=endpoint, region=REGION, access_key=ACCESS_KEY, secret_key=SECRET_KEY, session_token=SESSION_TOKEN, spool=spool
        )
    )
    return file


def test_every_line_once_through_kills_and_lost_answers(moto, tmp_path):
    seed = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"MILLRACE_SEED={seed}")
    chance = random.Random(seed)
    moto.make_bucket("every-line")
    troubles = random.Random(seed + 1)
    is_troubled = True
    proxy = Proxy(moto, lambda method, path: troubles.choice(["refused", "answer_lost"]) if is_troubled and troubles.random() < 0.05 else None)
    broker = Broker(tmp_path).start()
    subprocess.run([MILLRACE, "topics", "create", "rows", "--partitions", "3", "--broker", broker.address], check=True, timeout=60)
    file = configuration(tmp_path, "every-line", proxy.endpoint)
    command = [MILLRACE, "pipeline", "run", "--broker", broker.address, "-c", file]
    members = [Process(f"pipeline-{number}", command, tmp_path) for number in range(2)]
    producer = Producer(broker)
    producer.start()
    left = lambda: [key for key in moto.keys("every-line", "logs/.millrace/") if not key.endswith(".commit")] + moto.uploads("every-line")
    try:
        for member in members:
            member.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.3, 2.5))
            member = chance.choice(members)
            assert member.is_running, member.tail()
            member.kill()
            member.start()
        producer.stopping.set()
        producer.join()
        wait_until(lambda: committed(["-c", file]) == producer.count, 180, "the chains hold every offset")
        is_troubled = False
        for member in members:
            assert member.stop(60) == 0, member.tail()
        # An owner that is killed leaves uploads that the next one aborts: here it comes.
        before = members[0].log.stat().st_size
        members[0].start()
        wait_until(lambda: "rows-2" in members[0].log.read_text()[before:], 60, "the last owner has its partitions")
        wait_until(lambda: left() == [], 60, "the next owner aborts what killed ones had begun")
        assert members[0].stop(60) == 0, members[0].tail()
    finally:
        producer.stopping.set()
        for member in members:
            member.kill()
        assert broker.stop() == 0, broker.tail()

    report = subprocess.run([MILLRACE, "export", "verify", "-c", file, "--output", "json"], capture_output=True, text=True, timeout=120)
    assert report.returncode == 0, report.stdout + report.stderr
    assert json.loads(report.stdout)["rows"] == producer.count
    moto.download("every-line", "logs/rows/", tmp_path)
    source = f"read_parquet('{tmp_path}/logs/rows/**/*.parquet', hive_partitioning=true)"
    found = duckdb.connect().execute(f"select count(*), count(distinct n), min(n), max(n) from {source}").fetchone()
    assert found == (producer.count, producer.count, 0, producer.count - 1)
    assert proxy.requests > 100 and proxy.problems == []
    assert list((tmp_path / "spool").iterdir()) == [], "nothing is left in the spool"
    # A root alone takes keys and endpoint from where AWS's own tools take them.
    env = {**os.environ, "AWS_ENDPOINT_URL": proxy.endpoint, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    env["AWS_SESSION_TOKEN"] = SESSION_TOKEN
    quick = subprocess.run([MILLRACE, "export", "verify", "s3://every-line/logs", "--quick"], env=env, capture_output=True, text=True, timeout=120)
    assert quick.returncode == 0 and "all as the commits say" in quick.stdout, quick.stdout + quick.stderr
    proxy.stop()


def test_a_file_of_several_parts(moto, tmp_path):
    moto.make_bucket("parts")
    proxy = Proxy(moto)
    broker = Broker(tmp_path).start()
    try:
        lines = b"".join(json.dumps({"n": n, "noise": os.urandom(3000).hex()}).encode() + b"\n" for n in range(4000))
        subprocess.run([MILLRACE, "produce", "rows", "--broker", broker.address], input=lines, check=True, capture_output=True, timeout=60)
        file = configuration(tmp_path, "parts", proxy.endpoint)
        text = file.read_text().replace("n: int64", "n: int64, noise: string").replace("age: 300ms", "age: 5s")
        file.write_text(text.replace("spool:", "part_size: 5MiB\n        spool:"))
        pipeline = Process("pipeline", [MILLRACE, "pipeline", "run", "--broker", broker.address, "-c", file], tmp_path).start()
        try:
            wait_until(lambda: committed(["-c", file]) == 4000, 60, "the chain holds every offset")
        finally:
            assert pipeline.stop(60) == 0, pipeline.tail()
        etags = [moto.client.head_object(Bucket="parts", Key=key)["ETag"] for key in moto.keys("parts", "logs/rows/")]
        assert any(int(etag.strip('"').split("-")[1]) > 1 for etag in etags), etags
        report = subprocess.run([MILLRACE, "export", "verify", "-c", file, "--output", "json"], capture_output=True, text=True, timeout=60)
        assert report.returncode == 0 and json.loads(report.stdout)["rows"] == 4000, report.stdout + report.stderr
        assert proxy.problems == []
    finally:
        assert broker.stop() == 0, broker.tail()
        proxy.stop()


def test_a_store_that_ignores_the_condition_is_refused(moto, tmp_path):
    moto.make_bucket("unconditional")
    proxy = Proxy(moto, lambda method, path: lambda headers: headers.pop("if-none-match", None))
    broker = Broker(tmp_path).start()
    try:
        subprocess.run([MILLRACE, "produce", "rows", "--broker", broker.address], input=b'{"n": 1}\n', check=True, capture_output=True, timeout=60)
        file = configuration(tmp_path, "unconditional", proxy.endpoint)
        command = [MILLRACE, "pipeline", "run", "--broker", broker.address, "-c", file]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert ended.returncode != 0 and "If-None-Match" in ended.stderr, ended.stderr
        assert moto.keys("unconditional", "") == []
    finally:
        assert broker.stop() == 0, broker.tail()
        proxy.stop()


@pytest.mark.skipif(not FULL, reason="chdb comes with ./test --full")
def test_clickhouse_reads_a_table_in_s3_by_the_printed_statements(moto, tmp_path):
    import chdb.session

    moto.make_bucket("engines")
    broker = Broker(tmp_path).start()
    try:
        lines = b"".join(json.dumps({"n": n}).encode() + b"\n" for n in range(100))
        subprocess.run([MILLRACE, "produce", "rows", "--broker", broker.address], input=lines, check=True, capture_output=True, timeout=60)
        file = configuration(tmp_path, "engines", f"http://127.0.0.1:{moto.port}")
        pipeline = Process("pipeline", [MILLRACE, "pipeline", "run", "--broker", broker.address, "-c", file], tmp_path).start()
        try:
            wait_until(lambda: committed(["-c", file]) == 100, 60, "the chain holds every offset")
        finally:
            assert pipeline.stop(60) == 0, pipeline.tail()
    finally:
        assert broker.stop() == 0, broker.tail()
    printed = subprocess.run([MILLRACE, "export", "ddl", "-c", file, "--engine", "clickhouse"], capture_output=True, text=True, timeout=60)
    assert printed.returncode == 0, printed.stderr
    statement = printed.stdout.replace(".parquet', ", f".parquet', '{ACCESS_KEY}', '{SECRET_KEY}', ").rstrip().rstrip(";")
    session = chdb.session.Session()
    session.query("create database d")
    session.query("use d")
    session.query(statement)
    found = str(session.query("select count(), uniqExact(n), min(n), max(n), uniqExact(dt) >= 1, min(kafka_topic) from rows", "TabSeparated"))
    assert found.split() == ["100", "100", "0", "99", "1", "rows"]
