"""Parsers and steps on their way from confluent-kafka into a table: the ready pipeline for syslog, killed while it works."""

import time

import duckdb
import pytest
from confluent_kafka import Producer

from pipelines.test_dead_letters import committed_values
from support.processes import MILLRACE, REPOSITORY, Broker, Process, wait_until

LINES = 900


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    assert broker.stop() == 0, broker.tail()


def message(number):
    """One of four kinds: the new format, the old one, a line of a file, and what is no syslog."""
    return [
        f"<{number % 192}>1 2026-11-22T07:{number % 60:02}:15.003Z web1 app {number} ID{number} "
        f'[x@1 n="{number}"] mail from user{number}@example.org'.encode(),
        f"<34>{time.strftime('%b %d', time.gmtime())} 07:04:05 web2 su[{number}]: password=secret{number}".encode(),
        f"2026-11-22T08:04:05+01:00 web3 cron: number {number}".encode(),
        b"\xff\x00 nothing of syslog %d" % number,
    ][number % 4]


def test_syslog_goes_redacted_into_a_table_and_all_else_to_the_dead_letters(broker, tmp_path):
    export = tmp_path / "export"
    environment = {"MILLRACE_BROKER": broker.address, "MILLRACE_EXPORT": str(export)}
    file = tmp_path / "pipeline.yaml"
    ready = (REPOSITORY / "pipelines" / "syslog-to-parquet" / "pipeline.yaml").read_text()
    assert "age: 5m" in ready
    file.write_text(ready.replace("age: 5m", "age: 500ms"))
    for topic in ("syslog", "syslog.dead"):
        create = [MILLRACE, "topics", "create", topic, "--partitions", 2, "--broker", broker.address]
        assert Process("create", create, tmp_path).start().child.wait(60) == 0
    pipeline = Process("p", [MILLRACE, "pipeline", "run", "-c", file], tmp_path, env=environment).start()
    producer = Producer({"bootstrap.servers": broker.address, "enable.idempotence": True})

    def rows(query):
        if not any((export / "syslog").glob("**/*.parquet")):
            return []
        table = f"read_parquet('{export}/syslog/**/*.parquet', hive_partitioning = true)"
        return duckdb.connect().execute(query.format(table=table)).fetchall()

    try:
        for part in range(3):
            for number in range(part * LINES // 3, (part + 1) * LINES // 3):
                producer.produce("syslog", message(number), partition=number // 4 % 2)
            assert producer.flush(60) == 0
            time.sleep(0.7)
            # Once: each killed member keeps its session until it times out, and the next one waits for it.
            if part == 1:
                pipeline.kill()
                pipeline.start()
        wanted = LINES - LINES // 4
        wait_until(lambda: rows("select count(*) from {table}") >= [(wanted,)], 180, f"all rows; {pipeline.tail()}")
        wait_until(lambda: len(committed_values(broker, "syslog.dead")) >= LINES // 4, 180, f"all letters; {pipeline.tail()}")
    finally:
        stopped = pipeline.stop()
    assert stopped == 0, pipeline.tail()

    quarter = LINES // 4
    assert rows("select hostname, count(*), count(distinct (kafka_partition, kafka_offset)) from {table} group by 1 order by 1") == [
        ("web1", quarter, quarter), ("web2", quarter, quarter), ("web3", quarter, quarter),
    ]
    assert rows("select distinct message from {table} where hostname = 'web1'") == [("mail from ***",)]
    assert rows("select distinct message, facility, severity from {table} where hostname = 'web2'") == [("password=***", "auth", "crit")]
    assert rows("select distinct dt, cast(hour as varchar), severity, app_name from {table} where hostname = 'web3'")[0][2:] == (None, "cron")
    new = rows("select proc_id, msg_id, severity_number, structured_data->'x@1'->>'n' from {table} where hostname = 'web1'")
    assert sorted(new) == sorted((str(n), f"ID{n}", n % 192 % 8, str(n)) for n in range(0, LINES, 4))
    # The old format has no year: it is this one.
    years = rows("select distinct year(timestamp) from {table} where hostname = 'web2'")
    assert years == [(time.gmtime().tm_year,)]
    letters = [letter.value() for letter in committed_values(broker, "syslog.dead")]
    assert sorted(letters) == sorted(message(number) for number in range(3, LINES, 4))
