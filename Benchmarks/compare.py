#!/usr/bin/env python3
"""Millrace's release build beside its yardsticks, in one run: ratios of CPU-seconds, and resident memory.

    swift build -c release -Xswiftc -static-stdlib && make -C Benchmarks && python3 Benchmarks/compare.py [broker] [fetch] [idle] [agent] [memory]

broker   64 KiB batches, acks=1, durability page-cache: CPU-seconds per GB of the broker and of a bare C loop (receive, CRC-32C, pwrite)
fetch    a reader that catches up, answers of 1 MiB from the page cache: CPU-seconds per GB of the broker and of a bare sendfile loop
idle     the broker with 100 partitions: from its start to the first accepted produce; resident memory, and what a silent connection adds
agent    one file of nginx lines to the same broker: CPU-seconds of the agent (no codec) and of kcat -P -l; of the agent (gzip) and of zlib
memory   resident memory of agent and broker after shipping 2 GB
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = pathlib.Path(os.environ.get("MILLRACE_BUILD", ROOT / ".build" / "release"))
TOOLS = ROOT / "Benchmarks" / "build"
if not TOOLS.exists():
    TOOLS = ROOT / "Benchmarks" / "c"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_of(pid):
    """User and system seconds of a process so far, its waited-for children included."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[place]) for place in (11, 12, 13, 14)) / os.sysconf("SC_CLK_TCK")


