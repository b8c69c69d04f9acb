"""What a broker wrote, read by a reader that was written from Kafka's format alone, and looked after by `millrace log`."""

import json
import random
import subprocess

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from support import kafkalog
from support.processes import MILLRACE, Broker

MESSAGES = 4000
SETTINGS = {"segment.bytes": "65536", "index.interval.bytes": "1024", "retention.ms": "-1"}


def written(tmp_path, codec):
    """A broker's folder after a clean stop, and the topic's id."""
    tmp_path.mkdir(exist_ok=True)
    broker = Broker(tmp_path).start()
    admin = AdminClient({"bootstrap.servers": broker.address})
    for future in admin.create_topics([NewTopic("t", 1, config=SETTINGS)]).values():
        future.result(10)
    settings = {"bootstrap.servers": broker.address, "enable.idempotence": True, "compression.type": codec}
    producer = Producer({**settings, "batch.num.messages": 50, "linger.ms": 5})
    for number in range(MESSAGES):
        producer.produce("t", key=str(number % 7), value=f"message {number} {random.getrandbits(400):x}", timestamp=1_700_000_000_000 + number)
        if number % 500 == 499:
            producer.flush(20)
    broker.kill()
    broker.start()
    producer = Producer({**settings, "batch.num.messages": 50})
    producer.produce("t", key="last", value="of another epoch", timestamp=1_700_000_100_000)
    assert producer.flush(20) == 0
    assert broker.stop() == 0
    return tmp_path / "broker-data" / "logs"


def log(*arguments):
    result = subprocess.run([MILLRACE, "log", *map(str, arguments)], capture_output=True, text=True)
    return result.returncode, result.stdout, result.stderr


def test_its_files_are_read_by_the_format(tmp_path):
    for codec in ("none", "gzip"):
        logs = written(tmp_path / codec, codec)
        folder = logs / "t-0"
        segments = sorted(folder.glob("*.log"))
        assert len(segments) > 2
        expected = 0
        last_batch = {}
        epochs = {}
        for path in segments:
            assert int(path.name[:20]) == expected
            batches = list(kafkalog.segment(path))
            for batch in batches:
                assert batch["base_offset"] == expected
                epochs.setdefault(batch["leader_epoch"], batch["base_offset"])
                for offset, timestamp, key, value in kafkalog.records(batch):
                    if expected < MESSAGES:
                        assert (offset, timestamp) == (expected, 1_700_000_000_000 + expected)
                        assert key == str(expected % 7).encode() and value.startswith(f"message {expected} ".encode())
                    else:
                        assert (key, value) == (b"last", b"of another epoch")
                    expected += 1
                last_batch[batch["producer_id"]] = batch
            by_position = {batch["position"]: batch["last_offset"] for batch in batches}
            entries = kafkalog.offset_index(path.with_suffix(".index"))
            assert all(by_position[position] == offset for offset, position in entries)
            assert len(entries) > 2 or path == segments[-1]
            youngest = {batch["last_offset"]: batch["max_timestamp"] for batch in batches}
            times = kafkalog.time_index(path.with_suffix(".timeindex"))
            assert all(youngest[offset] == timestamp for timestamp, offset in times)
            assert times[-1][0] == max(youngest.values())
        assert expected == MESSAGES + 1
        newest = sorted(folder.glob("*.snapshot"))[-1]
        producers = {producer["producer_id"]: producer for producer in kafkalog.snapshot(newest)}
        for producer_id, batch in last_batch.items():
            assert producers[producer_id]["last_offset"] == batch["last_offset"]
            assert producers[producer_id]["last_sequence"] == batch["base_sequence"] + batch["count"] - 1
            assert producers[producer_id]["epoch"] == batch["producer_epoch"]
        assert [list(map(int, entry)) for entry in kafkalog.checkpoint(folder / "leader-epoch-checkpoint")] == [
            [epoch, start] for epoch, start in epochs.items()
        ]
        assert len(epochs) == 2
        recovery = {(topic, int(number)): int(offset) for topic, number, offset in kafkalog.checkpoint(logs / "recovery-point-offset-checkpoint")}
        assert recovery["t", 0] == MESSAGES + 1
        assert len(kafkalog.topic_id(folder / "partition.metadata")) == 22


def test_verify_finds_rot_and_repair_keeps_all_else(tmp_path):
    logs = written(tmp_path, "none")
    status, text, _ = log("verify", logs.parent)
    assert status == 0 and "all sound" in text, text
    segment = sorted((logs / "t-0").glob("*.log"))[1]
    batches = list(kafkalog.segment(segment))
    rotten = batches[3]
    data = bytearray(segment.read_bytes())
    data[rotten["position"] + 100] ^= 1
    segment.write_bytes(data)

    status, text, _ = log("verify", logs, "--output", "json")
    report = json.loads(text)
    assert status == 1 and not report["fine"]
    assert [(finding["kind"], finding["position"]) for finding in report["findings"]] == [("batch", rotten["position"])]
    before = {path: path.read_bytes() for path in logs.rglob("*") if path.is_file()}
    assert log("repair", logs, "--dry-run")[0] == 1
    assert {path: path.read_bytes() for path in logs.rglob("*") if path.is_file()} == before

    status, text, error = log("repair", logs)
    assert status == 0, text + error
    assert f"the records at offsets {rotten['base_offset']} to {rotten['last_offset']}" in text
    assert any((logs / "quarantine").iterdir())
    lines = [json.loads(line) for line in log("dump", logs / "t-0", "--records", "--output", "json")[1].splitlines()]
    offsets = [line["offset"] for line in lines if line["kind"] == "record"]
    gone = range(rotten["base_offset"], rotten["last_offset"] + 1)
    assert offsets == [offset for offset in range(MESSAGES + 1) if offset not in gone]

    broker = Broker(tmp_path).start()
    try:
        # Repair keeps out while a broker has the directory; verify does not.
        assert log("verify", logs)[0] == 0
        segment = sorted((logs / "t-0").glob("*.log"))[0]
        data = bytearray(segment.read_bytes())
        data[100] ^= 1
        segment.write_bytes(data)
        status, _, error = log("repair", logs)
        assert status == 1 and "another process holds the lock" in error
    finally:
        broker.stop()
