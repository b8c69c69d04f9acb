"""Transactions by other people's clients: what is committed is read once, what is aborted never, by readers of committed records."""

import asyncio
import subprocess
import sys
import time
import uuid

import pytest
from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec
from support.processes import Broker, wait_until


def create(address, topic, partitions=1):
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.create_topics([NewTopic(topic, partitions)]).values():
        future.result(10)
    return admin


def transactional(address, name=None, **settings):
    producer = Producer(
        {"bootstrap.servers": address, "transactional.id": name or f"x-{uuid.uuid4().hex[:8]}", "linger.ms": 0,
         **settings}
    )
    producer.init_transactions(30)
    return producer


def read(address, topic, level="read_committed", partitions=1):
    """Every value that a reader of this level sees up to the end that it is told."""
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": f"g-{uuid.uuid4().hex}", "isolation.level": level,
         "enable.partition.eof": True, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    values, ended = [], set()
    deadline = time.monotonic() + 60
    while len(ended) < partitions:
        assert time.monotonic() < deadline, f"no end of {topic} was reached"
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
            ended.add(message.partition())
        else:
            values.append(message.value().decode())
    consumer.close()
    return values


def test_committed_records_are_read_and_aborted_ones_are_not(broker, topic):
    create(broker.address, topic, 2)
    producer = transactional(broker.address)
    for number in range(6):
        producer.begin_transaction()
        for partition in range(2):
            producer.produce(topic, f"{number}/{partition}", partition=partition)
        producer.flush(10)
        producer.commit_transaction(30) if number % 2 == 0 else producer.abort_transaction(30)
    committed = sorted(f"{number}/{partition}" for number in (0, 2, 4) for partition in range(2))
    wait_until(lambda: sorted(read(broker.address, topic, partitions=2)) == committed, 20, "the markers")
    everything = read(broker.address, topic, "read_uncommitted", 2)
    assert len(everything) == 12 and set(committed) < set(everything)


def test_an_open_transaction_holds_readers_of_committed_records_back(broker, topic):
    admin = create(broker.address, topic)
    producer = transactional(broker.address)
    producer.begin_transaction()
    producer.produce(topic, "open")
    producer.flush(10)
    plain = Producer({"bootstrap.servers": broker.address})
    plain.produce(topic, "plain")
    plain.flush(10)

    def latest(level):
        asked = {TopicPartition(topic, 0): OffsetSpec.latest()}
        return list(admin.list_offsets(asked, isolation_level=level).values())[0].result(10).offset

    assert latest(IsolationLevel.READ_COMMITTED) == 0
    assert latest(IsolationLevel.READ_UNCOMMITTED) == 2
    assert read(broker.address, topic) == []
    assert read(broker.address, topic, "read_uncommitted") == ["open", "plain"]
    producer.commit_transaction(30)
    wait_until(lambda: read(broker.address, topic) == ["open", "plain"], 20, "the marker")


def test_the_next_producer_with_the_same_id_fences_the_last(broker, topic):
    create(broker.address, topic)
    name = f"x-{uuid.uuid4().hex[:8]}"
    first = transactional(broker.address, name)
    first.begin_transaction()
    first.produce(topic, "fenced")
    first.flush(10)
    second = transactional(broker.address, name)
    with pytest.raises(KafkaException) as failure:
        first.commit_transaction(30)
    assert failure.value.args[0].code() in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH)
    second.begin_transaction()
    second.produce(topic, "second")
    second.commit_transaction(30)
    wait_until(lambda: read(broker.address, topic) == ["second"], 20, "the second producer's record")


def test_a_transaction_that_is_open_too_long_is_aborted(broker, topic):
    create(broker.address, topic)
    producer = transactional(broker.address, **{"transaction.timeout.ms": 1000})
    producer.begin_transaction()
    producer.produce(topic, "late")
    producer.flush(10)
    other = Producer({"bootstrap.servers": broker.address})
    other.produce(topic, "plain")
    other.flush(10)
    wait_until(lambda: read(broker.address, topic) == ["plain"], 30, "the abort")
    with pytest.raises(KafkaException):
        producer.commit_transaction(30)


