#!/usr/bin/env python3
"""What the console costs, with 1,000 topics and 100 agents: the first page's bytes and time, and what an open page costs the broker.

    swift build -c release -Xswiftc -static-stdlib && .venv/bin/python Benchmarks/console.py [--seconds 60] [--topics 1000] [--agents 100]

Needs confluent-kafka (./test puts it into .venv). The broker's CPU time is the scheduler's (schedstat), summed over its threads.
"""

import argparse
import json
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
MILLRACE = REPOSITORY / ".build" / "release" / "millrace"
ASSETS = REPOSITORY / "Sources" / "Console" / "Assets"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


def cpu_seconds(process):
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{process.pid}/task").glob("*/schedstat")) / 1e9


def fetch(url):
    begin = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:
        body = answer.read()
    return len(body), (time.perf_counter() - begin) * 1000, body


def report(agent, now):
    hours = [{"hour_start": now - hour * 3_600_000, "lines": 360_000, "bytes": 64_000_000} for hour in range(24)]
    return {"kind": "agent", "agent": agent, "time": now, "producer_id": 1, "pending_batches": 1, "ring_used_bytes": 1 << 20, "ring_bytes": 64 << 20,
            "stalled": False, "last_error": None, "partitions": [], "sources_total": 4, "unread_bytes": 0, "streams_total": 0, "streams": [],
            "sources": [{"source": f"{agent}/var/log/{number}.log", "hours": hours} for number in range(4)]}


def fill(address, topics, agents):
    admin = AdminClient({"bootstrap.servers": address})
    for begin in range(0, topics, 100):
        for future in admin.create_topics([NewTopic(f"topic-{number:04}", 1, 1) for number in range(begin, min(begin + 100, topics))]).values():
            future.result()
    admin.create_topics([NewTopic("__millrace_status", 1, 1, config={"cleanup.policy": "compact"})])["__millrace_status"].result()
    producer = Producer({"bootstrap.servers": address})
    for number in range(agents):
        producer.produce("__millrace_status", json.dumps(report(f"web{number:03}", int(time.time() * 1000))), key=f"web{number:03}")
    for number in range(topics):
        producer.produce(f"topic-{number:04}", b"a line of a log")
    producer.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--topics", type=int, default=1000)
    parser.add_argument("--agents", type=int, default=100)
    options = parser.parse_args()
    children = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            kafka, port = free_port(), free_port()
            log = open(pathlib.Path(folder) / "log", "wb")
            broker = subprocess.Popen([MILLRACE, "broker", "--data", f"{folder}/data", "--listen", f"127.0.0.1:{kafka}", "--admin", "off"], stdout=log, stderr=log)
            children.append(broker)
            wait_for(kafka)
            fill(f"127.0.0.1:{kafka}", options.topics, options.agents)
            time.sleep(5)
            begin = cpu_seconds(broker)
            time.sleep(options.seconds)
            idle = (cpu_seconds(broker) - begin) / options.seconds
            console = subprocess.Popen([MILLRACE, "console", "--broker", f"127.0.0.1:{kafka}", "--listen", f"127.0.0.1:{port}"], stdout=log, stderr=log)
            children.append(console)
            wait_for(port)
            url = f"http://127.0.0.1:{port}/"
            # A console that was just started has no picture yet: the very first page waits for one.
            _, cold, _ = fetch(url + "api/overview")
            time.sleep(5)
            paths = [""] + [path.relative_to(ASSETS).as_posix() for path in sorted(ASSETS.rglob("*")) if path.is_file() and path.name != "index.html"] + ["api/overview"]
            rounds = []
            for _ in range(20):
                rounds.append([fetch(url + path)[:2] for path in paths])
            sizes = sum(size for size, _ in rounds[-1])
            times = statistics.median(sum(taken for _, taken in entries) for entries in rounds)
            topics_bytes, topics_time, _ = fetch(url + "api/topics")
            agents_bytes, agents_time, body = fetch(url + "api/agents")
            assert len(json.loads(body)["agents"]) == options.agents, "the agents' reports were not read"
            begin, begin_console = cpu_seconds(broker), cpu_seconds(console)
            end = time.monotonic() + options.seconds
            while time.monotonic() < end:
                fetch(url + "api/overview")
                time.sleep(2)
            opened = (cpu_seconds(broker) - begin) / options.seconds
            own = (cpu_seconds(console) - begin_console) / options.seconds
        finally:
            for child in children:
                child.terminate()
                child.wait()
    print(f"{options.topics} topics, {options.agents} agents")
    print(f"first page: {len(paths)} requests, {sizes / 1000:.1f} kB, {times:.1f} ms of server time (median of 20 rounds); {cold:.0f} ms where the console was just started")
    print(f"topics page: {topics_bytes / 1000:.1f} kB, {topics_time:.1f} ms; agents page: {agents_bytes / 1000:.1f} kB, {agents_time:.1f} ms")
    print(f"broker: {idle * 100:.2f} % of a core without a console, {opened * 100:.2f} % with one open; the console itself {own * 100:.2f} %")


main()
