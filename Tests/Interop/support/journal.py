"""A journal file that grows: systemd-journal-remote writes what it is fed in the export format."""

import pathlib
import subprocess
import time


class Journal:
    REMOTE = "/lib/systemd/systemd-journal-remote"

    def __init__(self, folder, boot="0" * 31 + "1"):
        self.folder = pathlib.Path(folder) / "journal"
        self.folder.mkdir()
        self.file = self.folder / "remote.journal"
        self.boot = boot
        self.child = subprocess.Popen(
            [self.REMOTE, "-o", str(self.file), "-"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.count = 0

    def add(self, message, unit="nginx.service"):
        now = int(time.time() * 1e6)
        entry = (
            f"__REALTIME_TIMESTAMP={now}\n__MONOTONIC_TIMESTAMP={now}\n_BOOT_ID={self.boot}\n"
            f"_SYSTEMD_UNIT={unit}\nPRIORITY=6\nSYSLOG_IDENTIFIER=test\nMESSAGE={message}\n\n"
        )
        self.child.stdin.write(entry.encode())
        self.child.stdin.flush()
        self.count += 1

    def stop(self):
        self.child.stdin.close()
        self.child.wait(20)

    def messages(self):
        command = ["journalctl", "--file", str(self.file), "-o", "cat", "--no-pager"]
        return subprocess.run(command, check=True, capture_output=True).stdout.splitlines()