def test_offsets_count_with_the_transaction(broker, topic):
    create(broker.address, topic)
    group = f"g-{uuid.uuid4().hex[:8]}"
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": group, "enable.auto.commit": False})
    consumer.subscribe([topic])
    wait_until(lambda: consumer.poll(0.2) is None and consumer.assignment(), 30, "the assignment")
    producer = transactional(broker.address)

    def committed():
        return consumer.committed([TopicPartition(topic, 0)], 10)[0].offset

    for offset, commits, expected in ((7, True, 7), (9, False, 7), (11, True, 11)):
        producer.begin_transaction()
        producer.produce(topic, str(offset))
        producer.send_offsets_to_transaction(
            [TopicPartition(topic, 0, offset)], consumer.consumer_group_metadata(), 30)
        producer.commit_transaction(30) if commits else producer.abort_transaction(30)
        # A reader that asks for what is stable waits for the marker.
        assert committed() == expected
    consumer.close()


def test_aiokafka(broker, topic):
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka import TopicPartition as Partition

    create(broker.address, topic)
    group = f"g-{uuid.uuid4().hex[:8]}"

    async def run():
        producer = AIOKafkaProducer(bootstrap_servers=broker.address, transactional_id=f"x-{uuid.uuid4().hex[:8]}")
        await producer.start()
        for number in range(4):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, str(number).encode())
            await producer.send_offsets_to_transaction({Partition(topic, 0): number + 1}, group)
            await (producer.commit_transaction() if number % 2 == 0 else producer.abort_transaction())
        async with producer.transaction():
            await producer.send(topic, b"last")
        await producer.stop()
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=broker.address, group_id=None, auto_offset_reset="earliest",
            isolation_level="read_committed")
        await consumer.start()
        values = []
        while not values or values[-1] != b"last":
            values.append((await asyncio.wait_for(consumer.getone(), 30)).value)
        await consumer.stop()
        member = AIOKafkaConsumer(bootstrap_servers=broker.address, group_id=group)
        await member.start()
        offset = await member.committed(Partition(topic, 0))
        await member.stop()
        return values, offset

    values, offset = asyncio.run(run())
    assert values == [b"0", b"2", b"last"]
    assert offset == 3


LOOP = """
import sys
from confluent_kafka import Consumer, KafkaException, Producer

address, source, target = sys.argv[1:]
producer = Producer({"bootstrap.servers": address, "transactional.id": "loop", "linger.ms": 1,
                     "transaction.timeout.ms": 10000, "reconnect.backoff.max.ms": 500})
producer.init_transactions(60)
consumer = Consumer({"bootstrap.servers": address, "group.id": "loop", "isolation.level": "read_committed",
                     "auto.offset.reset": "earliest", "enable.auto.commit": False, "session.timeout.ms": 6000,
                     "reconnect.backoff.max.ms": 500})
consumer.subscribe([source])
while True:
    messages = [message for message in consumer.consume(20, 0.2) if not message.error()]
    if not messages:
        continue
    producer.begin_transaction()
    try:
        for message in messages:
            producer.produce(target, b"out " + message.value(), partition=message.partition())
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 30)
        producer.commit_transaction(30)
    except KafkaException as failure:
        # Whatever became of it, the next one begins where the group's offsets stand.
        print(failure, flush=True)
        sys.exit(1)
"""


@pytest.fixture
def mortal(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    if broker.is_running:
        broker.stop()


def test_a_loop_that_reads_and_writes_in_transactions_does_each_record_once(mortal, tmp_path):
    """The loop and the broker are killed with kill -9 in turn, at moments that a seed chooses."""
    import random

    moments = random.Random(4)
    partitions, count = 2, 600
    create(mortal.address, "in", partitions)
    create(mortal.address, "out", partitions)
    source = Producer({"bootstrap.servers": mortal.address, "enable.idempotence": True})
    script = tmp_path / "loop.py"
    script.write_text(LOOP)
    said = open(tmp_path / "loop.log", "w")

    def start():
        return subprocess.Popen([sys.executable, script, mortal.address, "in", "out"], stdout=said, stderr=said)

    loop = start()
    try:
        for kill in range(8):
            for number in range(kill * count // 8, (kill + 1) * count // 8):
                source.produce("in", str(number), partition=number % partitions)
            source.flush(60)
            time.sleep(moments.uniform(0.5, 3))
            if kill % 2 == 0:
                loop.kill()
                loop.wait()
            else:
                mortal.kill()
                mortal.start()
            if loop.poll() is not None:
                loop = start()
        expected = sorted(f"out {number}" for number in range(count))
        deadline = time.monotonic() + 120
        while True:
            if loop.poll() is not None:
                loop = start()
            found = sorted(read(mortal.address, "out", partitions=partitions))
            assert len(found) == len(set(found)), "a record came twice"
            if found == expected:
                break
            assert time.monotonic() < deadline, f"{len(found)} of {count}; {(tmp_path / 'loop.log').read_text()[-2000:]}"
            time.sleep(1)
    finally:
        loop.kill()
        loop.wait()
