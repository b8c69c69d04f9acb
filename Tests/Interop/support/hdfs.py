"""A real HDFS on loopback, and its files as a user of it gets them."""

import json
import os
import pathlib
import subprocess
import urllib.request

from .processes import free_port

TOOL = pathlib.Path(__file__).resolve().parents[1] / "tools" / "hdfs-mini"


class HDFS:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "hdfs"
        self.port = free_port()
        # The data node takes two ports beyond its first.
        self.env = {**os.environ, "HDFS_PORT": str(self.port), "HDFS_RPC_PORT": str(free_port()), "HDFS_DN_PORT": str(free_port())}

    def start(self):
        result = subprocess.run([TOOL, "start", self.folder], env=self.env, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stdout + result.stderr
        return self

    def stop(self):
        subprocess.run([TOOL, "stop", self.folder], env=self.env, check=True, timeout=60)

    def url(self, path, operation):
        return f"http://127.0.0.1:{self.port}/webhdfs/v1{path}?op={operation}&user.name=root"

    def make_folder(self, path, owner):
        for operation in ("MKDIRS", f"SETOWNER&owner={owner}"):
            urllib.request.urlopen(urllib.request.Request(self.url(path, operation), method="PUT"), timeout=30).read()

    def files(self, path):
        """The paths of all files below a folder."""
        with urllib.request.urlopen(self.url(path, "LISTSTATUS"), timeout=30) as answer:
            statuses = json.load(answer)["FileStatuses"]["FileStatus"]
        found = []
        for status in statuses:
            below = f"{path}/{status['pathSuffix']}"
            found += self.files(below) if status["type"] == "DIRECTORY" else [below]
        return found

    def download(self, path, folder):
        """Copies all files below a folder to a local one."""
        for file in self.files(path):
            target = pathlib.Path(folder) / file.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            with urllib.request.urlopen(self.url(file, "OPEN"), timeout=60) as answer:
                target.write_bytes(answer.read())
