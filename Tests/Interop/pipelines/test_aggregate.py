"""`aggregate`: every window of nginx's log told once, whatever is killed, and as DuckDB counts the same lines."""

import json
import random
import time
from datetime import datetime, timedelta, timezone

import duckdb
import pytest
from confluent_kafka import Producer

from pipelines.test_dead_letters import committed_values
from support.processes import MILLRACE, Broker, Process, wait_until

PIPELINE = """
pipeline: p
from: {topics: [nginx.access], start: earliest}
steps:
  - parse:
      nginx: {log_format: '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent $request_time'}
  - request: {}
to:
  - aggregate:
      topic: overview
      window: 60s
      lateness: 20s
      idle: 8s
      by: [method]
      values:
        requests: count
        errors: {count: status >= 500}
        bytes: {sum: body_bytes_sent}
        p95: {quantile: 0.95, of: request_time}
        slowest: {max: request_time}
        visitors: {distinct: remote_addr}
        paths: {top: path, k: 3}
"""
ROUNDS = 6
LINES = 1500


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    assert broker.stop() == 0, broker.tail()


def lines(choices, start, count):
    """Lines of half a minute for each hundred, shuffled a little, as several workers write them."""
    for number in range(count):
        when = start + timedelta(milliseconds=300 * number - choices.randrange(0, 9000))
        path = choice_of_path(choices)
        method = choices.choice(["GET", "GET", "GET", "POST"])
        status = choices.choice([200] * 8 + [404, 503])
        address = f"10.{choices.randrange(4)}.{choices.randrange(8)}.{choices.randrange(40)}"
        took = round(choices.lognormvariate(-3, 1.5), 3)
        yield when, address, method, path, status, choices.randrange(100_000), took


def choice_of_path(choices):
    return choices.choice(["/", "/", "/", "/login", "/login", "/about"]) if choices.random() < 0.7 else f"/p/{choices.randrange(5000)}"


def test_windows_are_told_once_and_as_duckdb_counts_them(broker, tmp_path):
    file = tmp_path / "pipeline.yaml"
    file.write_text(PIPELINE)
    for topic in ("nginx.access", "overview"):
        create = [MILLRACE, "topics", "create", topic, "--partitions", 1, "--broker", broker.address]
        assert Process("create", create, tmp_path).start().child.wait(60) == 0
    choices = random.Random(11)
    producer = Producer({"bootstrap.servers": broker.address, "enable.idempotence": True, "linger.ms": 5})
    command = [MILLRACE, "pipeline", "run", "-c", file, "--broker", broker.address]
    pipeline = Process("p", command, tmp_path).start()
    begin = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=2)
    raw = []
    try:
        for round in range(ROUNDS):
            start = begin + timedelta(milliseconds=300 * LINES * round)
            for when, address, method, path, status, size, took in lines(choices, start, LINES):
                raw.append((when, address, method, path, status, size, took))
                text = f'{address} [{when:%Y-%m-%dT%H:%M:%S}+00:00] "{method} {path} HTTP/1.1" {status} {size} {took:.3f}'
                producer.produce("nginx.access", text.encode(), partition=0)
            assert producer.flush(60) == 0
            time.sleep(choices.uniform(0.1, 1.2))
            if round == 3:
                broker.kill()
                broker.start()
            pipeline.kill()
            pipeline.start()
        # The clock closes the last windows.
        windows = {(when.replace(second=0, microsecond=0), method) for when, _, method, *_ in raw}
        wait_until(lambda: len(committed_values(broker, "overview")) >= len(windows), 90, f"all windows; {pipeline.tail()}")
    finally:
        stopped = pipeline.stop()
    assert stopped == 0, pipeline.tail()

    results = [json.loads(message.value()) for message in committed_values(broker, "overview")]
    found = {(result["window_start"], result["method"]): result for result in results}
    assert len(found) == len(results) == len(windows)
    connection = duckdb.connect()
    connection.execute("create table raw(moment timestamp, address text, method text, path text, status int, bytes bigint, took double)")
    connection.executemany("insert into raw values (?, ?, ?, ?, ?, ?, ?)", [(row[0].replace(microsecond=0, tzinfo=None), *row[1:]) for row in raw])
    wanted = connection.execute(
        "select strftime(date_trunc('minute', moment), '%Y-%m-%dT%H:%M:%S.000Z'), method, count(*), count(*) filter (status >= 500), sum(bytes), "
        "quantile_disc(took, 0.95), max(took), count(distinct address) from raw group by all"
    ).fetchall()
    assert len(wanted) == len(windows)
    for start, method, requests, errors, size, p95, slowest, visitors in wanted:
        result = found[start, method]
        assert (result["requests"], result["errors"], result["bytes"]) == (requests, errors, size)
        assert result["slowest"] == slowest
        # What the sketches promise: 1 % (and a rank of one for how quantiles between two values are taken), 1.6 % once.
        took = sorted(row[6] for row in raw if row[2] == method and f"{row[0]:%Y-%m-%dT%H:%M}" == start[:16])
        rank = int(0.95 * (len(took) - 1))
        assert took[max(rank - 1, 0)] * 0.989 <= result["p95"] <= took[min(rank + 1, len(took) - 1)] * 1.011
        assert abs(result["visitors"] - visitors) <= max(0, 0.065 * visitors if visitors > 256 else 0)
        exact = connection.execute(
            "select path, count(*) from raw where method = ? and strftime(date_trunc('minute', moment), '%Y-%m-%dT%H:%M:%S.000Z') = ? "
            "and path = ? group by all",
            [method, start, result["paths"][0]["value"]],
        ).fetchall()
        assert exact == [(result["paths"][0]["value"], result["paths"][0]["count"])]
