"""A throw-away Debian with systemd as PID 1 and nginx inside, on a loopback of its own."""

import hashlib
import pathlib
import shutil
import subprocess

TOOL = pathlib.Path(__file__).resolve().parents[1] / "tools" / "systemd-box"
CACHE = pathlib.Path.home() / ".cache" / "millrace-tests"
# What the packages depend on stands in the base: inside there is no network to fetch it from.
PACKAGES = ("curl", "libdeflate0", "libsnappy1v5", "libyaml-0-2", "liblz4-1", "libzstd1", "libpcre2-8-0", "libmaxminddb0", "libexpat1")


def base():
    """The tree that boxes are booted from; made once, in about 3 minutes, and kept."""
    name = hashlib.sha256(TOOL.read_text().split("leader()")[0].encode() + " ".join(PACKAGES).encode()).hexdigest()[:12]
    path = CACHE / f"systemd-box-{name}"
    if not (path / ".complete").exists():
        shutil.rmtree(path, ignore_errors=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([TOOL, "create", path, *PACKAGES], capture_output=True, text=True, timeout=1200)
        assert done.returncode == 0, done.stderr
        (path / ".complete").touch()
    return path


class Box:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "box"
        self.root = self.folder / "root"
        self.host = self.folder / "host"

    def start(self):
        done = subprocess.run(
            [TOOL, "boot", base(), self.folder, "--private-network"], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return self

    def stop(self):
        subprocess.run([TOOL, "stop", self.folder], check=True, timeout=60)

    def run(self, *command, timeout=120):
        """Runs a command inside, as root, whatever it answers."""
        command = [TOOL, "exec", self.folder, *map(str, command)]
        return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout)

    def output(self, *command, timeout=120):
        """What a command that succeeds prints."""
        done = self.run(*command, timeout=timeout)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def shell(self, script, timeout=120):
        return self.output("sh", "-ec", script, timeout=timeout)

    def property(self, unit, name):
        return self.output("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def journal(self, unit):
        return self.output("journalctl", "--no-pager", "-o", "cat", f"--unit={unit}")
