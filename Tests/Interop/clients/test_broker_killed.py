"""kill -9 of the broker under other people's idempotent producers, and under a consumer that goes on reading: every message once, in order."""

import subprocess
import threading
import time

import pytest
from support.processes import Broker

KILLS = 5
PARTITIONS = 3


@pytest.fixture
def mortal(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    if broker.is_running:
        broker.stop()


def wreak(broker, done):
    """Kills and restarts the broker until `done`, at least KILLS times."""
    kills = 0
    while kills < KILLS or not done.is_set():
        time.sleep(1.0)
        broker.kill()
        broker.start()
        kills += 1
        if kills > 60:
            break


def create(broker, topic):
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": broker.address})
    for future in admin.create_topics([NewTopic(topic, PARTITIONS)]).values():
        future.result(10)


def read_all(address, topic, partition):
    command = ["kcat", "-C", "-b", address, "-t", topic, "-p", str(partition), "-o", "beginning", "-e", "-q", "-f", "%o %s\n"]
    return subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout.splitlines()


def test_an_idempotent_producer_writes_once(mortal, topic):
    from confluent_kafka import Producer

    create(mortal, topic)
    producer = Producer(
        {"bootstrap.servers": mortal.address, "enable.idempotence": True, "acks": "all", "linger.ms": 5,
         "compression.type": "lz4", "message.timeout.ms": 120_000, "reconnect.backoff.max.ms": 500}
    )
    errors = []
    sent = [0] * PARTITIONS
    stop = threading.Event()

    def produce():
        while not stop.is_set():
            for partition in range(PARTITIONS):
                producer.produce(
                    topic, str(sent[partition]), partition=partition,
                    on_delivery=lambda error, message: errors.append(str(error)) if error else None)
                sent[partition] += 1
            producer.poll(0)
            time.sleep(0.0005)

    writer = threading.Thread(target=produce)
    writer.start()
    done = threading.Event()
    done.set()
    wreak(mortal, done)
    stop.set()
    writer.join()
    assert producer.flush(60) == 0
    assert not errors, errors[:3]
    for partition in range(PARTITIONS):
        wanted = [f"{number} {number}" for number in range(sent[partition])]
        assert read_all(mortal.address, topic, partition) == wanted
    assert min(sent) > 1000


def test_a_group_reads_on_where_it_was(mortal, topic):
    """Without commits lost or messages skipped; what was read and not yet committed may come again."""
    from confluent_kafka import Consumer, Producer

    create(mortal, topic)
    count = 3000
    consumer = Consumer(
        {"bootstrap.servers": mortal.address, "group.id": topic, "auto.offset.reset": "earliest", "enable.auto.commit": False,
         "session.timeout.ms": 6000, "reconnect.backoff.max.ms": 500}
    )
    consumer.subscribe([topic])
    done = threading.Event()
    killer = threading.Thread(target=wreak, args=(mortal, done))
    killer.start()
    try:
        producer = Producer({"bootstrap.servers": mortal.address, "enable.idempotence": True, "message.timeout.ms": 120_000})
        seen = [set() for _ in range(PARTITIONS)]
        for number in range(count):
            producer.produce(topic, str(number), partition=number % PARTITIONS)
        deadline = time.monotonic() + 90
        while sum(map(len, seen)) < count and time.monotonic() < deadline:
            producer.poll(0)
            message = consumer.poll(0.5)
            if message is None or message.error():
                continue
            seen[message.partition()].add(message.offset())
            if message.offset() % 100 == 0:
                try:
                    consumer.commit(message, asynchronous=False)
                except Exception:
                    pass  # The broker is away, or the group is being joined again.
        assert producer.flush(60) == 0
    finally:
        done.set()
        killer.join()
    consumer.close()
    assert [sorted(offsets) for offsets in seen] == [list(range(count // PARTITIONS))] * PARTITIONS
