"""`on_error: dlq`: every record that a step fails on stands in the dead letters' topic once, whatever is killed."""

import json
import random
import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from support.export import rows
from support.processes import MILLRACE, Broker, Process, wait_until

PIPELINE = """
pipeline: p
from: {{topics: [t], start: earliest}}
steps:
  - parse: json
    on_error: dlq
dlq: {{topic: dead, linger: 50ms, batch: 1KiB}}
to:
  - export: {{root: "{root}", table: t, rotate: {{age: 300ms}}}}
"""
PARTITIONS = 3
ROUNDS = 8


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    assert broker.stop() == 0, broker.tail()


def produce(broker, numbers):
    producer = Producer({"bootstrap.servers": broker.address, "enable.idempotence": True, "linger.ms": 5})
    for number in numbers:
        value = b"no JSON \xff %d" % number if number % 10 == 3 else json.dumps({"n": number}).encode()
        producer.produce(
            "t", value, key=b"key %d" % number, partition=number % PARTITIONS, headers=[("trace", b"%d" % number)]
        )
    assert producer.flush(60) == 0


def committed_values(broker, topic):
    """All records that a reader of committed records sees, by (partition, offset)."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": "reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    count = len(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(count)])
    found, ended = [], 0
    while ended < count:
        message = consumer.poll(20)
        assert message is not None, "the topic's end does not come"
        if message.error():
            ended += 1
        else:
            found.append(message)
    consumer.close()
    return found


def test_each_dead_letter_stands_once_through_kills_of_pipeline_and_broker(broker, tmp_path):
    root = tmp_path / "export"
    file = tmp_path / "pipeline.yaml"
    file.write_text(PIPELINE.format(root=root))
    for topic in ("t", "dead"):
        create = [MILLRACE, "topics", "create", topic, "--partitions", PARTITIONS, "--broker", broker.address]
        assert Process("create", create, tmp_path).start().child.wait(60) == 0
    choices = random.Random(7)
    command = [MILLRACE, "pipeline", "run", "-c", file, "--broker", broker.address]
    pipelines = [Process(f"p{number}", command, tmp_path).start() for number in range(2)]
    total = 0
    try:
        for round in range(ROUNDS):
            produce(broker, range(total, total + 600))
            total += 600
            time.sleep(choices.uniform(0.2, 1.5))
            if round % 4 == 3:
                broker.kill()
                broker.start()
            victim = choices.choice(pipelines)
            victim.kill()
            victim.start()
        bad = {number for number in range(total) if number % 10 == 3}
        wait_until(lambda: len(rows(root / "t", ["n"])) >= total - len(bad), 90, f"all rows; {pipelines[0].tail()}")
        wait_until(lambda: len(committed_values(broker, "dead")) >= len(bad), 180, f"all letters; {pipelines[0].tail()}")
    finally:
        stopped = [pipeline.stop() for pipeline in pipelines]
    assert stopped == [0, 0], pipelines[0].tail()

    assert sorted(number for (number,) in rows(root / "t", ["n"])) == sorted(set(range(total)) - bad)
    letters = committed_values(broker, "dead")
    headers = [dict(letter.headers()) for letter in letters]
    assert sorted(int(header["trace"]) for header in headers) == sorted(bad)
    for letter, header in zip(letters, headers):
        number = int(header["trace"])
        assert letter.value() == b"no JSON \xff %d" % number and letter.key() == b"key %d" % number
        assert letter.partition() == number % PARTITIONS == int(header["millrace.dlq.partition"])
        assert header["millrace.dlq.topic"] == b"t" and header["millrace.dlq.pipeline"] == b"p"
        assert header["millrace.dlq.step"] == b"1 parse json"
        assert header["millrace.dlq.reason"].startswith(b"not JSON: ")
        assert int(header["millrace.dlq.offset"]) == number // PARTITIONS
        assert abs(int(header["millrace.dlq.timestamp"]) / 1000 - time.time()) < 600
