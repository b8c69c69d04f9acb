"""Consumer groups of KIP-848, with librdkafka's and the Java client's own implementations: members join, leave and are killed, the broker is killed, topics grow."""

import os
import signal
import subprocess
import threading
import time

import pytest
from confluent_kafka import Consumer, ConsumerGroupState, ConsumerGroupType, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from support import java
from support.processes import MILLRACE, Broker, wait_until

PARTITIONS = 6


@pytest.fixture
def mortal(tmp_path):
    """A broker that lets rebalances pass quickly."""
    broker = Broker(tmp_path)
    config = tmp_path / "broker.yaml"
    config.write_text(
        f"data: {tmp_path / 'broker-data'}\nlisteners: [{{bind: '{broker.address}'}}]\n"
        "consumer_heartbeat_interval: 500ms\nconsumer_session_timeout: 6s\n"
    )
    broker.command = [str(MILLRACE), "broker", "-c", str(config), "--admin", "off"]
    broker.start()
    yield broker
    if broker.is_running:
        broker.stop()


class Member(threading.Thread):
    """Reads and counts; what it owns now stands in `owned`."""

    def __init__(self, broker, group, topics, seen, **settings):
        super().__init__(daemon=True)
        self.seen = seen
        self.owned = set()
        self.errors = []
        self.committed = {}
        self.refused = []
        self.stopping = threading.Event()
        self.consumer = Consumer(
            {"bootstrap.servers": broker.address, "group.id": group, "group.protocol": "consumer", "auto.offset.reset": "earliest",
             "enable.auto.commit": False, "topic.metadata.refresh.interval.ms": 1000, "reconnect.backoff.max.ms": 500, **settings}
        )
        self.consumer.subscribe(topics, on_assign=self.assigned, on_revoke=self.revoked, on_lost=self.revoked)
        self.start()

    def assigned(self, consumer, partitions):
        consumer.incremental_assign(partitions)
        self.owned |= {(place.topic, place.partition) for place in partitions}

    def revoked(self, consumer, partitions):
        self.owned -= {(place.topic, place.partition) for place in partitions}
        consumer.incremental_unassign(partitions)

    def run(self):
        while not self.stopping.is_set():
            message = self.consumer.poll(0.1)
            if message is None:
                continue
            if message.error():
                self.errors.append(str(message.error()))
                continue
            self.seen.setdefault((message.topic(), message.partition(), message.offset()), []).append(message.value())
            try:
                self.consumer.commit(message, asynchronous=False)
                self.committed[message.partition()] = max(message.offset() + 1, self.committed.get(message.partition(), 0))
            except KafkaException as refusal:
                # It came too late, or the broker is away: whoever has the partition then reads the message again.
                self.refused.append(refusal.args[0].name())
        self.consumer.close()

    def leave(self):
        self.stopping.set()
        self.join(30)
        assert not self.is_alive()


def make_topic(broker, name, partitions=PARTITIONS):
    admin = AdminClient({"bootstrap.servers": broker.address})
    admin.create_topics([NewTopic(name, partitions)])[name].result(10)


def produce(broker, topic, count, partitions=PARTITIONS):
    producer = Producer({"bootstrap.servers": broker.address, "enable.idempotence": True})
    for number in range(count):
        producer.produce(topic, str(number), partition=number % partitions)
    assert producer.flush(60) == 0


def shares(members, topic, partitions=PARTITIONS):
    """Every partition has one reader and the members' shares differ by one at most."""
    owned = [sorted(partition for name, partition in member.owned if name == topic) for member in members]
    sizes = [len(share) for share in owned]
    return sorted(sum(owned, [])) == list(range(partitions)) and max(sizes) - min(sizes) <= 1


def test_members_join_and_leave(mortal, topic):
    make_topic(mortal, topic)
    seen = {}
    members = [Member(mortal, "g", [topic], seen)]
    try:
        wait_until(lambda: shares(members, topic), 30, "the first reads everything")
        for _ in range(2):
            members.append(Member(mortal, "g", [topic], seen))
            wait_until(lambda: shares(members, topic), 30, f"{len(members)} members share the topic")
        produce(mortal, topic, 600)
        wait_until(lambda: len(seen) == 600, 30, "everything is read")
        members.pop(0).leave()
        wait_until(lambda: shares(members, topic), 30, "those who stay share what the first had")

        admin = AdminClient({"bootstrap.servers": mortal.address})
        described = admin.describe_consumer_groups(["g"])["g"].result(10)
        assert described.type == ConsumerGroupType.CONSUMER and described.state == ConsumerGroupState.STABLE
        assert described.partition_assignor == "uniform" and len(described.members) == 2
        assert {place.partition for member in described.members for place in member.assignment.topic_partitions} == set(range(PARTITIONS))
        listed = admin.list_consumer_groups(types={ConsumerGroupType.CONSUMER}).result(10).valid
        assert [group.group_id for group in listed] == ["g"]
        assert admin.list_consumer_groups(types={ConsumerGroupType.CLASSIC}).result(10).valid == []
    finally:
        for member in members:
            member.leave()
    assert all(len(values) == 1 for values in seen.values())
    assert [member.errors for member in members] == [[], []]
    described = admin.describe_consumer_groups(["g"])["g"].result(10)
    assert described.state == ConsumerGroupState.EMPTY
    admin.delete_consumer_groups(["g"])["g"].result(10)
    assert admin.list_consumer_groups().result(10).valid == []


