"""The packages on a Debian with a real systemd: installed, used, reloaded, hung, upgraded, removed, purged. The tests follow one another.

Runs with MILLRACE_TEST_FULL, as root; MILLRACE_PACKAGES names a folder of built packages (else they are built, which takes a while).
"""

import os
import pathlib
import re
import subprocess

import pyarrow.dataset
import pytest

from support.box import Box
from support.processes import REPOSITORY, wait_until

pytestmark = pytest.mark.skipif(not os.environ.get("MILLRACE_TEST_FULL"), reason="with MILLRACE_TEST_FULL")

AGENT, BROKER, PIPELINE = "millrace-agent.service", "millrace-broker.service", "millrace-pipeline@nginx-to-parquet.service"
UNITS = (AGENT, BROKER, PIPELINE)
NEXT_VERSION = "99.0"
EXPORT = "var/lib/millrace/export"
# Not what a package may leave behind: the system's own books, and what the kernel shows.
NOT_OURS = (
    "-path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /host -o -path /var/lib/dpkg -o -path /var/lib/apt "
    "-o -path /var/cache -o -path /var/log -o -path /var/lib/systemd/timers -o -path /var/tmp"
)


def package(out, *arguments):
    done = subprocess.run([REPOSITORY / "package", "--out", out, *arguments], capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(pathlib.Path(out).glob("*.deb"))


def as_version(file, version, folder):
    """The same package, of a later version; not compressed, for that would take most of the test's time."""
    unpacked = folder / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", file, unpacked], check=True, timeout=120)
    control = unpacked / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    later = folder / re.sub(r"_[^_]*_", f"_{version}_", file.name)
    subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "--build", unpacked, later], check=True, capture_output=True, timeout=120)
    return later


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The packages as built, and the same as a later version."""
    folder = os.environ.get("MILLRACE_PACKAGES")
    built = sorted(pathlib.Path(folder).glob("*.deb")) if folder else package(tmp_path_factory.mktemp("packages"))
    later = [as_version(file, NEXT_VERSION, tmp_path_factory.mktemp("later")) for file in built]
    assert len(built) == len(later) == 2
    return built, later


@pytest.fixture(scope="module")
def box(tmp_path_factory, packages):
    box = Box(tmp_path_factory.mktemp("systemd"))
    box.start()
    for name, files in zip(("first", "later"), packages):
        (box.host / name).mkdir()
        for file in files:
            (box.host / name / file.name).write_bytes(file.read_bytes())
    box.files_before = files_of(box)
    box.sent = 0
    yield box
    box.stop()


def files_of(box):
    return set(box.shell(f"find / \\( {NOT_OURS} \\) -prune -o -print").splitlines())


def install(box, folder):
    box.shell(
        f"DEBIAN_FRONTEND=noninteractive apt-get install -y -q -o Dpkg::Options::=--force-confold /host/{folder}/*.deb", 300
    )


def get(box, port, path):
    return box.run("curl", "-s", "-o", "-", "-w", "%{http_code}", f"http://127.0.0.1:{port}{path}").stdout


def is_ready(box, unit):
    return box.property(unit, "ActiveState") == "active"


def visit(box, count):
    """That many requests to nginx, each with a path of its own."""
    first = box.sent
    box.sent += count
    box.shell(f"seq {first} {box.sent - 1} | sed 's|.*|url = http://127.0.0.1/visit/&|' | curl -s -o /dev/null -K - --remove-on-error || true")


def visits_in_export(box):
    table = box.root / EXPORT / "nginx"
    files = [str(file) for file in table.glob("dt=*/hour=*/*.parquet")]
    if not files:
        return []
    requests = pyarrow.dataset.dataset(files, format="parquet").to_table(columns=["request"])["request"].to_pylist()
    return sorted(int(found.group(1)) for found in (re.match(r"GET /visit/(\d+) ", request or "") for request in requests) if found)


def expect_each_visit_once(box):
    wait_until(lambda: len(visits_in_export(box)) >= box.sent, 90, f"{box.sent} visits in the export")
    assert visits_in_export(box) == list(range(box.sent))


def test_the_packages_are_small(packages):
    """The bars: 20 MB for the agent's package, 60 MB for its binary, aiming at 25."""
    package = next(file for file in packages[0] if file.name.startswith("millrace-agent_"))
    assert package.stat().st_size <= 20_000_000
    contents = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
    assert int(re.search(r" (\d+) \S+ \S+ \./usr/bin/millrace-agent$", contents, re.MULTILINE).group(1)) <= 25_000_000


