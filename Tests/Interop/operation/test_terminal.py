"""What somebody on call types: `top`, `groups`, `tail --where`, on a pipe and on a real terminal."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from support.processes import MILLRACE, Broker, wait_until

HOSTILE = "\x1b]0;owned\x07"
# When the records were written: a second apart.
BEGIN = int(time.time()) - 3600


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("terminal")).start()
    producer = Producer({"bootstrap.servers": broker.address})
    for number in range(100):
        producer.produce("lines", value=f'{{"status": {200 + number}}}', timestamp=(BEGIN + number) * 1000)
    # An hour ahead: however long the tests take, the agent is not taken for silent.
    report = {
        "kind": "agent", "agent": f"web-1{HOSTILE}", "time": int((time.time() + 3600) * 1000), "pending_batches": 3, "unread_bytes": 2048, "stalled": True,
        "sources_total": 1, "last_error": "no route", "streams": [{"source": "web-1/var/log/a.log", "place": "a", "offset": 7, "unread": 2048}],
    }
    producer.produce("__millrace_status", key="web-1", value=json.dumps(report))
    assert producer.flush(20) == 0
    yield broker
    assert broker.stop() == 0, broker.tail()


def millrace(broker, *words, check=True):
    done = subprocess.run([MILLRACE, *words, "--broker", broker.address], capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done


def commit(broker, group, offset):
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": group})
    consumer.commit(offsets=[TopicPartition("lines", 0, offset)], asynchronous=False)
    consumer.close()


def committed(broker, group):
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": group})
    try:
        return consumer.committed([TopicPartition("lines", 0)], timeout=20)[0].offset
    finally:
        consumer.close()


def test_top_prints_one_picture_into_a_pipe(broker):
    commit(broker, "reports", 40)
    text = millrace(broker, "top").stdout
    assert "\x1b" not in text and "\x07" not in text
    assert re.search(r"^web-1\\x1b\]0;owned\\x07 +stalled +1 +2.0 KiB +3 +no route$", text, re.MULTILINE)
    assert re.search(r"^web-1/var/log/a.log +2.0 KiB +7$", text, re.MULTILINE)
    assert re.search(r"^lines +1 +100 ", text, re.MULTILINE)
    assert re.search(r"^reports +\w+ +60 ", text, re.MULTILINE)


def test_top_prints_json_for_scripts(broker):
    picture = json.loads(millrace(broker, "top", "--output", "json").stdout)
    assert [agent["agent"] for agent in picture["agents"]] == [f"web-1{HOSTILE}"]
    assert {topic["topic"]: topic["records"] for topic in picture["topics"]}["lines"] == 100


def test_top_says_that_nobody_answers():
    done = subprocess.run([MILLRACE, "top", "--once", "--broker", "127.0.0.1:1"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 69
    assert "127.0.0.1:1: connection refused" in done.stderr


def test_a_command_that_reaches_nobody_says_what_to_look_at():
    done = subprocess.run([MILLRACE, "topics", "--broker", "127.0.0.1:1"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 69
    assert "127.0.0.1:1: connection refused" in done.stderr and "--broker HOST:PORT" in done.stderr


def test_a_mistyped_command_is_answered_with_the_nearest():
    done = subprocess.run([MILLRACE, "tpics"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr.strip()) == (64, "millrace: unknown command 'tpics': did you mean 'topics'?")


class Terminal:
    """A command on a terminal of this size; what it writes is kept."""

    def __init__(self, command, columns, rows, **environment):
        self.parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=child, stdout=child, stderr=child, start_new_session=True, env={**os.environ, "TERM": "xterm", **environment})
        os.close(child)
        self.written = b""

    def read(self):
        while select.select([self.parent], [], [], 0.05)[0]:
            try:
                piece = os.read(self.parent, 65536)
            except OSError:
                return self.written
            if not piece:
                break
            self.written += piece
        return self.written

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        end = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        self.read()
        if self.process.poll() is None:
            self.process.kill()
        os.close(self.parent)
        return self.process.wait()


@pytest.mark.parametrize("no_color", ["", "1"])
def test_top_redraws_on_a_terminal_within_its_size_and_leaves_it_as_it_was(broker, no_color):
    columns, rows = 60, 15
    terminal = Terminal([MILLRACE, "top", "--broker", broker.address], columns, rows, NO_COLOR=no_color)
    wait_until(lambda: terminal.read().count(b"millrace top") >= 2 and b"stalled" in terminal.written, 30, "two pictures")
    assert terminal.stop() == 0
    text = terminal.written.decode()
    assert text.startswith("\x1b[?1049h") and text.rstrip().endswith("\x1b[?1049l")
    assert ("\x1b[1m" in text) == (no_color == "")
    assert "\x1b]0;owned" not in text and "\x07" not in text
    for picture in text.split("\x1b[H")[2:]:
        lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", picture).split("\r\n")
        assert len(lines) < rows
        assert all(len(line) <= columns for line in lines), lines


def test_tail_where_prints_what_the_expression_is_true_for(broker):
    lines = millrace(broker, "tail", "lines", "--from", "earliest", "--exit", "--where", "status >= 298").stdout.splitlines()
    assert [json.loads(line)["status"] for line in lines] == [298, 299]


def test_tail_where_with_a_typo_says_what_is_wrong(broker):
    done = millrace(broker, "tail", "nginx.access", "--where", "statsu >= 298", check=False)
    assert done.returncode == 64
    assert "statsu" in done.stderr and "status" in done.stderr


@pytest.mark.parametrize("target, offset", [("earliest", 0), ("latest", 100), ("7", 7), ("4000", 100), ("TIME", 11)])
def test_a_group_is_reset_where_it_was_said_and_only_without_dry_run(broker, target, offset):
    group = f"reset-{target}"
    if target == "TIME":
        target = time.strftime("%Y-%m-%dT%H:%M:%S.500Z", time.gmtime(BEGIN + 10))
    commit(broker, group, 50)
    rows = [json.loads(line) for line in millrace(broker, "groups", "reset", group, "--to", target, "--dry-run", "--output", "json").stdout.splitlines()]
    assert rows == [{"topic": "lines", "partition": 0, "committed": 50, "new": offset, "lag": 100 - offset}]
    assert committed(broker, group) == 50
    millrace(broker, "groups", "reset", group, "--to", target)
    assert committed(broker, group) == offset


def test_a_group_that_never_committed_is_set_by_topic(broker):
    done = millrace(broker, "groups", "reset", "new", "--to", "earliest", check=False)
    assert done.returncode == 64 and "--topic" in done.stderr
    millrace(broker, "groups", "reset", "new", "--to", "12", "--topic", "lines:0")
    assert committed(broker, "new") == 12
    assert millrace(broker, "groups", "reset", "new", "--to", "12", "--topic", "lines:9", check=False).returncode == 64


def test_a_group_with_members_is_not_reset(broker):
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "busy", "auto.offset.reset": "earliest"})
    consumer.subscribe(["lines"])
    try:
        wait_until(lambda: consumer.poll(0.5), 30, "a message")
        consumer.commit(asynchronous=False)
        before = committed(broker, "busy")
        done = millrace(broker, "groups", "reset", "busy", "--to", "latest", check=False)
        assert done.returncode == 64 and "stop" in done.stderr
        assert committed(broker, "busy") == before
    finally:
        consumer.close()
    millrace(broker, "groups", "delete", "busy")
    assert "busy" not in millrace(broker, "groups").stdout
