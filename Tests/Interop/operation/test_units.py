"""The units as systemd itself reads and judges them, without starting them."""

import re
import shutil
import subprocess

import pytest

from support.processes import REPOSITORY

UNITS = sorted((REPOSITORY / "packaging" / "units").glob("*.service"))


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)


def test_all_are_here():
    assert [unit.name for unit in UNITS] == ["millrace-agent.service", "millrace-broker.service", "millrace-pipeline@.service"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_is_hardened(unit):
    done = analyze("security", "--offline=true", "--no-pager", unit)
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout).group(1))
    assert exposure <= 2.0, done.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_has_no_mistakes(unit, tmp_path):
    # The verifier looks for what it would start: something that can be found stands in for it.
    text = re.sub(r"/usr/bin/millrace(-agent)?\b", shutil.which("true"), unit.read_text())
    name = unit.name.replace("@.", "@nginx.")
    (tmp_path / name).write_text(text)
    done = analyze("verify", "--man=no", "--recursive-errors=no", tmp_path / name)
    mine = [line for line in done.stderr.splitlines() if name in line]
    assert not mine, "\n".join(mine)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_does_not_restart_on_a_wrong_configuration(unit):
    text = unit.read_text()
    for line in ("Type=notify", "RestartPreventExitStatus=78", "Restart=always", "WatchdogSec=60s", "TimeoutStopSec=60s"):
        assert f"\n{line}\n" in text, line
    assert re.search(r"\nExecStartPre=-/usr/bin/\S+ config validate .*\n", text)


def test_the_users_that_the_units_name_are_created(tmp_path):
    (tmp_path / "etc").mkdir()
    files = sorted((REPOSITORY / "packaging" / "sysusers").glob("*.conf"))
    done = subprocess.run(["systemd-sysusers", f"--root={tmp_path}", *files], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    accounts = [line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    groups = {line.split(":")[0] for line in (tmp_path / "etc/group").read_text().splitlines()}
    wanted = {re.search(rf"\n{key}=(\S+)\n", unit.read_text()).group(1) for unit in UNITS for key in ("User", "Group")}
    assert {account[0] for account in accounts} == wanted <= groups
    for name, _, number, _, _, home, shell in accounts:
        assert int(number) < 1000 and (home, shell) == ("/nonexistent", "/usr/sbin/nologin"), name


def test_what_the_agent_installs_is_what_the_package_holds():
    done = subprocess.run([REPOSITORY / "scripts" / "agent-unit", "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