def test_both_packages_install_and_their_units_get_ready(box):
    install(box, "first")
    for unit in (AGENT, BROKER):
        wait_until(lambda: is_ready(box, unit), 60, f"{unit} is active")
        assert box.property(unit, "UnitFileState") == "enabled"
    wait_until(lambda: get(box, 8640, "/readyz").endswith("200"), 60, "the broker is ready")
    wait_until(lambda: get(box, 8641, "/readyz").endswith("200"), 60, "the agent is ready")
    assert box.property(AGENT, "User") == "millrace-agent" and box.property(BROKER, "User") == "millrace"
    assert box.output("stat", "-c", "%U %a", "/var/lib/millrace/agent", "/var/lib/millrace/broker") == "millrace-agent 750\nmillrace 750\n"
    assert box.output("dpkg", "--verify", "millrace", "millrace-agent") == ""


@pytest.mark.parametrize("unit", UNITS)
def test_the_installed_units_are_hardened(box, unit):
    judged = box.output("systemd-analyze", "security", "--no-pager", unit)
    assert float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", judged).group(1)) <= 2.0, judged


def test_what_nginx_logs_stands_in_an_export(box):
    # A configuration file that was changed is the administrator's: the upgrade below must keep it.
    box.shell("sed -i 's/rotate: {age: 10m/rotate: {age: 1s/' /etc/millrace/pipelines/nginx-to-parquet.yaml")
    visit(box, 200)
    wait_until(lambda: "nginx.access" in box.run("millrace", "topics").stdout, 60, "the agent made the topic")
    box.output("systemctl", "enable", "--now", PIPELINE)
    expect_each_visit_once(box)
    box.output("millrace", "export", "verify", f"/{EXPORT}")


def test_the_journal_is_shipped_without_what_the_agent_says(box):
    box.output("systemd-cat", "-t", "somebody", "echo", "a message for the journal")

    def journal():
        return box.run("millrace", "tail", "journal", "--from", "earliest", "--exit").stdout

    wait_until(lambda: "a message for the journal" in journal(), 60, "the message is in the topic")
    assert f'"_SYSTEMD_UNIT":"{BROKER}"' in journal()
    assert f'"_SYSTEMD_UNIT":"{AGENT}"' not in journal()


def test_a_reload_takes_up_a_source_and_refuses_a_wrong_file(box):
    process = box.property(AGENT, "MainPID")
    box.shell("mkdir -p /srv/app; echo 'from the new source' > /srv/app/app.log")
    box.shell("printf '  - file: {path: /srv/app/*.log, topic: app}\\n' >> /etc/millrace/agent.yaml; systemctl reload millrace-agent")
    wait_until(
        lambda: box.run("millrace", "tail", "app", "--from", "earliest", "--exit").stdout == "from the new source\n", 60, "the new line"
    )
    box.shell("cp /etc/millrace/agent.yaml /tmp/agent.yaml; echo 'borker: x' >> /etc/millrace/agent.yaml")
    assert box.run("systemctl", "reload", "millrace-agent").returncode != 0
    assert "did you mean 'broker'" in box.journal(AGENT)
    box.shell("cp /tmp/agent.yaml /etc/millrace/agent.yaml; systemctl reload millrace-agent")
    assert box.property(AGENT, "MainPID") == process and is_ready(box, AGENT)
    visit(box, 20)
    expect_each_visit_once(box)


@pytest.mark.parametrize("unit", UNITS)
def test_a_process_that_hangs_is_killed_by_the_watchdog_and_nothing_is_lost(box, unit):
    # The unit's own minute, shortened; a stopped process takes no signal but SIGKILL.
    folder = f"/run/systemd/system/{unit}.d"
    box.shell(f"mkdir -p {folder}; printf '[Service]\\nWatchdogSec=5s\\nTimeoutAbortSec=1s\\n' > {folder}/hasty.conf; systemctl daemon-reload")
    box.output("systemctl", "restart", unit)
    hung = box.property(unit, "MainPID")
    visit(box, 50)
    box.shell(f"kill -STOP {hung}")
    visit(box, 50)
    wait_until(lambda: box.property(unit, "NRestarts") == "1", 60, f"{unit} is started again")
    wait_until(lambda: is_ready(box, unit), 60, f"{unit} is active")
    assert box.property(unit, "MainPID") != hung
    assert "Watchdog timeout" in box.journal(unit)
    expect_each_visit_once(box)


