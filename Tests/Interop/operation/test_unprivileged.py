"""Broker, agent and clients without any capability, as services run: whoever tests as root alone sees no permission denied."""

import subprocess

from support.processes import MILLRACE, MILLRACE_AGENT, Broker, Process, wait_until

WITHOUT_CAPABILITIES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]


def test_lines_flow_where_no_process_has_a_capability(tmp_path):
    broker = Broker(tmp_path)
    broker.command = WITHOUT_CAPABILITIES + broker.command
    log = tmp_path / "app.txt"
    log.write_text("one\ntwo\n")
    agent = Process(
        "agent",
        [*WITHOUT_CAPABILITIES, MILLRACE_AGENT, "run", "--broker", broker.address, "--state", tmp_path / "state", "--file", log, "--topic", "app"],
        tmp_path,
    )

    def tail():
        command = [*WITHOUT_CAPABILITIES, MILLRACE, "tail", "app", "--broker", broker.address, "--from", "earliest", "--exit"]
        try:
            return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=10).stdout
        except subprocess.TimeoutExpired:
            return ""

    try:
        broker.start()
        agent.start()
        wait_until(lambda: tail() == "one\ntwo\n", 30, "both lines are in the topic")
    finally:
        agent.kill()
        broker.kill()
