"""Each client produces with each codec; every other client reads the same offsets and contents."""

import asyncio
import subprocess

import pytest
from messages import CODECS, COUNT, check, expected


# Producers: each writes COUNT messages to partition 0 and returns the offsets the broker answered with, where the client tells them.


def produce_confluent(address, topic, codec):
    from confluent_kafka import Producer

    offsets = {}
    errors = []
    producer = Producer(
        {
            "bootstrap.servers": address,
            "compression.type": codec,
            "enable.idempotence": True,
            "linger.ms": 20,
            "queue.buffering.max.messages": COUNT,
        }
    )

    def delivered(error, message, number):
        errors.append(error) if error else offsets.__setitem__(number, message.offset())

    for number, key, value in expected():
        producer.produce(
            topic, value, key, partition=0, on_delivery=lambda error, message, n=number: delivered(error, message, n)
        )
    producer.flush(60)
    assert not errors, errors[:3]
    return [offsets[number] for number in range(COUNT)]


def produce_kafka_python(address, topic, codec):
    from kafka import KafkaProducer

    producer = KafkaProducer(
        bootstrap_servers=address, compression_type=None if codec == "none" else codec, acks="all", linger_ms=20
    )
    futures = [producer.send(topic, value, key, partition=0) for _, key, value in expected()]
    producer.flush(60)
    offsets = [future.get(10).offset for future in futures]
    producer.close()
    return offsets


def produce_aiokafka(address, topic, codec):
    from aiokafka import AIOKafkaProducer

    async def run():
        producer = AIOKafkaProducer(
            bootstrap_servers=address,
            compression_type=None if codec == "none" else codec,
            enable_idempotence=True,
            linger_ms=20,
        )
        await producer.start()
        futures = [await producer.send(topic, value, key, partition=0) for _, key, value in expected()]
        offsets = [(await future).offset for future in futures]
        await producer.stop()
        return offsets

    return asyncio.run(run())


def produce_kcat(address, topic, codec):
    lines = b"".join(key + b"\t" + value + b"\n" for _, key, value in expected())
    command = ["kcat", "-P", "-b", address, "-t", topic, "-p", "0", "-K", "\t", "-z", codec, "-X", "acks=all"]
    subprocess.run(command, input=lines, check=True, timeout=60)
    return list(range(COUNT))


# Consumers: each reads partition 0 from the beginning and returns (offset, key, value).


def consume_confluent(address, topic):
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": address, "group.id": "unused", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    read = []
    while len(read) < COUNT:
        messages = consumer.consume(5000, timeout=20)
        assert messages, f"nothing more after {len(read)} messages"
        for message in messages:
            assert not message.error(), message.error()
            read.append((message.offset(), message.key(), message.value()))
    consumer.close()
    return read


def consume_kafka_python(address, topic):
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=address, consumer_timeout_ms=20_000)
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek_to_beginning()
    read = []
    for record in consumer:
        read.append((record.offset, record.key, record.value))
        if len(read) == COUNT:
            break
    consumer.close()
    return read


def consume_aiokafka(address, topic):
    from aiokafka import AIOKafkaConsumer, TopicPartition

    async def run():
        consumer = AIOKafkaConsumer(bootstrap_servers=address)
        await consumer.start()
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        read = []
        while len(read) < COUNT:
            batches = await asyncio.wait_for(consumer.getmany(timeout_ms=1000), 20)
            for records in batches.values():
                read += [(record.offset, record.key, record.value) for record in records]
        await consumer.stop()
        return read

    return asyncio.run(run())


def consume_kcat(address, topic):
    command = ["kcat", "-C", "-b", address, "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-f", "%o\t%k\t%s\n"]
    output = subprocess.run(command, check=True, timeout=60, capture_output=True).stdout
    rows = [line.split(b"\t", 2) for line in output.splitlines()]
    return [(int(offset), key, value) for offset, key, value in rows]


PRODUCERS = {
    "confluent": produce_confluent,
    "kafka-python": produce_kafka_python,
    "aiokafka": produce_aiokafka,
    "kcat": produce_kcat,
}
CONSUMERS = {
    "confluent": consume_confluent,
    "kafka-python": consume_kafka_python,
    "aiokafka": consume_aiokafka,
    "kcat": consume_kcat,
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("producer", PRODUCERS)
def test_every_client_reads_what_this_one_wrote(broker, topic, producer, codec):
    offsets = PRODUCERS[producer](broker.address, topic, codec)
    assert offsets == list(range(COUNT))
    for name, consume in CONSUMERS.items():
        check(consume(broker.address, topic)), name


def test_kafka_python_reads_in_a_fetch_session(tmp_path):
    """KIP-227 by a client that others wrote: many partitions, news in one of them at a time."""
    import re
    import urllib.request

    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from support.processes import Broker, free_port

    admin = free_port()
    broker = Broker(tmp_path, arguments=["--admin", f"127.0.0.1:{admin}", "--set", "num.partitions=20"]).start()

    def metric(name):
        text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10).read().decode()
        return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))

    try:
        producer = KafkaProducer(bootstrap_servers=broker.address, acks="all")
        partitions = range(20)
        for partition in partitions:
            producer.send("many", b"first", partition=partition).get(30)
        consumer = KafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest", group_id=None)
        consumer.assign([TopicPartition("many", partition) for partition in partitions])
        seen = {partition: [] for partition in partitions}

        def read(count):
            while sum(map(len, seen.values())) < count:
                for place, records in consumer.poll(timeout_ms=20_000).items():
                    seen[place.partition] += [record.value for record in records]

        read(20)
        assert metric("millrace_broker_fetch_sessions") >= 1
        assert metric("millrace_broker_fetch_session_partitions") == 20
        for number in range(60):
            producer.send("many", b"%d" % number, partition=number % 20).get(30)
            read(21 + number)
        assert all(seen[p] == [b"first"] + [b"%d" % n for n in range(p, 60, 20)] for p in partitions), seen
        # Some partitions leave the session, then one comes back.
        consumer.assign([TopicPartition("many", 3)])
        producer.send("many", b"not asked for", partition=4).get(30)
        producer.send("many", b"asked for", partition=3).get(30)
        read(81)
        assert seen[3][-1] == b"asked for" and b"not asked for" not in seen[4]
        consumer.close()
        producer.close()
        assert broker.is_running
    finally:
        broker.stop()
