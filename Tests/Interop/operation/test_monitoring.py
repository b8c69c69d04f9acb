"""Alert rules and dashboard, as Debian's Prometheus reads them, and on a run that it really scrapes."""

import json
import re
import subprocess
import urllib.parse
import urllib.request

from support.processes import MILLRACE_AGENT, REPOSITORY, Broker, Process, free_port, wait_until

MONITORING = REPOSITORY / "docs" / "monitoring"
HISTORIES = REPOSITORY / "Tests" / "Interop" / "operation" / "alerts_test.yml"


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def expressions():
    """What the dashboard asks."""
    dashboard = json.loads((MONITORING / "grafana.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_the_rules_and_the_scrape_configuration_are_valid():
    promtool("check", "rules", MONITORING / "alerts.yml")
    promtool("check", "config", MONITORING / "prometheus.yml")


def test_the_rules_fire_on_histories_that_call_for_it_and_on_no_others(tmp_path):
    file = tmp_path / "alerts_test.yml"
    file.write_text(HISTORIES.read_text().replace("RULES", str(MONITORING / "alerts.yml")))
    promtool("test", "rules", file)


def test_rules_and_dashboard_name_only_metrics_that_there_are():
    declared = set(re.findall(r"^\| `(millrace_\w+)` \|", (REPOSITORY / "docs" / "metrics.md").read_text(), re.MULTILINE))
    assert len(declared) > 50
    rules = re.sub(r"^ *#.*$", "", (MONITORING / "alerts.yml").read_text(), flags=re.MULTILINE)
    used = set(re.findall(r"millrace_\w+", rules)) | {name for text in expressions() for name in re.findall(r"millrace_\w+", text)}
    assert used - declared == set()


def test_the_operations_page_says_what_to_do_for_each_rule():
    rules = re.findall(r"- alert: (\w+)\n.*?severity: (\w+)", (MONITORING / "alerts.yml").read_text(), re.DOTALL)
    assert len(rules) > 10
    rows = re.findall(r"^\| `(Millrace\w+)` \| (\w+) \|", (REPOSITORY / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(rules)


def test_every_rule_says_how_grave_it_is_and_what_to_do():
    rules = re.split(r"^ *- alert: ", (MONITORING / "alerts.yml").read_text(), flags=re.MULTILINE)[1:]
    assert len(rules) >= 10
    for rule in rules:
        assert re.search(r"severity: (page|ticket)}", rule) and "summary: " in rule and "description: " in rule, rule


class Prometheus(Process):
    """Debian's, on a loopback port, with the rules of docs/monitoring where minutes are seconds."""

    def __init__(self, folder, targets):
        self.port = free_port()
        rules = (MONITORING / "alerts.yml").read_text()
        rules = rules.replace("[15m]", "[5s]").replace("[1d]", "[10m]")
        rules = re.sub(r"for: \d+m", "for: 1s", rules)
        (folder / "alerts.yml").write_text(rules)
        jobs = "".join(f"  - {{job_name: {job}, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n" for job, port in targets.items())
        (folder / "prometheus.yml").write_text(
            f"global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}\nrule_files: [alerts.yml]\nscrape_configs:\n{jobs}"
        )
        command = [
            "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        super().__init__("prometheus", command, folder)

    def api(self, path, **arguments):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)
        except OSError:
            return {}

    def query(self, expression):
        return self.api("query", query=expression).get("data", {}).get("result", [])

    def firing(self, name):
        alerts = self.api("alerts").get("data", {}).get("alerts", [])
        return [alert["labels"] for alert in alerts if alert["labels"]["alertname"] == name and alert["state"] == "firing"]


def test_prometheus_scrapes_a_run_and_the_alert_for_a_stopped_source_fires(tmp_path):
    broker_admin, agent_admin = free_port(), free_port()
    broker = Broker(tmp_path, arguments=["--admin", f"127.0.0.1:{broker_admin}"])
    busy, silent = tmp_path / "busy.log", tmp_path / "silent.log"
    for file in (busy, silent):
        file.write_text("first\n")
    config = tmp_path / "agent.yaml"
    config.write_text(
        f"broker: {broker.address}\nstate: {tmp_path}/state\nhost: web-1\nbatch: {{linger: 20ms}}\nstatus: {{interval: 250ms}}\n"
        f"sources:\n  - file: {{path: {tmp_path}/*.log, exclude: [{tmp_path}/agent.log, {tmp_path}/broker.log, {tmp_path}/prometheus.log], topic: app}}\n"
    )
    agent = Process("agent", [MILLRACE_AGENT, "run", "-c", config, "--admin", f"127.0.0.1:{agent_admin}"], tmp_path)
    prometheus = Prometheus(tmp_path, {"millrace-broker": broker_admin, "millrace-agent": agent_admin})

    def write(*files):
        for file in files:
            with open(file, "a") as log:
                log.write("a line\n")

    def lines(file):
        result = prometheus.query(f'millrace_agent_source_lines_total{{source="web-1{file}"}}')
        return int(result[0]["value"][1]) if result else 0

    try:
        broker.start()
        agent.start()
        prometheus.start()
        wait_until(lambda: lines(busy) >= 1 and lines(silent) >= 1, 60, "both sources are scraped")
        before = lines(silent)
        wait_until(lambda: write(busy, silent) or lines(silent) > before, 30, "their counters grow")
        assert prometheus.firing("MillraceSourceStopped") == []

        # From here on one of them brings nothing.
        stopped = f"web-1{silent}"
        wait_until(lambda: write(busy) or prometheus.firing("MillraceSourceStopped"), 60, "the alert fires")
        assert [alert["source"] for alert in prometheus.firing("MillraceSourceStopped")] == [stopped]
        assert prometheus.firing("MillraceDown") == [] and prometheus.firing("MillraceUnhealthy") == []

        wait_until(lambda: write(busy, silent) or not prometheus.firing("MillraceSourceStopped"), 60, "the alert ends")

        # What it serves is what Prometheus takes for whole, and what the dashboard asks for can be asked.
        for job in ("millrace-broker", "millrace-agent"):
            assert prometheus.query(f'up{{job="{job}"}}')[0]["value"][1] == "1"
            assert prometheus.query(f'millrace_build_info{{job="{job}"}}')[0]["value"][1] == "1"
        for expression in expressions():
            assert prometheus.api("query", query=expression).get("status") == "success", expression

        agent.kill()
        wait_until(lambda: prometheus.firing("MillraceDown"), 60, "a dead agent is told")
        assert [alert["job"] for alert in prometheus.firing("MillraceDown")] == ["millrace-agent"]
    finally:
        for process in (agent, prometheus, broker):
            process.kill()
