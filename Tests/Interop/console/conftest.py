import os
import pathlib
import subprocess
import urllib.request

import pytest

from support.browser import Browser
from support.processes import MILLRACE, REPOSITORY, Process, free_port, port_answers, wait_until

HOSTILE = [
    b"<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
    b"\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x08\x08 bell",
    b"invalid \xff\xfe utf-8 \xc3( end",
    "turned \u202egnp.exe\u202c hidden\u200bspace".encode(),
    b"long " + b"x" * 1_000_000 + b" end-of-long",
]


class Up(Process):
    """Broker, agent, pipelines and console in one process, fed by the demo log."""

    def __init__(self, folder):
        self.broker = f"127.0.0.1:{free_port()}"
        self.console_port = free_port()
        self.url = f"http://127.0.0.1:{self.console_port}"
        data = pathlib.Path(folder) / "data"
        super().__init__(
            "up", [MILLRACE, "up", "--demo", "--no-journal", "--data", data, "--listen", self.broker, "--admin",
                   f"127.0.0.1:{self.console_port}"], folder
        )

    def start(self):
        super().start()
        wait_until(lambda: not self.is_running or port_answers(self.console_port), 30, "the console listens")
        assert self.is_running, self.tail()
        wait_until(lambda: fetch(self.url + "/readyz")[0] == 200, 30, "every part is ready")
        return self


def produce(broker, topic, data):
    subprocess.run([MILLRACE, "produce", topic, "--broker", broker], input=data, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="session")
def up(tmp_path_factory):
    up = Up(tmp_path_factory.mktemp("up")).start()
    produce(up.broker, "hostile", b"\n".join(HOSTILE) + b"\n")
    yield up
    assert up.stop(40) == 0, up.tail()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    try:
        yield browser.start()
    finally:
        browser.stop()


@pytest.fixture(scope="session")
def pictures():
    """Where screenshots are kept: test output, to be looked at."""
    folder = pathlib.Path(os.environ.get("MILLRACE_PICTURES", REPOSITORY / ".build" / "console-pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch(url, headers=None, method="GET"):
    """Status, headers and body, whatever the status."""
    request = urllib.request.Request(url, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()