def test_new_partitions_and_topics_of_a_pattern_are_read(mortal, topic):
    make_topic(mortal, f"{topic}.a", 2)
    seen = {}
    members = [Member(mortal, "g", [f"^{topic}\\..*"], seen) for _ in range(2)]
    try:
        wait_until(lambda: shares(members, f"{topic}.a", 2), 30, "both read the topic")
        admin = AdminClient({"bootstrap.servers": mortal.address})
        admin.create_partitions([NewPartitions(f"{topic}.a", 4)])[f"{topic}.a"].result(10)
        wait_until(lambda: shares(members, f"{topic}.a", 4), 30, "the new partitions are read")
        make_topic(mortal, f"{topic}.b", 2)
        wait_until(lambda: sum(len(member.owned) for member in members) == 6, 30, "the new topic is read")
        assert len(members[0].owned) == 3
    finally:
        for member in members:
            member.leave()


def test_a_group_survives_kills_of_the_broker(mortal, topic):
    """No message is left out; a commit whose answer a kill swallowed may let one come twice, at another member."""
    make_topic(mortal, topic)
    seen = {}
    members = [Member(mortal, "g", [topic], seen) for _ in range(2)]
    try:
        wait_until(lambda: shares(members, topic), 30, "both read the topic")
        before = [member.owned for member in members]
        for round in range(1, 4):
            mortal.kill()
            mortal.start()
            produce(mortal, topic, 300)
            wait_until(lambda: len(seen) == 300 * round, 60, "everything is read")
        # The broker knew its members again: nothing moved.
        assert [member.owned for member in members] == before
        assert all(len(values) == 1 for values in seen.values())
    finally:
        for member in members:
            member.leave()
    consumer = Consumer({"bootstrap.servers": mortal.address, "group.id": "g"})
    committed = consumer.committed([TopicPartition(topic, partition) for partition in range(PARTITIONS)], timeout=10)
    assert [place.offset for place in committed] == [150] * PARTITIONS
    consumer.close()


def test_a_static_member_is_back_without_a_rebalance(mortal, topic):
    make_topic(mortal, topic)
    seen = {}
    members = [Member(mortal, "g", [topic], seen, **{"group.instance.id": f"i{number}"}) for number in range(2)]
    try:
        wait_until(lambda: shares(members, topic), 30, "both read the topic")
        kept, owned = set(members[1].owned), set(members[0].owned)
        members[0].leave()
        members[0] = Member(mortal, "g", [topic], seen, **{"group.instance.id": "i0"})
        wait_until(lambda: members[0].owned == owned, 30, "it has its partitions again")
        assert members[1].owned == kept
    finally:
        for member in members:
            member.leave()


