"""A real journald of the test's own: it sees its own /run and /run/log, so that a journald of the machine is left alone."""

import pathlib
import socket
import subprocess
import threading
import time
import zlib

from support.processes import wait_until

CONFIGURATION = """
[Journal]
Storage=volatile
RateLimitIntervalSec=0
RateLimitBurst=0
RuntimeMaxFileSize={file_size}
RuntimeMaxUse={use}
ReadKMsg=no
Audit=no
ForwardToSyslog=no
"""

# journald finds everything by fixed paths: these folders are put in their places in a mount namespace that ends with it.
IN_A_NAMESPACE = """
mount --bind "$0/run" /run/systemd && mkdir -p /run/log && mount --bind "$0/log" /run/log && exec /lib/systemd/systemd-journald
"""


def checksum(prefix, number):
    return f"{zlib.crc32(f'{prefix} {number}'.encode()):08x}"


class Journald:
    """Its files are in `folder` as others see them."""

    def __init__(self, tmp_path, file_size="1M", use="64M"):
        self.home = pathlib.Path(tmp_path) / "journald"
        self.folder = self.home / "log" / "journal"
        self.folder.mkdir(parents=True)
        (self.home / "run" / "journal").mkdir(parents=True)
        settings = self.home / "run" / "journald.conf.d"
        settings.mkdir()
        (settings / "test.conf").write_text(CONFIGURATION.format(file_size=file_size, use=use))
        self.log = open(self.home / "journald.log", "wb")
        pathlib.Path("/run/systemd").mkdir(exist_ok=True)
        self.child = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", IN_A_NAMESPACE, self.home], stdout=self.log, stderr=self.log
        )
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = self.home / "run" / "journal" / "socket"
        wait_until(self.answers, 20, "journald listens")

    def answers(self):
        try:
            self.socket.connect(str(self.path))
            return True
        except OSError:
            return False

    def send(self, message, identifier="test"):
        self.socket.send(f"MESSAGE={message}\nSYSLOG_IDENTIFIER={identifier}\nPRIORITY=6\n".encode())

    def send_numbered(self, prefix, number):
        """A message that shows whether it is as it was sent."""
        self.send(f"{prefix} {number} {checksum(prefix, number)}")

    def control(self, *arguments):
        """journalctl as journald's own machine would run it."""
        command = ["nsenter", "-t", str(self.child.pid), "-m", "journalctl", "--quiet", *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def messages(self):
        return [line.decode() for line in self.control("-o", "cat", "--no-pager").splitlines()]

    def stop(self):
        self.socket.close()
        self.child.terminate()
        self.child.wait(20)
        self.log.close()


class Writer(threading.Thread):
    """Sends numbered messages at a rate until it is stopped; `count` says how many."""

    def __init__(self, journald, rate, prefix):
        super().__init__(daemon=True)
        self.journald, self.rate, self.prefix = journald, rate, prefix
        self.count = 0
        self.stopped = threading.Event()
        self.start()

    def run(self):
        begin = time.monotonic()
        while not self.stopped.is_set():
            due = int((time.monotonic() - begin) * self.rate)
            while self.count < due:
                self.journald.send_numbered(self.prefix, self.count)
                self.count += 1
            time.sleep(0.002)

    def stop(self):
        self.stopped.set()
        self.join()
        return self.count