def test_a_wrong_configuration_is_said_and_not_tried_again(box):
    box.shell("mv /etc/millrace/broker.yaml /tmp/broker.yaml; echo 'dada: /x' > /etc/millrace/broker.yaml")
    box.run("systemctl", "restart", BROKER)
    wait_until(lambda: box.property(BROKER, "ActiveState") == "failed", 60, "the broker gives up")
    assert box.property(BROKER, "ExecMainStatus") == "78"
    assert "did you mean 'data'" in box.journal(BROKER)
    visit(box, 20)
    box.shell(f"mv /tmp/broker.yaml /etc/millrace/broker.yaml; systemctl restart {BROKER}")
    expect_each_visit_once(box)


def test_an_upgrade_keeps_every_position_and_every_setting(box):
    processes = {unit: box.property(unit, "MainPID") for unit in UNITS}
    settings = box.output("sh", "-c", "cat /etc/millrace/*.yaml /etc/millrace/pipelines/*.yaml")
    visit(box, 50)
    install(box, "later")
    visit(box, 50)
    for unit in UNITS:
        wait_until(lambda: is_ready(box, unit), 60, f"{unit} is active")
        assert box.property(unit, "MainPID") != processes[unit], f"{unit} runs what was installed"
    assert box.output("dpkg-query", "-W", "-f", "${Version} ", "millrace", "millrace-agent") == f"{NEXT_VERSION} {NEXT_VERSION} "
    assert box.output("sh", "-c", "cat /etc/millrace/*.yaml /etc/millrace/pipelines/*.yaml") == settings
    expect_each_visit_once(box)
    assert box.run("millrace", "tail", "app", "--from", "earliest", "--exit").stdout == "from the new source\n"


def test_a_disabled_unit_stays_disabled_through_an_upgrade(box):
    box.output("systemctl", "disable", "--now", AGENT)
    box.output("apt-get", "install", "-y", "-q", "--reinstall", *(f"/host/later/{f.name}" for f in (box.host / "later").glob("millrace-agent_*")))
    assert not is_ready(box, AGENT) and box.property(AGENT, "UnitFileState") == "disabled"
    box.output("systemctl", "enable", "--now", AGENT)
    visit(box, 10)
    expect_each_visit_once(box)


def test_removal_stops_all_and_keeps_configuration_and_data(box):
    box.output("apt-get", "remove", "-y", "-q", "millrace", "millrace-agent")
    assert box.shell("grep -l '^Name:.millrace' /proc/[0-9]*/status || true") == ""
    left = files_of(box) - box.files_before
    assert {"/etc/millrace/agent.yaml", "/etc/millrace/broker.yaml", "/etc/millrace/pipelines/nginx-to-parquet.yaml"} <= left
    assert not [file for file in left if file.startswith("/usr/")]
    assert len(visits_in_export(box)) == box.sent


def test_an_installation_after_a_removal_goes_on_where_it_was(box):
    visit(box, 30)
    install(box, "first")
    for unit in UNITS:
        wait_until(lambda: is_ready(box, unit) or box.output("systemctl", "start", unit), 60, f"{unit} is active")
    expect_each_visit_once(box)


def test_a_purge_leaves_nothing_but_data(box):
    box.output("apt-get", "purge", "-y", "-q", "millrace", "millrace-agent")
    box.shell("rm -rf /srv/app /run/systemd/system/millrace*; systemctl daemon-reload")
    left = files_of(box) - box.files_before
    data = {file for file in left if file == "/var/lib/millrace" or file.startswith("/var/lib/millrace/")}
    # The users stay, for the data belongs to them: the system's list of them, and its copy.
    accounts = {"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock"}
    assert left - data - accounts == set()
    assert len(visits_in_export(box)) == box.sent
    assert box.run("systemctl", "list-units", "--all", "--no-legend", "millrace*").stdout == ""
