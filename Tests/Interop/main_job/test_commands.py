"""The commands as a newcomer types them."""

import json
import socket
import struct
import subprocess

import pytest

from support.export import rows
from support.processes import MILLRACE, MILLRACE_AGENT, Broker, Process, free_port, wait_until


def millrace(*arguments, input=None, code=0, binary=MILLRACE):
    done = subprocess.run([binary, *map(str, arguments)], input=input, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    assert broker.stop() == 0, broker.tail()


def test_what_is_produced_is_tailed_byte_for_byte(broker):
    lines = b"one\n\xff\xfe not utf-8\n" + b"x" * 300_000 + b"\n\nlast without newline"
    millrace("produce", "greetings", "--broker", broker.address, input=lines)
    command = [MILLRACE, "tail", "greetings", "--broker", broker.address, "--from", "earliest", "--exit"]
    assert subprocess.run(command, capture_output=True, timeout=60).stdout == lines + b"\n"


def test_topics_are_created_described_and_deleted(broker):
    millrace("topics", "create", "app", "--partitions", 3, "--set", "retention.ms=1000", "--broker", broker.address)
    output, _ = millrace("topics", "--output", "json", "--broker", broker.address)
    assert [(row["topic"], row["partitions"]) for row in map(json.loads, output.splitlines())] == [("app", 3)]
    output, _ = millrace("topics", "describe", "app", "--broker", broker.address)
    assert "retention.ms" in output and "1000" in output
    _, error = millrace("topics", "create", "app", "--broker", broker.address, code=1)
    assert "exists" in error
    millrace("topics", "delete", "app", "--broker", broker.address)
    assert millrace("topics", "--output", "json", "--broker", broker.address)[0] == ""


def test_a_typo_in_a_configuration_is_an_error_with_its_place(tmp_path):
    for kind, text, wanted in [
        ("agent", "borker: 127.0.0.1:9092\nsources: [{nginx: {}}]\n", ":1:1: unknown key 'borker': did you mean 'broker'?"),
        ("agent", "broker: 127.0.0.1:9092\nsources:\n  - ngnix: {}\n", ":3:5: unknown key 'ngnix': did you mean 'nginx'?"),
        ("broker", "data: /tmp/x\nlimts: {}\n", ":2:1: unknown key 'limts': did you mean 'limits'?"),
        ("pipeline", "pipeline: p\nfrom: {topic: [a]}\nto: []\n", ":2:8: unknown key 'topic': did you mean 'topics'?"),
    ]:
        file = tmp_path / f"{kind}.yaml"
        file.write_text(text)
        _, error = millrace("config", "validate", kind, file, code=78)
        assert f"{file}" in error and wanted in error, error


def test_help_has_examples():
    for command in ([], ["broker"], ["pipeline", "run"], ["tail"], ["produce"], ["up"]):
        output, _ = millrace(*command, "--help")
        assert "EXAMPLE" in output, command
    assert "EXAMPLE" in millrace("run", "--help", binary=MILLRACE_AGENT)[0]


def test_bad_frames_end_their_own_connection_alone(broker):
    good = socket.create_connection(("127.0.0.1", broker.port))
    for frame in (
        struct.pack(">i", 2**31 - 1) + b"x" * 100,  # a false length
        struct.pack(">i", -5),
        struct.pack(">ihhih", 10, 999, 0, 1, -1),  # an API that nobody knows
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,  # TLS to a plaintext port
    ):
        bad = socket.create_connection(("127.0.0.1", broker.port))
        bad.settimeout(10)
        bad.sendall(frame)
        assert bad.recv(100) == b"", "the connection was not closed"
        bad.close()
    good.sendall(struct.pack(">ihhih", 10, 18, 0, 7, -1))  # ApiVersions v0
    good.settimeout(10)
    assert struct.unpack(">iih", good.recv(10))[1:] == (7, 0)
    millrace("topics", "--broker", broker.address)


def test_up_runs_the_main_job_in_one_process(tmp_path):
    port = free_port()
    data = tmp_path / "data"
    up = Process(
        "up", [MILLRACE, "up", "--demo", "--no-journal", "--data", data, "--listen", f"127.0.0.1:{port}"], tmp_path
    ).start()
    try:
        wait_until(lambda: len(rows(data / "export" / "nginx", ["status"])) > 100, 60, "rows in the export")
        assert f"127.0.0.1:{port}" in up.tail() and "exports to" in up.tail()
        assert up.stop(40) == 0, up.tail()
    finally:
        up.kill()
    written = len((data / "demo" / "access.log").read_bytes().splitlines())
    exported = rows(data / "export" / "nginx", ["kafka_offset"])
    assert len(set(exported)) == len(exported) <= written