def thread_cpu_of(pid):
    """Seconds that the threads of a process have run so far, by the scheduler's own clock; of threads that have ended nothing is known."""
    tasks = pathlib.Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def resident_mib(pid, key="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0


def lines_file(path, count):
    """nginx combined lines with varied paths, statuses and agents, about 190 bytes each."""
    agents = ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36", "curl/8.5.0"]
    with open(path, "w") as file:
        for number in range(count):
            file.write(
                f'192.0.2.{number % 251} - - [22/Nov/2026:07:{number // 60 % 60:02}:{number % 60:02} +0000] '
                f'"GET /product/{number * 7919 % 100003}?page={number % 13} HTTP/1.1" {(200, 200, 200, 304, 404)[number % 5]} '
                f'{number * 31 % 90000} "https://example.org/list/{number % 977}" "{agents[number % 2]}"\n'
            )


class Broker:
    def __init__(self, folder, durability="page-cache", poll=0.05):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.child = subprocess.Popen(
            [RELEASE / "millrace", "broker", "--data", folder / "broker", "--listen", self.address, "--admin", "off",
             "--set", f"millrace.durability={durability}", "--log-level", "warning"])
        while socket.socket().connect_ex(("127.0.0.1", self.port)) != 0:
            time.sleep(poll)

    def topic(self, name):
        subprocess.run([RELEASE / "millrace", "topics", "create", name, "--broker", self.address], check=True,
                       stdout=subprocess.DEVNULL)

    def count(self, name):
        output = subprocess.run([RELEASE / "millrace", "topics", "--broker", self.address, "--output", "json"],
                                check=True, capture_output=True, text=True).stdout
        for row in output.splitlines():
            row = json.loads(row)
            if row["topic"] == name:
                return row["records"]
        return 0

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait()


def bench_broker(folder, rounds):
    # Small on purpose: memory that a virtual machine has not touched lately is slow to come by, which has nothing to do with either side.
    gigabytes = 0.3
    ours, bare = [], []
    for round_number in range(rounds):
        broker = Broker(folder)
        broker.topic("bench")
        load(["-a", f"127.0.0.1:{broker.port}", "-t", "bench"], 0.05)
        ours.append(load_cpu(broker.child.pid, ["-a", f"127.0.0.1:{broker.port}", "-t", "bench"], gigabytes))
        broker.stop()
        shutil.rmtree(folder / "broker")
        port = free_port()
        child = subprocess.Popen([TOOLS / "broker_baseline", "-l", f"127.0.0.1:{port}", folder / "bare"],
                                 stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)  # It takes one connection only, so it can't be asked whether it listens.
        load(["-r", "-a", f"127.0.0.1:{port}"], gigabytes)
        bare.append(float(re.search(r"cpu ([0-9.]+) s", child.communicate()[0]).group(1)) / gigabytes)
        (folder / "bare").unlink(missing_ok=True)
    ratio = [one / other for one, other in zip(ours, bare)]
    print(f"broker, 64 KiB batches, acks=1, page-cache: {statistics.median(ours):.2f} CPU-s/GB; bare C loop "
          f"{statistics.median(bare):.2f}; ratio {statistics.median(ratio):.2f} ({min(ratio):.2f}–{max(ratio):.2f}, {rounds} rounds)")


def bench_fetch(folder, rounds):
    stored, gigabytes = 0.3, 1.5
    # Sender and reader on cores of their own: where the scheduler puts them makes more of a difference than anything else.
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    broker = Broker(folder)
    broker.topic("bench")
    load(["-a", f"127.0.0.1:{broker.port}", "-t", "bench"], stored)
    segment = max((folder / "broker" / "logs" / "bench-0").glob("*.log"), key=lambda file: file.stat().st_size)
    ours, bare = [], []
    for _ in range(rounds):
        before = thread_cpu_of(broker.child.pid)
        fetch(["-a", f"127.0.0.1:{broker.port}", "-t", "bench"], gigabytes)
        ours.append((thread_cpu_of(broker.child.pid) - before) / gigabytes)
        port = free_port()
        child = subprocess.Popen([TOOLS / "fetch_baseline", "-l", f"127.0.0.1:{port}", segment], stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)  # It takes one connection only, so it can't be asked whether it listens.
        fetch(["-r", "-a", f"127.0.0.1:{port}"], gigabytes)
        bare.append(float(re.search(r"cpu ([0-9.]+) s", child.communicate()[0]).group(1)) / gigabytes)
    broker.stop()
    ratio = [one / other for one, other in zip(ours, bare)]
    print(f"fetch, answers of 1 MiB from the page cache: {statistics.median(ours):.3f} CPU-s/GB; bare sendfile loop "
          f"{statistics.median(bare):.3f}; ratio {statistics.median(ratio):.2f} ({min(ratio):.2f}–{max(ratio):.2f}, {rounds} rounds)")


def bench_idle(folder, rounds):
    broker = Broker(folder)
    subprocess.run([RELEASE / "millrace", "topics", "create", "many", "--partitions", "100", "--broker", broker.address],
                   check=True, stdout=subprocess.DEVNULL)
    broker.stop()
    starts, idle, each = [], [], []
    connections = 2000
    for _ in range(rounds):
        begin = time.monotonic()
        broker = Broker(folder, poll=0.001)
        load(["-a", f"127.0.0.1:{broker.port}", "-t", "many", "-p", "42"], 1e-9)
        starts.append(time.monotonic() - begin)
        time.sleep(1)
        before = resident_mib(broker.child.pid)
        idle.append(before)
        sockets = [socket.create_connection(("127.0.0.1", broker.port)) for _ in range(connections)]
        for peer in sockets:  # Each has asked once, as a client does when it connects: ApiVersions v0.
            peer.sendall(struct.pack(">ihhih", 10, 18, 0, 1, -1))
        for peer in sockets:
            peer.recv(4096)
        each.append((resident_mib(broker.child.pid) - before) * 1024 / connections)
        for peer in sockets:
            peer.close()
        broker.stop()
    print(f"broker with 100 partitions, start to first accepted produce: {statistics.median(starts) * 1000:.0f} ms "
          f"({min(starts) * 1000:.0f}–{max(starts) * 1000:.0f}, {rounds} rounds); resident {statistics.median(idle):.1f} MiB; "
          f"a silent connection {statistics.median(each):.1f} KiB (of {connections})")


def fetch(arguments, gigabytes):
    cores = sorted(os.sched_getaffinity(os.getppid()))
    subprocess.run(["taskset", "-c", str(cores[-1]), TOOLS / "fetch_load", "-s", "1m", "-b", str(int(gigabytes * 1e9)), *arguments],
                   check=True, stdout=subprocess.DEVNULL)


def load(arguments, gigabytes):
    subprocess.run([TOOLS / "broker_load", "-s", "64k", "-b", str(int(gigabytes * 1e9)), *arguments], check=True,
                   stdout=subprocess.DEVNULL)


def load_cpu(pid, arguments, gigabytes):
    before = thread_cpu_of(pid)
    load(arguments, gigabytes)
    return (thread_cpu_of(pid) - before) / gigabytes


def agent_cpu(folder, broker, file, count, topic, codec):
    """CPU-seconds of an agent from its start to its clean end after everything is acknowledged."""
    state = folder / f"state-{topic}"
    child = subprocess.Popen([RELEASE / "millrace-agent", "run", "--broker", broker.address, "--state", state,
                              "--file", file, "--topic", topic, "--codec", codec, "--log-level", "warning"])
    while broker.count(topic) < count:
        time.sleep(0.2)
    cpu = cpu_of(child.pid)
    child.send_signal(signal.SIGTERM)
    child.wait()
    shutil.rmtree(state)
    return cpu


def child_cpu(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bench_agent(folder, rounds):
    count = 2_500_000  # Large enough that starting up is a small part of it.
    file = folder / "access.log"
    lines_file(file, count)
    megabytes = file.stat().st_size / 1e6
    broker = Broker(folder)
    plain, kcat, gzip, zlib = [], [], [], []
    for number in range(rounds):
        broker.topic(f"plain{number}")
        plain.append(agent_cpu(folder, broker, file, count, f"plain{number}", "none"))
        broker.topic(f"kcat{number}")
        kcat.append(child_cpu(["kcat", "-P", "-b", broker.address, "-t", f"kcat{number}", "-l", file]))
        broker.topic(f"gzip{number}")
        gzip.append(agent_cpu(folder, broker, file, count, f"gzip{number}", "gzip"))
        zlib.append(child_cpu([TOOLS / "zlib_baseline", "-l", os.environ.get("GZIP_LEVEL", "6"), "-b", "262144", file]))
    broker.stop()
    print(f"agent, no codec, {count} lines ({megabytes:.0f} MB): {statistics.median(plain):.2f} CPU-s; kcat -P -l "
          f"{statistics.median(kcat):.2f}; ratio {statistics.median([a / b for a, b in zip(plain, kcat)]):.2f}")
    print(f"agent, gzip: {statistics.median(gzip):.2f} CPU-s; zlib level {os.environ.get('GZIP_LEVEL', '6')} alone "
          f"{statistics.median(zlib):.2f}; ratio {statistics.median([a / b for a, b in zip(gzip, zlib)]):.2f}")


def bench_memory(folder, _):
    count = 2_000_000
    file = folder / "large.log"
    lines_file(file, count)
    copies = max(1, round(2e9 / file.stat().st_size))
    names = [folder / f"large-{number}.log" for number in range(copies)]
    for name in names:
        shutil.copy(file, name)
    broker = Broker(folder)
    broker.topic("memory")
    child = subprocess.Popen([RELEASE / "millrace-agent", "run", "--broker", broker.address, "--state", folder / "state",
                              "--file", str(folder / "large-*.log"), "--topic", "memory", "--log-level", "warning"])
    while broker.count("memory") < count * copies:
        time.sleep(0.5)
    size = sum(name.stat().st_size for name in names) / 1e9
    for name, pid in (("agent", child.pid), ("broker", broker.child.pid)):
        print(f"{name} after shipping {size:.1f} GB: {resident_mib(pid):.1f} MiB resident "
              f"({resident_mib(pid, 'RssAnon'):.1f} anonymous, peak {resident_mib(pid, 'VmHWM'):.1f})")
    child.send_signal(signal.SIGTERM)
    child.wait()
    broker.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["broker", "fetch", "idle", "agent", "memory", []])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    benches = {"broker": bench_broker, "fetch": bench_fetch, "idle": bench_idle, "agent": bench_agent, "memory": bench_memory}
    for what in options.what or benches:
        with tempfile.TemporaryDirectory(prefix="millrace-bench-") as folder:
            benches[what](pathlib.Path(folder), options.rounds)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
