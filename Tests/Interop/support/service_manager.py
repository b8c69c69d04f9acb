"""A service manager as a started process sees it: a socket that takes its datagrams (sd_notify(3))."""

import socket
import time


class ServiceManager:
    def __init__(self, folder, watchdog_seconds=3):
        self.path = str(folder / "notify.socket")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(0.2)
        self.heard = []
        self.env = {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(int(watchdog_seconds * 1_000_000))}

    def listen(self):
        """Takes what was said since; returns the lines."""
        lines = []
        while True:
            try:
                lines += self.socket.recv(65536).decode().splitlines()
            except TimeoutError:
                self.heard += lines
                return lines

    def wait_for(self, line, seconds=30):
        """Waits until a line with this beginning is said from now on; returns it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for found in self.listen():
                if found.startswith(line):
                    return found
        raise AssertionError(f"not said within {seconds} s: {line}; heard: {[h for h in self.heard if h != 'WATCHDOG=1'][-20:]}")

    def close(self):
        self.socket.close()