class JavaMember(threading.Thread):
    """The same by the Java client, in a process of its own."""

    def __init__(self, broker, group, topic, seen, folder):
        super().__init__(daemon=True)
        self.seen = seen
        self.owned = set()
        self.errors = open(folder / f"java-{time.monotonic_ns()}.log", "w+")
        self.child = subprocess.Popen(
            java.command("ConsumerGroupMember", broker.address, topic, group), stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        self.start()

    def run(self):
        for line in self.child.stdout:
            kind, topic, partition, *rest = line.split()
            if kind == "assigned":
                self.owned.add((topic, int(partition)))
            elif kind == "revoked":
                self.owned.discard((topic, int(partition)))
            else:
                self.seen.setdefault((topic, int(partition), int(rest[0])), []).append(rest[1])

    def end(self, sign=signal.SIGTERM):
        self.child.send_signal(sign)
        self.child.wait(30)
        self.join(30)
        self.errors.close()


def test_the_java_client_joins_leaves_and_is_killed(mortal, topic, tmp_path):
    make_topic(mortal, topic)
    seen = {}
    members = [JavaMember(mortal, "g", topic, seen, tmp_path)]
    try:
        wait_until(lambda: shares(members, topic), 60, "the first reads everything")
        members += [JavaMember(mortal, "g", topic, seen, tmp_path) for _ in range(2)]
        wait_until(lambda: shares(members, topic), 60, "three share the topic")
        produce(mortal, topic, 300)
        wait_until(lambda: len(seen) == 300, 60, "everything is read")
        mortal.kill()
        mortal.start()
        produce(mortal, topic, 300)
        wait_until(lambda: len(seen) == 600, 60, "the broker's end changes nothing")
        members.pop(0).end()
        wait_until(lambda: shares(members, topic), 60, "those who stay share what the first had")
        members.pop(0).end(signal.SIGKILL)
        wait_until(lambda: shares(members, topic), 60, "the session of the killed one ends")
        # Both implementations in one group.
        members.append(Member(mortal, "g", [topic], seen))
        wait_until(lambda: shares(members, topic), 60, "both clients share the topic")
        produce(mortal, topic, 300)
        wait_until(lambda: len(seen) == 900, 60, "everything is read")
        described = java.run("DescribeGroup", mortal.address, "g")
        assert described == ["type Consumer", "state Stable", "assignor uniform", "members 2", "partitions 6"]
    finally:
        for member in members:
            member.end() if isinstance(member, JavaMember) else member.leave()


def test_a_group_goes_over_to_the_new_protocol_and_back(mortal, topic):
    """Members are replaced one by one, as in a rolling upgrade of an application."""
    make_topic(mortal, topic)
    seen = {}
    classic = {"group.protocol": "classic", "partition.assignment.strategy": "cooperative-sticky", "session.timeout.ms": 6000, "heartbeat.interval.ms": 500}
    members = [Member(mortal, "g", [topic], seen, **classic) for _ in range(2)]
    admin = AdminClient({"bootstrap.servers": mortal.address})

    def kinds():
        return [(group.group_id, group.type) for group in admin.list_consumer_groups().result(10).valid]

    def step(sent):
        wait_until(lambda: shares(members, topic), 60, "they share the topic")
        produce(mortal, topic, 300)
        wait_until(lambda: len(seen) == sent, 60, "everything is read")

    try:
        step(300)
        everyone = list(members)
        assert kinds() == [("g", ConsumerGroupType.CLASSIC)]
        members.append(Member(mortal, "g", [topic], seen))
        everyone.append(members[-1])
        step(600)
        assert kinds() == [("g", ConsumerGroupType.CONSUMER)]
        mortal.kill()
        mortal.start()
        step(900)
        members.pop(0).leave()
        members.append(Member(mortal, "g", [topic], seen))
        everyone.append(members[-1])
        step(1200)
        members.pop(0).leave()
        step(1500)
        # And back.
        members.append(Member(mortal, "g", [topic], seen, **classic))
        step(1800)
        for _ in range(2):
            members.pop(0).leave()
        step(2100)
        wait_until(lambda: kinds() == [("g", ConsumerGroupType.CLASSIC)], 30, "the group is a classic one again")
        everyone += members
    finally:
        for member in members:
            member.leave()
    # A commit that meets a change of the group may be refused; what was confirmed is never lost.
    confirmed = {partition: max(member.committed.get(partition, 0) for member in everyone) for partition in range(PARTITIONS)}
    reader = Consumer({"bootstrap.servers": mortal.address, "group.id": "g"})
    places = reader.committed([TopicPartition(topic, partition) for partition in range(PARTITIONS)], timeout=10)
    reader.close()
    assert {place.partition: place.offset for place in places} == confirmed
    assert min(confirmed.values()) > 0


def test_many_members_share_a_topic(mortal, topic):
    """All at once, and half of them leave; MILLRACE_MEMBERS=100 for as many."""
    count = int(os.environ.get("MILLRACE_MEMBERS", "10"))
    partitions = 4 * count
    make_topic(mortal, topic, partitions)
    seen = {}
    began = time.monotonic()
    members = [Member(mortal, "g", [topic], seen) for _ in range(count)]
    try:
        wait_until(lambda: shares(members, topic, partitions), 120, f"{count} members share the topic")
        print(f"{count} members share {partitions} partitions after {time.monotonic() - began:.1f} s")
        leaving, members = members[: count // 2], members[count // 2 :]
        began = time.monotonic()
        for member in leaving:
            member.stopping.set()
        wait_until(lambda: shares(members, topic, partitions), 120, "those who stay share what the others had")
        print(f"{len(members)} share them {time.monotonic() - began:.1f} s after the others left; {mortal.resident_kib()} KiB")
        for member in leaving:
            member.leave()
    finally:
        for member in members:
            member.leave()
