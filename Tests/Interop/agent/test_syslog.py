"""Real senders of syslog: logger (bsdutils) over UDP, TCP and a Unix socket, and nginx, while the agent is killed; and standard input."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

import pytest
from support.nginx import Nginx
from support.processes import MILLRACE_AGENT, Broker, Process, free_port, port_answers, wait_until

AGENT = """
broker: {broker}
host: h
state: {folder}/state
batch: {{linger: 20ms}}
sources:
  - syslog:
      udp: 127.0.0.1:{port}
      tcp: 127.0.0.1:{port}
      unix: {sockets}/log.sock
  - syslog:
      name: nginx
      unix: {sockets}/nginx.sock
      topic: nginx.access
      value: message
      format: nginx_access
"""


def records(broker, topic):
    command = ["kcat", "-b", broker.address, "-C", "-t", topic, "-e", "-q", "-f", "%k\\t%s\\n"]
    result = subprocess.run(command, capture_output=True, timeout=60)
    return [line.split("\t", 1) for line in result.stdout.decode().splitlines()]


class Setting:
    def __init__(self, folder, broker):
        self.folder = folder
        self.port = free_port()
        self.admin = free_port()
        # Where nginx's workers, who are somebody else, may go.
        self.sockets = pathlib.Path(tempfile.mkdtemp())
        self.sockets.chmod(0o755)
        settings = AGENT.format(broker=broker.address, folder=folder, sockets=self.sockets, port=self.port)
        (folder / "agent.yaml").write_text(settings)
        command = [MILLRACE_AGENT, "run", "-c", folder / "agent.yaml", "--admin", f"127.0.0.1:{self.admin}"]
        self.agent = Process("agent", command, folder)

    def start(self):
        self.agent.start()
        wait_until(lambda: port_answers(self.port), 30, "the agent listens")

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def spooled(self, count, source="h/syslog"):
        """Waits until so many messages of this life of the agent stand in the spool."""
        line = f'millrace_agent_received_messages_total{{source="{source}"}} {count}'
        wait_until(lambda: any(text.startswith(line) for text in self.metrics().splitlines()), 20, line)


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path).start()
    yield broker
    broker.stop()


@pytest.fixture
def setting(tmp_path, broker):
    setting = Setting(tmp_path, broker)
    yield setting
    setting.agent.kill()
    shutil.rmtree(setting.sockets)


def send(setting, transport, text, *options):
    target = {
        "udp": ["--udp", "--server", "127.0.0.1", "--port", setting.port],
        "tcp": ["--tcp", "--server", "127.0.0.1", "--port", setting.port],
        "counted": ["--tcp", "--octet-count", "--server", "127.0.0.1", "--port", setting.port],
        "unix": ["--socket", setting.sockets / "log.sock"],
    }[transport]
    command = ["logger", "--tag", "probe", "--priority", "daemon.err", *target, *options, "--", text]
    subprocess.run([str(part) for part in command], check=True, timeout=20)


def test_each_message_of_logger_comes_once_through_kills(setting, broker):
    setting.start()
    texts = []
    for life in range(4):
        for number in range(10):
            for transport in ("udp", "tcp", "counted", "unix"):
                text = f"{transport} {life} {number}"
                send(setting, transport, text, "--rfc3164" if number % 2 else "--rfc5424=notq")
                texts.append(text)
        setting.spooled(40)
        setting.agent.kill()
        setting.start()
    wait_until(lambda: len(records(broker, "syslog")) >= len(texts), 60, "everything arrives")
    time.sleep(1)
    found = [json.loads(value) for _, value in records(broker, "syslog")]
    assert sorted(event["message"] for event in found) == sorted(texts)
    for event in found:
        assert (event["app"], event["facility"], event["severity"]) == ("probe", "daemon", "err"), event
        assert ("sender" in event) == (not event["message"].startswith("unix")), event
    keys = {key for key, _ in records(broker, "syslog")}
    assert keys == {"h/syslog", "h/syslog/127.0.0.1"}
    # Each sender's own order.
    for transport in ("tcp", "unix"):
        own = [event["message"] for event in found if event["message"].startswith(transport)]
        assert own == [text for text in texts if text.startswith(transport)]


def test_nothing_is_lost_while_there_is_no_broker(setting, broker):
    setting.start()
    send(setting, "udp", "with broker")
    wait_until(lambda: len(records(broker, "syslog")) == 1, 30, "the first arrives")
    broker.kill()
    setting.agent.kill()
    setting.start()
    texts = [f"without broker {number}" for number in range(20)]
    for text in texts:
        send(setting, "udp", text)
    setting.spooled(20)
    setting.agent.kill()
    broker.start()
    setting.start()
    wait_until(lambda: len(records(broker, "syslog")) >= 21, 60, "what waited arrives")
    time.sleep(1)
    found = [json.loads(value)["message"] for _, value in records(broker, "syslog")]
    assert found == ["with broker", *texts]


@pytest.fixture
def nginx(tmp_path):
    nginx = Nginx(tmp_path)
    yield nginx
    nginx.process.stop()


def test_nginx_logs_to_the_socket(setting, broker, nginx):
    def dropped():
        errors = (nginx.logs / "error.log").read_text()
        return set(re.findall(r'send\(\) to syslog failed .* request: "GET (\S+)\?', errors))

    configuration = nginx.prefix / "nginx.conf"
    target = f"syslog:server=unix:{setting.sockets}/nginx.sock,nohostname combined"
    access = f"access_log {nginx.logs}/access.log combined;"
    configuration.write_text(configuration.read_text().replace(access, f"{access}\n  access_log {target};"))
    setting.start()
    for life in range(3):
        # A worker may send what comes after a restart of the agent to the socket that is gone, and lose it: each begins anew here.
        nginx.start()
        for number in range(50):
            urllib.request.urlopen(f"http://127.0.0.1:{nginx.port}/{life}/{number}?q=%22", timeout=10).read()
        # A Unix socket holds ten messages by default: what finds no room there nginx drops, and says so.
        line = 'millrace_agent_received_messages_total{source="h/nginx"} '
        wait_until(
            lambda: f"{line}{50 - len([path for path in dropped() if path.startswith(f'/{life}/')])}\n" in setting.metrics(),
            20, "what nginx sent stands in the spool",
        )
        nginx.stop()
        setting.agent.kill()
        setting.start()
    lines = [line.decode() for line in nginx.lines()]
    assert len(lines) == 150 and len(dropped()) < 75
    written = sorted(line for line in lines if re.search(r'"GET (\S+)\?', line).group(1) not in dropped())
    wait_until(lambda: len(records(broker, "nginx.access")) >= len(written), 60, "every line arrives")
    time.sleep(1)
    assert sorted(value for _, value in records(broker, "nginx.access")) == written


def test_standard_input_is_shipped_and_the_agent_ends(tmp_path, broker):
    lines = [f"line {number} {'x' * (number % 300)}" for number in range(20_000)]
    command = [MILLRACE_AGENT, "run", "--broker", broker.address, "--state", tmp_path / "state", "--stdin", "--topic", "old"]
    done = subprocess.run(
        [str(part) for part in command], input="\n".join(lines), text=True, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert [value for _, value in records(broker, "old")] == lines


def test_a_killed_import_goes_on(tmp_path, broker):
    command = [MILLRACE_AGENT, "run", "--broker", broker.address, "--state", tmp_path / "state", "--stdin", "--topic", "old"]
    command = [str(part) for part in command]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first.stdin.write(b"a\nb\n")
    first.stdin.flush()
    wait_until(lambda: len(records(broker, "old")) == 2, 30, "what was written so far arrives")
    first.kill()
    first.wait()
    done = subprocess.run(command, input="c\nd", text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [value for _, value in records(broker, "old")] == ["a", "b", "c", "d"]
