"""A real nginx with a prefix of its own on a loopback port, rotated as logrotate does, under load by wrk."""

import os
import pathlib
import signal
import subprocess

from .processes import Process, free_port, port_answers, wait_until

CONFIGURATION = """
daemon off;
worker_processes 2;
pid {prefix}/nginx.pid;
error_log {logs}/error.log info;
events {{ worker_connections 256; }}
http {{
  access_log {logs}/access.log combined;
  client_body_temp_path {prefix}/body;
  proxy_temp_path {prefix}/proxy;
  fastcgi_temp_path {prefix}/fastcgi;
  uwsgi_temp_path {prefix}/uwsgi;
  scgi_temp_path {prefix}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "ok\\n"; }}
    location /missing {{ return 404; }}
  }}
}}
"""

# Every request has a path of its own, so that each line of the log differs from all others.
LOAD = """
local thread = 0
function setup(t) thread = thread + 1; t:set("id", thread) end
local count = 0
function request()
  count = count + 1
  local folder = "/item/"
  if count % 7 == 0 then folder = "/missing/" end
  return wrk.format("GET", folder .. RUN .. "-" .. id .. "-" .. count .. "?q=a%20b")
end
function delay() return DELAY end
"""


class Nginx:
    def __init__(self, folder):
        self.prefix = pathlib.Path(folder) / "nginx"
        self.logs = self.prefix / "logs"
        self.logs.mkdir(parents=True)
        os.chmod(folder, 0o755)
        self.prefix.chmod(0o777)
        self.logs.chmod(0o777)
        self.port = free_port()
        self.rotations = 0
        configuration = self.prefix / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(prefix=self.prefix, logs=self.logs, port=self.port))
        self.process = Process(
            "nginx", ["/usr/sbin/nginx", "-p", self.prefix, "-c", configuration, "-e", self.logs / "error.log"], folder
        )

    def start(self):
        self.process.start()
        wait_until(lambda: port_answers(self.port), 10, "nginx listens")
        return self

    def rotate(self):
        """What logrotate does: rename, then tell nginx to open its logs anew."""
        self.rotations += 1
        (self.logs / "access.log").rename(self.logs / f"access.log.{self.rotations}")
        os.kill(self.process.child.pid, signal.SIGUSR1)
        wait_until(lambda: (self.logs / "access.log").exists(), 10, "nginx opens a new log")

    def stop(self):
        """Lets the workers finish their requests, and so write their lines."""
        self.process.child.send_signal(signal.SIGQUIT)
        self.process.child.wait(20)

    def lines(self):
        """Every line that nginx has written, in all its files."""
        lines = []
        for file in sorted(self.logs.glob("access.log*")):
            lines += file.read_bytes().splitlines()
        return lines


class Load:
    """wrk with two connections that pause `delay_ms` between their requests."""

    def __init__(self, nginx, folder, run="r", delay_ms=2, seconds=600):
        script = pathlib.Path(folder) / f"load-{run}.lua"
        script.write_text(LOAD.replace("RUN", f'"{run}"').replace("DELAY", str(delay_ms)))
        url = f"http://127.0.0.1:{nginx.port}/"
        self.child = subprocess.Popen(
            ["wrk", "-t", "2", "-c", "4", "-d", f"{seconds}s", "-s", str(script), url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self):
        self.child.send_signal(signal.SIGINT)
        self.child.wait(20)
