"""`millrace bench` measures what really happened: counts are held against what another client finds."""

import json
import subprocess

import pytest
from confluent_kafka import Consumer, TopicPartition

from support.processes import MILLRACE, Broker


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("bench")).start()
    yield broker
    assert broker.stop() == 0, broker.tail()


def bench(broker, *words, check=True):
    done = subprocess.run([MILLRACE, "bench", *words, "--broker", broker.address], capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, done.stderr
    return done


def measured(broker, *words):
    return json.loads(bench(broker, *words, "--output", "json").stdout)


def records_in(broker, topic, partitions):
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "bench-test"})
    try:
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20) for number in range(partitions)]
    finally:
        consumer.close()
    return sum(end - start for start, end in ends)


def assert_percentiles(result, name):
    found = [result[f"{name}_{label}_ms"] for label in ("p50", "p90", "p95", "p99", "p999", "max")]
    assert found == sorted(found) and found[0] > 0


def test_what_produce_counts_stands_in_the_topic_and_consume_counts_the_same(broker):
    result = measured(
        broker, "produce", "--topic", "both", "--partitions", "3", "--bytes", "8MB", "--warm-up", "1MB", "--record-size", "200B", "--connections", "2",
        "--in-flight", "3", "--pid", str(broker.child.pid))
    assert result["bytes"] >= 7_900_000 and result["records"] > 30_000
    assert_percentiles(result, "acknowledged")
    assert result["server_user_cpu_seconds"] + result["server_kernel_cpu_seconds"] > 0
    assert result["server_peak_resident_bytes"] >= result["server_resident_bytes"] > 1_000_000
    stands = records_in(broker, "both", 3)
    assert stands > result["records"], "the warm-up stands there too and is not counted"

    read = measured(broker, "consume", "--topic", "both", "--readers", "2", "--pid", str(broker.child.pid))
    assert read["records"] == 2 * stands


def test_each_record_of_a_latency_run_arrives(broker):
    result = measured(broker, "latency", "--topic", "late", "--rate", "500", "--seconds", "2", "--warm-up-seconds", "1", "--record-size", "100B")
    assert result["records"] == 1000
    assert records_in(broker, "late", 1) == 1500
    assert_percentiles(result, "acknowledged")
    assert_percentiles(result, "arrived")


def test_a_latency_run_finds_its_own_records_among_others(broker):
    for _ in range(2):
        assert measured(broker, "latency", "--topic", "twice", "--rate", "200", "--seconds", "1", "--warm-up-seconds", "0", "--partitions", "2")["records"] == 200
    assert records_in(broker, "twice", 2) == 400


def test_connections_are_opened_and_asked(broker):
    result = measured(broker, "connections", "--count", "200", "--hold", "0s", "--pid", str(broker.child.pid))
    assert result["connections"] == 200
    assert_percentiles(result, "opened")
    assert_percentiles(result, "metadata")
    assert "server_resident_bytes_per_connection" in result


def test_people_get_a_table(broker):
    lines = bench(broker, "produce", "--topic", "table", "--bytes", "1MB", "--codec", "zstd").stdout.splitlines()
    assert any(line.startswith("records_per_second ") for line in lines)
    assert any(line.startswith("acknowledged_p99_ms ") and line.endswith(" ms") for line in lines)


@pytest.mark.parametrize(
    "words, said",
    [
        (["produce", "--pid", "999999999"], "no process 999999999"),
        (["produce", "--bytes", "much"], "64KiB"),
        (["produce", "--codec", "zip"], "gzip"),
        (["consume", "--topic", "no-such-topic"], "no-such-topic"),
        (["latency", "--record-size", "8B"], "--record-size"),
        (["connections", "--count", "0"], "--count"),
    ],
)
def test_what_can_not_be_measured_is_said(broker, words, said):
    done = bench(broker, *words, check=False)
    assert done.returncode != 0
    assert said in done.stderr
