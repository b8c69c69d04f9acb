"""A real PostgreSQL on loopback, of the version that Debian has."""

import os
import pathlib
import shutil
import subprocess

from .processes import free_port


class Postgres:
    def __init__(self, folder):
        # Its socket's path may not be long, and root may not run it.
        self.folder = pathlib.Path(subprocess.run(["mktemp", "-d", "/tmp/millrace-pg-XXXXXX"], capture_output=True, text=True, check=True).stdout.strip())
        self.binaries = max(pathlib.Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name)) / "bin"
        self.port = free_port()
        self.log = pathlib.Path(folder) / "postgres.log"
        self.log.touch()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
            self.log.chmod(0o666)
            pathlib.Path(folder).chmod(0o777)
        self.data = self.folder / "data"
        self.run(self.binaries / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync")

    def run(self, *command):
        command = [str(part) for part in command]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        with open(self.log, "ab") as log:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=120, cwd="/")

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self.run(self.binaries / "pg_ctl", "-D", self.data, "-w", "-l", self.folder / "server.log", "-o", options, "start")
        return self

    def stop(self, mode="immediate"):
        self.run(self.binaries / "pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def url(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def query(self, statement):
        """The rows' columns as texts."""
        command = ["psql", "-X", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.url, "-c", statement]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/")
        assert result.returncode == 0, result.stderr
        return [tuple(line.split("\t")) for line in result.stdout.splitlines()]
