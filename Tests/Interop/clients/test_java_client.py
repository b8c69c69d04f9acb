"""Apache Kafka's own Java client 4.1.0: produces, consumes in groups, administers, and reads the files that the broker wrote."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from support import java
from support.processes import Broker
from test_log_files import MESSAGES, written

COUNT = 5000
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("java")).start()
    yield broker
    assert broker.stop() == 0


def make_topic(broker, name, partitions):
    admin = AdminClient({"bootstrap.servers": broker.address})
    for future in admin.create_topics([NewTopic(name, partitions)]).values():
        future.result(10)


def test_every_codec_there_and_back(broker):
    make_topic(broker, "codecs", 3)
    sent = []
    for codec in CODECS:
        sent += java.run("Client", "produce", broker.address, "codecs", COUNT, codec)
    assert len(sent) == COUNT * len(CODECS) and len({tuple(line.split()[:2]) for line in sent}) == len(sent)
    read = java.run("Client", "consume", broker.address, "codecs", "all", len(sent))
    assert sorted(read) == sorted(sent)


def test_a_group_of_three_reads_every_message_once_and_goes_on_where_it_was(broker):
    make_topic(broker, "shared", 6)
    sent = java.run("Client", "produce", broker.address, "shared", 3 * COUNT, "lz4")
    with ThreadPoolExecutor(3) as pool:
        members = [pool.submit(java.run, "Client", "consume", broker.address, "shared", "three", 1) for _ in range(3)]
        first = [line for member in members for line in member.result()]
    assert set(first) <= set(sent)
    # They committed what they read; another reads the rest. A member that left between read and commit would make records come twice, never be missed.
    rest = java.run("Client", "consume", broker.address, "shared", "three", max(1, len(sent) - len(set(first))))
    assert set(first) | set(rest) == set(sent)


def test_it_administers_topics(broker):
    assert java.run("Client", "admin", broker.address, "managed") == [
        "validated true",
        "retention.ms 3600000 segment.bytes 1048576",
        "partitions 5",
        "latest 0",
        "nodes 1",
        "log dirs 1",
        "deleted true",
    ]


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_its_file_records_read_our_segments(tmp_path, codec):
    segments = sorted((written(tmp_path, codec) / "t-0").glob("*.log"))
    assert len(segments) > 2
    lines = [line.split("\t") for line in java.run("ReadSegments", *segments)]
    records = [line[1:] for line in lines if line[0] == "record"]
    assert [int(record[0]) for record in records] == list(range(MESSAGES + 1))
    for number, (offset, timestamp, key, value) in enumerate(records[:-1]):
        assert (int(timestamp), key) == (1_700_000_000_000 + number, str(number % 7)) and value.startswith(f"message {number} ")
    batches = [line[1:] for line in lines if line[0] == "batch"]
    assert {batch[6] for batch in batches[:-1]} == {codec}
    # Each begins where the last one ended, and a restart after a crash began a new epoch.
    assert [int(batch[0]) for batch in batches[1:]] == [int(batch[1]) + 1 for batch in batches[:-1]]
    assert len({batch[2] for batch in batches}) == 2


def test_a_file_that_is_damaged_is_refused_by_it(tmp_path):
    segment = sorted((written(tmp_path, "none") / "t-0").glob("*.log"))[0]
    data = bytearray(segment.read_bytes())
    data[100] ^= 1
    segment.write_bytes(data)
    result = subprocess.run(java.command("ReadSegments", segment), capture_output=True, text=True, timeout=60)
    assert result.returncode != 0 and "CorruptRecordException" in result.stderr, result.stderr
