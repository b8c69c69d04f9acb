"""`millrace-agent install` on a host with systemd and without the package. Runs with MILLRACE_TEST_FULL, as test_packages.py does."""

import os
import pathlib
import subprocess

import pytest

from support.box import Box
from support.processes import wait_until

FOLDER = os.environ.get("MILLRACE_PACKAGES")
pytestmark = pytest.mark.skipif(
    not (os.environ.get("MILLRACE_TEST_FULL") and FOLDER), reason="with MILLRACE_TEST_FULL and MILLRACE_PACKAGES, whose binary is taken"
)
UNIT = "millrace-agent.service"


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    box = Box(tmp_path_factory.mktemp("systemd"))
    box.start()
    for package in pathlib.Path(FOLDER).glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, box.host / "unpacked"], check=True, timeout=120)
    yield box
    box.stop()


def install(box, *options):
    return box.run("/host/unpacked/usr/bin/millrace-agent", "install", "--broker", "127.0.0.1:9092", *options)


def test_a_dry_run_shows_all_and_does_nothing(box):
    done = install(box, "--dry-run")
    assert done.returncode == 0, done.stderr
    for text in ("broker: 127.0.0.1:9092", "ExecStart=/usr/local/bin/millrace-agent run", "systemctl restart millrace-agent.service"):
        assert text in done.stdout
    assert box.run("test", "-e", "/etc/millrace").returncode == 1 and box.run("id", "millrace-agent").returncode == 1


def test_the_agent_runs_as_a_service_and_ships_what_nginx_logs(box):
    done = install(box)
    assert done.returncode == 0, done.stdout + done.stderr
    assert box.property(UNIT, "ActiveState") == "active" and box.property(UNIT, "UnitFileState") == "enabled"
    assert box.property(UNIT, "User") == "millrace-agent"
    box.run("systemd-run", "--unit=broker", "/host/unpacked/usr/bin/millrace", "broker", "--data", "/tmp/mill")
    box.output("curl", "-s", "-o", "/dev/null", "http://127.0.0.1/a-visit")
    tail = ("/host/unpacked/usr/bin/millrace", "tail", "nginx.access", "--from", "earliest", "--exit")
    wait_until(lambda: "GET /a-visit" in box.run(*tail).stdout, 60, "the visit is in the topic")


def test_another_installation_replaces_the_program_and_keeps_the_configuration(box):
    box.shell("echo '# mine' >> /etc/millrace/agent.yaml")
    running = box.property(UNIT, "MainPID")
    done = install(box)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "keep /etc/millrace/agent.yaml" in done.stdout
    assert "# mine" in box.output("cat", "/etc/millrace/agent.yaml")
    assert box.property(UNIT, "MainPID") != running and box.property(UNIT, "ActiveState") == "active"
    box.output("systemctl", "reload", UNIT)


def test_beside_the_package_it_refuses(box):
    box.shell("mkdir -p /usr/lib/systemd/system; touch /usr/lib/systemd/system/millrace-agent.service")
    done = install(box)
    assert done.returncode == 1 and "the package millrace-agent is installed" in done.stderr
