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
