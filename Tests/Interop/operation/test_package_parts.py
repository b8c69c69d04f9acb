"""What the packages hold besides binaries, made and checked without building a release. test_packages.py installs them."""

import re
import subprocess

import pytest

from support.processes import MILLRACE, MILLRACE_AGENT, REPOSITORY

PACKAGING = REPOSITORY / "packaging"
BINARIES = {"millrace": MILLRACE, "millrace-agent": MILLRACE_AGENT}


def output(*command, **arguments):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, **arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=BINARIES)
def page(request, tmp_path):
    """The man page of a binary, as source."""
    described = output(BINARIES[request.param], "--experimental-dump-help")
    path = tmp_path / f"{request.param}.1"
    path.write_text(output(PACKAGING / "manual-page", "1.0", input=described))
    return path


def test_the_man_page_is_well_formed_and_names_every_command(page):
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""}
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    binary = BINARIES[page.stem]
    commands = re.findall(r"^  (\w[\w-]*)  ", output(binary, "--help").split("SUBCOMMANDS:")[1], re.MULTILINE)
    assert len(commands) >= 4
    sections = re.findall(r"^\.SS (\S+)", page.read_text(), re.MULTILINE)
    assert set(commands) <= {section.replace("\\-", "-") for section in sections}
    # What is for the machine alone stands in no page.
    assert "journal\\-reader" not in page.read_text()


@pytest.mark.parametrize("name", BINARIES)
def test_the_completions_are_what_their_shells_read(name, tmp_path):
    script = tmp_path / name
    script.write_text(output(BINARIES[name], "--generate-completion-script", "bash"))
    output("bash", "-n", script)
    assert output(BINARIES[name], "--generate-completion-script", "zsh").startswith(f"#compdef {name}")
    assert f"complete -c '{name}'" in output(BINARIES[name], "--generate-completion-script", "fish")


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_the_maintainer_scripts_are_sound_shell(name, tmp_path):
    text = (PACKAGING / "debian" / f"{name}.in").read_text()
    for words in ({"units": "a.service", "instances": ""}, {"units": "a.service b.service", "instances": "c@*.service"}):
        script = tmp_path / name
        script.write_text(re.sub(r"@(\w+)@", lambda found: {"package": "millrace", **words}[found.group(1)], text))
        # SC2043, SC2157: a loop over one unit, a test of a fixed text: what the units were filled in for.
        output("shellcheck", "--exclude=SC2043,SC2157,SC2078,SC2050", script)


def test_the_packaging_script_is_sound_and_refuses_what_would_not_run_elsewhere(tmp_path):
    output("shellcheck", REPOSITORY / "package")
    done = subprocess.run(
        [REPOSITORY / "package", "--binaries", MILLRACE.parent, "--out", tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1 and "needs the Swift runtime on every host" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_configuration_files_are_valid():
    output(MILLRACE_AGENT, "config", "validate", PACKAGING / "etc" / "agent.yaml")
    output(MILLRACE, "config", "validate", "broker", PACKAGING / "etc" / "broker.yaml")


def test_an_installation_without_a_package_can_be_looked_at_first(tmp_path):
    done = subprocess.run([MILLRACE_AGENT, "install", "--broker", "agg.example:9092", "--dry-run"], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        # A build host without systemd is told so.
        assert "there is no systemd here" in done.stderr
    else:
        assert "broker: agg.example:9092" in done.stdout and "systemctl enable millrace-agent.service" in done.stdout
    wrong = subprocess.run([MILLRACE_AGENT, "install", "--broker", "agg.example:"], capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 64 and "is no list of brokers" in wrong.stderr
