"""Agent, broker and pipeline as services: what the manager hears, reload, stop, exit codes."""

import signal
import subprocess
import urllib.error
import urllib.request

import pytest

from support.export import rows
from support.processes import MILLRACE, MILLRACE_AGENT, Broker, Process, free_port, wait_until
from support.service_manager import ServiceManager


@pytest.fixture
def manager(tmp_path):
    manager = ServiceManager(tmp_path)
    yield manager
    manager.close()


def tail(topic, broker):
    command = [MILLRACE, "tail", topic, "--broker", broker.address, "--from", "earliest", "--exit"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    return done.stdout.decode().splitlines() if done.returncode == 0 else []


def answer(port, path):
    """Status and text of the admin endpoint."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def agent_yaml(folder, broker, *files):
    path = folder / "agent.yaml"
    sources = "\n".join(f"  - file: {{path: {file}, topic: app}}" for file in files)
    path.write_text(f"broker: {broker}\nstate: {folder}/state\nbatch: {{linger: 20ms}}\nstop_timeout: 3s\nsources:\n{sources}\n")
    return path


def test_a_broker_tells_its_manager_of_its_life(tmp_path, manager):
    port = free_port()
    broker = Broker(tmp_path, arguments=["--admin", f"127.0.0.1:{port}"])
    broker.env |= manager.env
    broker.start()
    manager.wait_for("READY=1")
    wait_until(lambda: answer(port, "/readyz")[0] == 200, 30, "the broker is ready")
    manager.wait_for("WATCHDOG=1")
    # A process that stands still says nothing: this is what the watchdog kills.
    broker.child.send_signal(signal.SIGSTOP)
    manager.listen()
    assert manager.listen() == []
    broker.child.send_signal(signal.SIGCONT)
    manager.wait_for("WATCHDOG=1")
    assert broker.stop() == 0, broker.tail()
    assert "STOPPING=1" in manager.listen()


def test_an_agent_starts_without_a_broker_says_so_and_stops_within_its_deadline(tmp_path, manager):
    log = tmp_path / "app.log"
    log.write_text("one\n")
    port = free_port()
    config = agent_yaml(tmp_path, f"127.0.0.1:{free_port()}", log)
    agent = Process(
        "agent", [MILLRACE_AGENT, "run", "-c", config, "--admin", f"127.0.0.1:{port}"], tmp_path, env=manager.env
    ).start()
    try:
        # A host whose broker is down must be able to finish booting.
        manager.wait_for("READY=1")
        wait_until(lambda: "no broker" in answer(port, "/readyz")[1], 30, "the agent says that there is no broker")
        assert answer(port, "/readyz")[0] == 503
        assert answer(port, "/healthz")[0] == 200, "waiting is no illness: a restart would not help"
        assert any("no broker" in line for line in manager.heard + manager.listen() if line.startswith("STATUS="))
        assert agent.stop(30) == 0, agent.tail()
        assert "STOPPING=1" in manager.listen()
    finally:
        agent.kill()


def test_a_reload_takes_up_new_sources_and_keeps_every_position(tmp_path, manager):
    broker = Broker(tmp_path).start()
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    first.write_text("".join(f"first {n}\n" for n in range(100)))
    second.write_text("".join(f"second {n}\n" for n in range(100)))
    config = agent_yaml(tmp_path, broker.address, first)
    agent = Process("agent", [MILLRACE_AGENT, "run", "-c", config, "--admin", "off"], tmp_path, env=manager.env).start()
    try:
        manager.wait_for("READY=1")
        wait_until(lambda: len(tail("app", broker)) >= 100, 60, "the first file's lines")

        agent_yaml(tmp_path, broker.address, first, second)
        agent.child.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        wait_until(lambda: len(tail("app", broker)) >= 200, 60, "the second file's lines")
        assert "READY=1" in manager.heard[manager.heard.index("RELOADING=1") :] + manager.listen()

        # A file that is wrong is said, and changes nothing.
        config.write_text("borker: x\n")
        agent.child.send_signal(signal.SIGHUP)
        wait_until(lambda: "did you mean 'broker'" in agent.tail(), 30, "the mistake is said")
        assert agent.is_running
        with open(first, "a") as log:
            log.write("first last\n")
        wait_until(lambda: "first last" in tail("app", broker), 60, "the agent goes on")

        agent_yaml(tmp_path, broker.address, first, second)
        config.write_text(config.read_text().replace("/state\n", "/elsewhere\n"))
        agent.child.send_signal(signal.SIGHUP)
        wait_until(lambda: "can't change while the agent runs" in agent.tail(), 30, "the state directory stays")
        assert agent.stop(30) == 0, agent.tail()
    finally:
        agent.kill()
        broker.stop()
    broker.start()
    lines = tail("app", broker)
    assert broker.stop() == 0
    wanted = [f"first {n}" for n in range(100)] + ["first last"] + [f"second {n}" for n in range(100)]
    assert sorted(lines) == sorted(wanted), "each line once"


def test_a_pipeline_reloads_where_it_was(tmp_path, manager):
    broker = Broker(tmp_path).start()

    def produce(lines):
        text = "".join(f'{{"n": {n}}}\n' for n in lines)
        subprocess.run([MILLRACE, "produce", "app", "--broker", broker.address], input=text.encode(), check=True, timeout=60)

    def write(table_rotate):
        config.write_text(
            f"pipeline: p\nbroker: {broker.address}\nfrom: {{topics: [app]}}\nsteps: [{{parse: json}}]\n"
            f"to: [{{export: {{root: {tmp_path}/export, table: t, format: jsonl, rotate: {{age: {table_rotate}}}}}}}]\n"
        )

    config = tmp_path / "p.yaml"
    write("500ms")
    produce(range(50))
    port = free_port()
    pipeline = Process(
        "pipeline", [MILLRACE, "pipeline", "run", "-c", config, "--admin", f"127.0.0.1:{port}"], tmp_path, env=manager.env
    ).start()
    try:
        manager.wait_for("READY=1")
        wait_until(lambda: answer(port, "/readyz")[0] == 200, 60, "the pipeline is a member of its group")
        wait_until(lambda: len(rows(tmp_path / "export" / "t", ["n"])) >= 50, 60, "the first rows")
        write("300ms")
        pipeline.child.send_signal(signal.SIGHUP)
        manager.wait_for("RELOADING=1")
        produce(range(50, 100))
        wait_until(lambda: len(rows(tmp_path / "export" / "t", ["n"])) >= 100, 60, "the rows after the reload")
        assert pipeline.stop(40) == 0, pipeline.tail()
    finally:
        pipeline.kill()
        broker.stop()
    assert sorted(row[0] for row in rows(tmp_path / "export" / "t", ["n"])) == list(range(100)), "each row once"


def test_a_broker_survives_a_hangup_and_says_that_it_needs_a_restart(tmp_path):
    config = tmp_path / "broker.yaml"
    port = free_port()
    config.write_text(f"data: {tmp_path}/data\nlisteners: [{{bind: 127.0.0.1:{port}}}]\n")
    broker = Process("broker", [MILLRACE, "broker", "-c", config, "--admin", "off"], tmp_path).start()
    try:
        wait_until(lambda: "serves" in broker.tail() or "listen" in broker.tail(), 30, "the broker is up")
        broker.child.send_signal(signal.SIGHUP)
        wait_until(lambda: "restart to apply" in broker.tail(), 30, "the hangup is said")
        assert broker.stop() == 0
    finally:
        broker.kill()


@pytest.mark.parametrize(
    "command, text",
    [
        ([MILLRACE_AGENT, "run", "-c"], "borker: x\n"),
        ([MILLRACE, "broker", "-c"], "data: /tmp/x\nlisteners: [{bind: 0.0.0.0:9092}]\n"),
        ([MILLRACE, "pipeline", "run", "-c"], "pipeline: p\n"),
        ([MILLRACE_AGENT, "config", "validate"], "sources: []\n"),
    ],
)
def test_a_wrong_configuration_ends_with_78(tmp_path, command, text):
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    done = subprocess.run([*command, file], capture_output=True, timeout=60)
    assert done.returncode == 78, done.stderr.decode()
    assert f"{file}:1:" in done.stderr.decode() or f"{file}:2:" in done.stderr.decode()


def test_no_file_ends_with_78_too(tmp_path):
    done = subprocess.run([MILLRACE_AGENT, "run", "-c", tmp_path / "none.yaml"], capture_output=True, timeout=60)
    assert done.returncode == 78 and "no such file" in done.stderr.decode()
