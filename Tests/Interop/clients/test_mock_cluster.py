"""Our client and agent against a cluster that others wrote: librdkafka's mock brokers (they have no CreateTopics)."""

import subprocess

import pytest

from support.processes import MILLRACE, MILLRACE_AGENT, Process


@pytest.fixture
def cluster():
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 3, "log_level": 0})
    brokers = producer.list_topics(timeout=10).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    del producer


def read_all(cluster, topic, count):
    from confluent_kafka import Consumer

    consumer = Consumer({"bootstrap.servers": cluster, "group.id": "check", "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    values = []
    while len(values) < count:
        messages = consumer.consume(1000, timeout=30)
        assert messages, f"nothing more after {len(values)} messages"
        values += [message.value() for message in messages if not message.error()]
    consumer.close()
    return values


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_what_we_produce_others_read_and_we_read(cluster, codec):
    lines = [b"line %d" % number for number in range(2_000)]
    produce = [MILLRACE, "produce", "t", "--broker", cluster, "--codec", codec]
    subprocess.run(produce, input=b"\n".join(lines), check=True, capture_output=True, timeout=60)
    assert sorted(read_all(cluster, "t", len(lines))) == sorted(lines)
    tail = [MILLRACE, "tail", "t", "--broker", cluster, "--from", "earliest", "--count", str(len(lines))]
    output = subprocess.run(tail, check=True, capture_output=True, timeout=60).stdout
    assert sorted(output.splitlines()) == sorted(lines)


def test_the_agent_ships(cluster, tmp_path):
    lines = [b"request %d" % number for number in range(5_000)]
    (tmp_path / "app.log").write_bytes(b"\n".join(lines) + b"\n")
    agent = Process(
        "agent",
        [MILLRACE_AGENT, "run", "--broker", cluster, "--state", tmp_path / "state", "--file", tmp_path / "app.log",
         "--topic", "app"],
        tmp_path,
    ).start()
    assert sorted(read_all(cluster, "app", len(lines))) == sorted(lines)
    assert agent.stop() == 0, agent.tail()
