"""Who gets in, what a browser may ask for, and what a stranger can make the console do."""

import json
import socket
import subprocess

import pytest

from conftest import fetch
from support.processes import MILLRACE, Broker, Process, free_port, port_answers, wait_until

TOKEN = "a-token-of-some-length"


@pytest.fixture(scope="module")
def guarded(up, tmp_path_factory):
    """A console of its own, with a token, for the cluster that `up` runs."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "token").write_text(TOKEN + "\n")
    port = free_port()
    console = Process("console", [MILLRACE, "console", "--broker", up.broker, "--listen", f"127.0.0.1:{port}",
                                  "--console-token-file", folder / "token"], folder).start()
    wait_until(lambda: not console.is_running or port_answers(port), 30, "the console listens")
    console.url = f"http://127.0.0.1:{port}"
    yield console
    assert console.stop() == 0, console.tail()


def test_the_token_is_demanded(guarded, browser):
    for path in ("/", "/app.js", "/api/topics", "/metrics"):
        status, headers, body = fetch(guarded.url + path)
        assert status == 401 and headers["www-authenticate"].startswith("Basic"), path
        assert b"Busiest" not in body
        assert fetch(guarded.url + path, {"authorization": f"Bearer {TOKEN}"})[0] == 200, path
        assert fetch(guarded.url + path, {"authorization": f"Bearer {TOKEN}x"})[0] == 401, path
    assert fetch(guarded.url + "/healthz")[0] == 200
    browser.open(guarded.url)
    assert "Overview" not in browser.script("return document.body.innerText")
    browser.devtools("Network.enable")
    browser.devtools("Network.setExtraHTTPHeaders", headers={"authorization": f"Bearer {TOKEN}"})
    browser.open(guarded.url)
    wait_until(lambda: "Busiest topics" in browser.text(), 30, "the overview, with the token")
    browser.devtools("Network.setExtraHTTPHeaders", headers={})
    browser.errors()
    assert TOKEN not in guarded.tail(1_000_000)


def test_beyond_the_loopback_it_does_not_start_without_a_token(up, tmp_path):
    command = [MILLRACE, "console", "--broker", up.broker, "--listen", f"0.0.0.0:{free_port()}"]
    done = subprocess.run(command, capture_output=True, timeout=30)
    assert done.returncode == 64 and b"--console-token-file" in done.stderr
    (tmp_path / "short").write_text("short")
    done = subprocess.run([*command, "--console-token-file", tmp_path / "short"], capture_output=True, timeout=30)
    assert done.returncode == 64 and b"16" in done.stderr


def test_every_answer_carries_the_headers(up):
    for path in ("/", "/app.js", "/console.css", "/api/topics", "/api/nothing", "/nothing", "/metrics", "/healthz"):
        _, headers, _ = fetch(up.url + path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer", path


def test_a_rebound_name_a_foreign_page_and_other_methods_are_refused(up):
    assert fetch(up.url + "/api/topics", {"host": "evil.example"})[0] == 403
    assert fetch(up.url + "/api/topics", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"})[0] == 403
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert fetch(up.url + "/api/topics", method=method)[0] == 405, method
    assert fetch(up.url + "/api/records?topic=" + "x" * 9000)[0] == 414
    assert fetch(up.url + "/../../etc/passwd")[0] == 404


def test_metrics_and_health_are_on_the_same_port(up):
    status, headers, body = fetch(up.url + "/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4") and b"millrace_" in body
    assert fetch(up.url + "/healthz")[0] == 200 and fetch(up.url + "/readyz")[0] == 200


def test_rows_and_live_tails_are_limited(up):
    _, _, body = fetch(up.url + "/api/records?topic=nginx.access&limit=1000000")
    assert len(json.loads(body)["rows"]) <= 500
    tails = [socket.create_connection(("127.0.0.1", up.console_port)) for _ in range(9)]
    try:
        for tail in tails[:8]:
            tail.settimeout(20)
            tail.sendall(b"GET /api/tail?topic=tailed-limit HTTP/1.1\r\nHost: localhost\r\n\r\n".replace(b"tailed-limit", b"hostile"))
            received = b""
            while b": \n\n" not in received:
                received += tail.recv(1000)
        tails[8].settimeout(20)
        tails[8].sendall(b"GET /api/tail?topic=hostile HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while chunk := tails[8].recv(1000):
            received += chunk
        assert b"event: trouble" in received and b"live tails" in received
    finally:
        for tail in tails:
            tail.close()

    def takes_one_again():
        with socket.create_connection(("127.0.0.1", up.console_port)) as tail:
            tail.settimeout(20)
            tail.sendall(b"GET /api/tail?topic=hostile HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while b"\n\n" not in received.split(b"\r\n\r\n", 1)[-1]:
                received += tail.recv(1000)
            return b"event: trouble" not in received

    wait_until(takes_one_again, 30, "a closed tail gives its place back")


def test_a_record_is_downloaded_byte_for_byte(up):
    query = "topic=hostile&partition=0&offset=2"
    status, headers, body = fetch(up.url + "/api/record/raw?" + query)
    assert status == 200 and body == b"invalid \xff\xfe utf-8 \xc3( end"
    assert headers["content-type"] == "application/octet-stream" and headers["content-disposition"].startswith("attachment")
    assert fetch(up.url + "/api/record?topic=hostile&partition=0&offset=999999")[0] == 404
    assert fetch(up.url + "/api/record?topic=hostile&partition=7&offset=0")[0] == 404
    assert fetch(up.url + "/api/record?topic=hostile&partition=x&offset=0")[0] == 400


def test_a_broker_that_is_away_is_said_and_comes_back(tmp_path):
    broker = Broker(tmp_path).start()
    port = free_port()
    console = Process("console", [MILLRACE, "console", "--broker", broker.address, "--listen", f"127.0.0.1:{port}"], tmp_path).start()
    try:
        wait_until(lambda: port_answers(port), 30, "the console listens")
        overview = lambda: json.loads(fetch(f"http://127.0.0.1:{port}/api/overview")[2])
        wait_until(lambda: overview()["trouble"] is None, 30, "a picture")
        broker.kill()
        wait_until(lambda: overview()["trouble"], 40, "the trouble is said")
        broker.start()
        wait_until(lambda: overview()["trouble"] is None, 60, "the picture is new again")
    finally:
        console.stop()
        broker.stop()
