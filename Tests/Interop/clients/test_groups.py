"""Groups of one, two and three members of each client: while members join and leave, each message is read once."""

import asyncio
import collections
import signal
import subprocess
import tempfile
import threading
import time
import uuid

import pytest

from support.processes import wait_until

PARTITIONS = 6
COUNT = 6_000


class Seen:
    """What the members of a group have read so far."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = collections.Counter()

    def add(self, partition, offset):
        with self.lock:
            self.counts[(partition, offset)] += 1

    def total(self):
        with self.lock:
            return sum(self.counts.values())


class ConfluentMember(threading.Thread):
    def __init__(self, address, topic, group, seen):
        super().__init__(daemon=True)
        self.stopping = threading.Event()
        self.seen, self.topic = seen, topic
        self.settings = {
            "bootstrap.servers": address,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": True,
            "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 500,
        }
        self.start()

    def run(self):
        from confluent_kafka import Consumer

        consumer = Consumer(self.settings)
        consumer.subscribe([self.topic])
        while not self.stopping.is_set():
            message = consumer.poll(0.2)
            if message is not None and not message.error():
                self.seen.add(message.partition(), message.offset())
        consumer.close()

    def leave(self):
        self.stopping.set()
        self.join(30)


class KafkaPythonMember(threading.Thread):
    def __init__(self, address, topic, group, seen):
        super().__init__(daemon=True)
        self.stopping = threading.Event()
        self.address, self.topic, self.group, self.seen = address, topic, group, seen
        self.start()

    def run(self):
        from kafka import KafkaConsumer

        consumer = KafkaConsumer(
            self.topic,
            bootstrap_servers=self.address,
            group_id=self.group,
            auto_offset_reset="earliest",
            session_timeout_ms=6000,
            heartbeat_interval_ms=500,
        )
        while not self.stopping.is_set():
            for records in consumer.poll(timeout_ms=200).values():
                for record in records:
                    self.seen.add(record.partition, record.offset)
        consumer.close()

    def leave(self):
        self.stopping.set()
        self.join(30)


class AiokafkaMember(threading.Thread):
    def __init__(self, address, topic, group, seen):
        super().__init__(daemon=True)
        self.stopping = threading.Event()
        self.address, self.topic, self.group, self.seen = address, topic, group, seen
        self.start()

    def run(self):
        asyncio.run(self.consume())

    async def consume(self):
        from aiokafka import AIOKafkaConsumer

        consumer = AIOKafkaConsumer(
            self.topic,
            bootstrap_servers=self.address,
            group_id=self.group,
            auto_offset_reset="earliest",
            session_timeout_ms=6000,
            heartbeat_interval_ms=500,
        )
        await consumer.start()
        while not self.stopping.is_set():
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    self.seen.add(record.partition, record.offset)
        await consumer.stop()

    def leave(self):
        self.stopping.set()
        self.join(30)


class KcatMember(threading.Thread):
    def __init__(self, address, topic, group, seen):
        super().__init__(daemon=True)
        self.seen = seen
        settings = ["session.timeout.ms=6000", "heartbeat.interval.ms=500", "auto.offset.reset=earliest"]
        options = [word for setting in settings for word in ("-X", setting)]
        self.errors = tempfile.TemporaryFile()
        self.child = subprocess.Popen(
            ["kcat", "-b", address, *options, "-u", "-q", "-f", "%p %o\n", "-G", group, topic],
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )
        self.start()

    def run(self):
        for line in self.child.stdout:
            partition, offset = line.split()
            self.seen.add(int(partition), int(offset))

    def leave(self):
        print(f"kcat ended by itself with {self.child.poll()}" if self.child.poll() is not None else "kcat leaves")
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(30)
        self.join(30)
        self.errors.seek(0)
        print(self.errors.read().decode(errors="replace")[-2000:])


MEMBERS = {
    "confluent": ConfluentMember,
    "kafka-python": KafkaPythonMember,
    "aiokafka": AiokafkaMember,
    "kcat": KcatMember,
}


class Flow:
    """The stream of messages, which can be held for a moment."""

    def __init__(self):
        self.open = threading.Event()
        self.open.set()
        self.sent = 0


def produce_slowly(address, topic, seconds, flow):
    """COUNT messages over `seconds`, spread over the partitions."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True})
    steps = 60
    for step in range(steps):
        flow.open.wait()
        for number in range(step * COUNT // steps, (step + 1) * COUNT // steps):
            producer.produce(topic, b"%d" % number, partition=number % PARTITIONS)
        producer.flush(30)
        flow.sent = (step + 1) * COUNT // steps
        time.sleep(seconds / steps)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("client", MEMBERS)
def test_a_group_reads_each_message_once(broker, topic, client, size):
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(30)

    seen = Seen()
    group = f"g-{uuid.uuid4().hex[:8]}"
    flow = Flow()
    producing = threading.Thread(target=produce_slowly, args=(broker.address, topic, 3 + 2 * size, flow), daemon=True)
    members = [MEMBERS[client](broker.address, topic, group, seen)]
    producing.start()
    try:
        for _ in range(size - 1):
            time.sleep(2)
            members.append(MEMBERS[client](broker.address, topic, group, seen))
        if size > 1:
            wait_until(lambda: seen.total() > COUNT // 3, 60, "the group reads a third")
            if client == "kcat":
                # On SIGTERM kcat drops a message that it has just taken, and commits it all the same: let it leave while nothing flows.
                flow.open.clear()
                time.sleep(0.5)
                wait_until(lambda: seen.total() == flow.sent, 30, "the group reads what was sent")
            members.pop(0).leave()
            flow.open.set()
        wait_until(lambda: seen.total() >= COUNT, 60, f"the group reads {COUNT} messages")
        producing.join(30)
        time.sleep(0.5)
    finally:
        for member in members:
            member.leave()
    assert len(seen.counts) == COUNT
    assert set(seen.counts.values()) == {1}, [place for place, count in seen.counts.items() if count > 1][:5]
