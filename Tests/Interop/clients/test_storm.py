"""Many connections at once, most silent, some hostile: others notice nothing, and the broker's memory stays small.

2,000 connections of which 200 are active; with MILLRACE_TEST_FULL 5,000 and 1,000.
"""

import os
import re
import selectors
import socket
import struct
import threading
import time
import urllib.request

from support.processes import Broker, free_port, wait_until

FULL = bool(os.environ.get("MILLRACE_TEST_FULL"))
CONNECTIONS, ACTIVE = (5_000, 1_000) if FULL else (2_000, 200)
RESIDENT_MIB_MAX = 200  # 40 idle, 10 KiB for each connection, and what active ones have under way


def api_versions(correlation):
    return struct.pack(">ihhih", 10, 18, 0, correlation, -1)


def metadata_of_all(correlation):
    return struct.pack(">ihhihi", 14, 3, 1, correlation, -1, -1)


def connect(broker):
    peer = socket.create_connection(("127.0.0.1", broker.port), timeout=30)
    return peer


def receive_frame(peer):
    def exactly(count):
        data = b""
        while len(data) < count:
            more = peer.recv(count - len(data))
            assert more, "the broker closed the connection"
            data += more
        return data

    (length,) = struct.unpack(">i", exactly(4))
    return exactly(length)


def resident_mib(pid, key="VmRSS"):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(rf"^{key}:\s+(\d+)", status.read(), re.M).group(1)) / 1024


class Others:
    """A producer and a consumer that go on meanwhile, and must get every message through in order."""

    def __init__(self, broker, topic):
        self.broker, self.topic, self.stopping, self.errors, self.seen = broker, topic, False, [], []
        self.abandoned = False
        self.sent = 0
        self.threads = [threading.Thread(target=self.guard, args=(body,), daemon=True) for body in (self.produce, self.consume)]
        for thread in self.threads:
            thread.start()

    def guard(self, body):
        try:
            body()
        except Exception as error:
            self.errors.append(error)

    def produce(self):
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": self.broker.address, "enable.idempotence": True, "linger.ms": 5})

        def delivered(error, _):
            if error:
                self.errors.append(error)

        while not self.stopping:
            producer.produce(self.topic, b"%d" % self.sent, on_delivery=delivered)
            self.sent += 1
            producer.poll(0.002)
        assert producer.flush(60) == 0

    def consume(self):
        from confluent_kafka import Consumer

        consumer = Consumer(
            {"bootstrap.servers": self.broker.address, "group.id": "others", "auto.offset.reset": "earliest"}
        )
        consumer.subscribe([self.topic])
        end = None
        while not self.abandoned and (end is None or (len(self.seen) < self.sent and time.monotonic() < end)):
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                self.seen.append(int(message.value()))
            if self.stopping and end is None:
                self.threads[0].join()
                end = time.monotonic() + 60
        consumer.close()

    def abandon(self):
        self.stopping = self.abandoned = True

    def finish(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(120)
        assert not self.errors, self.errors[:3]
        assert self.seen == list(range(self.sent)) and self.sent > 0


def test_a_storm_of_connections_disturbs_nobody(tmp_path, topic):
    admin = free_port()
    broker = Broker(tmp_path, arguments=["--admin", f"127.0.0.1:{admin}", "--set", "num.partitions=1"]).start()

    def metric(name):
        text = urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=30).read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M))

    peers = []
    others = Others(broker, topic)
    try:
        wait_until(lambda: len(others.seen) > 50 or others.errors, 60, "the others have begun")

        # Silent ones: connected, asked once, then nothing.
        for number in range(CONNECTIONS - ACTIVE):
            peer = connect(broker)
            peer.sendall(api_versions(number))
            peers.append(peer)
        for number, peer in enumerate(peers):
            assert struct.unpack(">i", receive_frame(peer)[:4]) == (number,)

        # Hostile ones. Each announced 2 GiB, spoke TLS, or began a request and left it there; one asks and never reads.
        for bytes_sent in (struct.pack(">i", 2**31 - 1), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64):
            for _ in range(20):
                peer = connect(broker)
                peer.sendall(bytes_sent)
                peer.settimeout(30)
                assert peer.recv(1) == b"", "the connection was not closed"
                peer.close()
        for _ in range(20):
            peer = connect(broker)
            peer.sendall(struct.pack(">i", 1 << 20) + b"\x00\x00")
            peers.append(peer)
        deaf = connect(broker)
        deaf.setblocking(False)
        stuffed = 0
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 1 and stuffed < 64 << 20:
            try:
                stuffed += deaf.send(b"".join(metadata_of_all(number) for number in range(100)))
                quiet_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.01)
        assert stuffed < 64 << 20, "the broker goes on taking requests of one that takes no answers"
        peers.append(deaf)

        # Active ones: each asks ten times, all at once.
        selector = selectors.DefaultSelector()
        active = []
        for _ in range(ACTIVE):
            peer = connect(broker)
            active.append(peer)
            selector.register(peer, selectors.EVENT_READ, [0, b""])
            peer.sendall(metadata_of_all(0))
        wait_until(lambda: metric("millrace_broker_connections") >= CONNECTIONS, 60, "all are connected at once")
        waiting = ACTIVE
        deadline = time.monotonic() + 120
        while waiting:
            assert time.monotonic() < deadline, f"{waiting} active connections got no answer"
            for key, _ in selector.select(5):
                key.data[1] += key.fileobj.recv(65536)
                data = key.data[1]
                if len(data) < 4 or len(data) < 4 + struct.unpack(">i", data[:4])[0]:
                    continue
                assert struct.unpack(">i", data[4:8]) == (key.data[0],)
                key.data[0] += 1
                key.data[1] = b""
                if key.data[0] == 10:
                    waiting -= 1
                else:
                    key.fileobj.sendall(metadata_of_all(key.data[0]))
        peers += active
        assert resident_mib(broker.child.pid, "VmHWM") < RESIDENT_MIB_MAX
        others.finish()
        # The silent ones were not forgotten.
        for number in range(0, CONNECTIONS - ACTIVE, 97):
            peers[number].sendall(api_versions(7))
            assert struct.unpack(">i", receive_frame(peers[number])[:4]) == (7,)
        for peer in peers:
            peer.close()
        peers = []
        wait_until(lambda: metric("millrace_broker_connections") < 10, 60, "the connections are gone")
        assert metric("millrace_broker_request_bytes") == 0
    finally:
        others.abandon()
        for peer in peers:
            peer.close()
        assert broker.stop() == 0, broker.tail()
