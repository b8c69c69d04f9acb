"""The completions in the shells that read them: what each offers for what was typed so far."""

import os
import pty
import select
import subprocess
import time

import pytest

from support.processes import MILLRACE, MILLRACE_AGENT

CASES = [
    ("millrace", "con", {"config", "console"}),
    ("millrace", "config schema ", {"agent", "broker", "pipeline"}),
    ("millrace", "top --on", {"--once"}),
    ("millrace", "tail --from ", {"earliest", "latest"}),
    ("millrace", "groups re", {"reset"}),
    ("millrace", "config validate broker {folder}/hom", {"{folder}/home.yaml"}),
    ("millrace", "broker -c {folder}/hom", {"{folder}/home.yaml"}),
    ("millrace-agent", "inst", {"install"}),
    ("millrace-agent", "config pri", {"print"}),
]
BINARIES = {"millrace": MILLRACE, "millrace-agent": MILLRACE_AGENT}


def environment(tmp_path):
    # No start-up files of whoever runs the tests; the binaries where the scripts look for them, on the PATH.
    return {"PATH": f"{MILLRACE.parent}:/usr/bin:/bin", "HOME": str(tmp_path), "TERM": "dumb", "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": str(tmp_path)}


def script(name, shell, path):
    path.write_text(subprocess.run([BINARIES[name], "--generate-completion-script", shell], capture_output=True, text=True, check=True, timeout=60).stdout)
    return path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "home.yaml").write_text("")
    return tmp_path / "files"


BASH = """
source /usr/share/bash-completion/bash_completion
source "$1"
shift
name=$1
line="$*"
[[ -z ${@: -1} ]] && line="${line% } "
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$line COMP_POINT=${#line}
registered=$(complete -p "$name")
[[ $registered =~ -F\\ ([^ ]+) ]] || exit 9
"${BASH_REMATCH[1]}" "$name" "${@: -1}" "${@: -2:1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("name, typed, offered", CASES)
def test_bash_offers(name, typed, offered, tmp_path, folder):
    words = typed.format(folder=folder).split(" ")
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", script(name, "bash", tmp_path / "script"), name, *words],
        capture_output=True, text=True, timeout=60, env=environment(tmp_path))
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert {line.strip() for line in done.stdout.splitlines()} == {one.format(folder=folder) for one in offered}


@pytest.mark.parametrize("name, typed, offered", CASES)
def test_fish_offers(name, typed, offered, tmp_path, folder):
    text = f"{name} {typed.format(folder=folder)}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {script(name, 'fish', tmp_path / 'script')}; complete -C '{text}'"],
        capture_output=True, text=True, timeout=60, env=environment(tmp_path))
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert {line.split("\t")[0] for line in done.stdout.splitlines()} == {one.format(folder=folder) for one in offered}


class Zsh:
    """An interactive zsh on a terminal: only there do its completions run."""

    def __init__(self, folder, environment, notes_offers):
        self.parent, child = pty.openpty()
        self.process = subprocess.Popen(["zsh", "-f", "-i"], stdin=child, stdout=child, stderr=child, start_new_session=True, env=environment)
        os.close(child)
        # Ctrl-T completes and says what the line is then. What is offered where there is a choice is noted on its way to the screen; zsh's own
        # functions call compadd for other ends too, which a function in its place would disturb.
        note = "compadd() { local -a all; builtin compadd -O all \"$@\"; (( $#all )) && print -rl -- OFFERED:${^all} >> $OFFERS; builtin compadd \"$@\" }\n"
        self.type(
            f"PS1=; fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; unsetopt AUTO_MENU\n"
            + (note if notes_offers else "") +
            "tell() { zle expand-or-complete; print -r -- \"LINE:$BUFFER\" >> $OFFERS; }; zle -N tell; bindkey '^T' tell\n"
            "print READ''Y\n")
        self.until("READY")

    def type(self, text):
        os.write(self.parent, text.encode())

    def until(self, mark, seconds=30):
        seen, end = "", time.monotonic() + seconds
        while mark not in seen and time.monotonic() < end:
            if select.select([self.parent], [], [], 0.1)[0]:
                seen += os.read(self.parent, 65536).decode(errors="replace")
        assert mark in seen, seen
        return seen

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.parent)


@pytest.mark.parametrize("name, typed, offered", CASES)
def test_zsh_offers(name, typed, offered, tmp_path, folder):
    functions = tmp_path / "functions"
    functions.mkdir()
    script(name, "zsh", functions / f"_{name}")
    offers = tmp_path / "offers"
    zsh = Zsh(functions, {**environment(tmp_path), "OFFERS": str(offers)}, len(offered) > 1)
    try:
        zsh.type(f"{name} {typed.format(folder=folder)}\x14")
        end = time.monotonic() + 30
        told = []
        while not any(line.startswith("LINE:") for line in told) and time.monotonic() < end:
            time.sleep(0.1)
            told = offers.read_text().splitlines() if offers.exists() else []
        line = next(line.removeprefix("LINE:") for line in told if line.startswith("LINE:"))
        wanted = {one.format(folder=folder) for one in offered}
        if len(wanted) == 1:
            before = typed.format(folder=folder).rpartition(" ")[0]
            assert line.split() == [name, *before.split(), *wanted]
        else:
            assert {line.removeprefix("OFFERED:") for line in told if line.startswith("OFFERED:")} == wanted
    finally:
        zsh.close()
