"""Sinks other than tables: topic and PostgreSQL take each row once, webhook and `_bulk` at least once, whatever is killed or away."""

import json
import os
import random
import subprocess
import time

import confluent_kafka
import pytest
from confluent_kafka import Consumer, TopicPartition

from support.clickhouse import ClickHouse
from support.postgres import Postgres
from support.processes import MILLRACE, Broker, Process, free_port, wait_until
from support.receivers import Bulk, Hook
from support.rows import Producer

FULL = bool(os.environ.get("MILLRACE_TEST_FULL"))
KILLS = 30 if FULL else 3
PIPELINE = """
pipeline: {name}
from: {{topics: [rows], start: earliest}}
steps:
  - parse: {{json: {{}}}}
to:
  - {sink}
"""


@pytest.fixture
def chance():
    seed = int(os.environ.get("MILLRACE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"MILLRACE_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path).start()
    command = [MILLRACE, "topics", "create", "rows", "--partitions", "3", "--broker", broker.address]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    try:
        yield broker
    finally:
        assert broker.stop() == 0, broker.tail()


def pipeline(folder, broker, sink, name="p", number=0):
    file = folder / f"{name}.yaml"
    file.write_text(PIPELINE.format(name=name, sink=sink))
    return Process(f"{name}-{number}", [MILLRACE, "pipeline", "run", "--broker", broker.address, "-c", file], folder)


def produce(broker, lines):
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    subprocess.run([MILLRACE, "produce", "rows", "--broker", broker.address], input=text, check=True, capture_output=True, timeout=60)


def through_kills(folder, broker, chance, sink, is_done, trouble=lambda kill: None):
    """Two members that are killed while rows are produced; ends when all rows arrived. Returns how many those are."""
    members = [pipeline(folder, broker, sink, number=number).start() for number in range(2)]
    producer = Producer(broker)
    producer.start()
    try:
        for kill in range(KILLS):
            time.sleep(chance.uniform(0.3, 2.5))
            trouble(kill)
            member = chance.choice(members)
            assert member.is_running, member.tail()
            member.kill()
            member.start()
        producer.stopping.set()
        producer.join()
        wait_until(lambda: is_done(producer.count), 120, "all rows arrived")
        for member in members:
            assert member.stop(60) == 0, member.tail()
        return producer.count
    finally:
        producer.stopping.set()
        for member in members:
            member.kill()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    postgres = Postgres(tmp_path_factory.mktemp("postgres")).start()
    try:
        yield postgres
    finally:
        postgres.remove()


def test_postgres_holds_each_row_once_through_kills_of_pipeline_and_server(postgres, broker, tmp_path, chance):
    def count():
        found = postgres.query("select to_regclass('rows') is not null")[0][0]
        return int(postgres.query("select count(*) from rows")[0][0]) if found == "t" else 0

    def trouble(kill):
        if kill == KILLS // 2:
            postgres.stop()
            time.sleep(chance.uniform(0.5, 2))
            postgres.start()

    sink = f"postgres: {{url: '{postgres.url}', table: rows, columns: {{n: int64}}, batch: {{rows: 300, linger: 100ms}}}}"
    produced = through_kills(tmp_path, broker, chance, sink, lambda wanted: count() >= wanted, trouble)
    query = "select count(*), count(distinct n), min(n), max(n), count(distinct (kafka_partition, kafka_offset)) from rows"
    assert postgres.query(query) == [(str(produced), str(produced), "0", str(produced - 1), str(produced))]
    assert postgres.query("select sum(next_offset), count(*) from _millrace_positions") == [(str(produced), "3")]


def test_postgres_takes_what_texts_hold_and_says_which_record_it_refuses(postgres, broker, tmp_path):
    texts = ["", "a\tb", "line\nline", "back\\slash \\N \\.", "quote \" '", "é 😀", "nul \0 x", "\\."]
    produce(broker, [{"n": n, "t": text} for n, text in enumerate(texts)] + [{"n": "none", "t": None, "more": [1]}])
    sink = f"postgres: {{url: '{postgres.url}', table: public.texts, columns: {{n: int64, t: string}}, batch: {{linger: 100ms}}}}"
    process = pipeline(tmp_path, broker, sink, "texts").start()
    try:
        wait_until(lambda: "0" != postgres.query("select count(*) from pg_tables where tablename = 'texts'")[0][0], 30, "the table is made")
        wait_until(lambda: postgres.query("select count(*) from texts") == [("9",)], 30, "all rows")
        found = postgres.query("select encode(convert_to(t, 'UTF8'), 'hex') from texts where n is not null order by n")
        assert [bytes.fromhex(text).decode() for (text,) in found] == [text.replace("\0", "\\x00") for text in texts]
        assert postgres.query("select t is null, _extra from texts where n is null") == [("t", '{"n":"none","more":[1]}')]
        # A table that somebody made otherwise: the record is named, and nothing is skipped.
        postgres.query("alter table texts add constraint small check (n < 100)")
        produce(broker, [{"n": 99}, {"n": 100}])
        assert process.child.wait(30) != 0
        said = process.tail()
        assert 'violates check constraint "small"' in said and "Nothing is skipped silently" in said, said
        assert postgres.query("select count(*) from texts where n = 100") == [("0",)]
    finally:
        process.kill()


def test_a_postgres_that_is_away_is_waited_for(postgres, broker, tmp_path):
    produce(broker, [{"n": n} for n in range(10)])
    sink = f"postgres: {{url: '{postgres.url}', table: away, columns: {{n: int64}}, batch: {{linger: 50ms}}}}"
    postgres.stop()
    process = pipeline(tmp_path, broker, sink, "away").start()
    try:
        wait_until(lambda: "Connection refused" in process.tail(), 30, "it is said why")
        assert process.is_running
        postgres.start()
        wait_until(lambda: postgres.query("select to_regclass('away') is not null") == [("t",)], 60, "the table is made")
        wait_until(lambda: postgres.query("select count(*) from away") == [("10",)], 60, "all rows")
        assert process.stop() == 0, process.tail()
    finally:
        process.kill()


def test_clickhouse_holds_each_row_once_through_kills_of_pipeline_and_server(broker, tmp_path, chance):
    clickhouse = ClickHouse(tmp_path).start()
    columns = "n Nullable(Int64), kafka_topic String, kafka_partition Int32, kafka_offset Int64, kafka_timestamp DateTime"
    clickhouse.query(f"create table rows ({columns}) engine = ReplacingMergeTree() order by (kafka_topic, kafka_partition, kafka_offset)")

    def trouble(kill):
        if kill == KILLS // 2:
            clickhouse.kill()
            time.sleep(chance.uniform(0.5, 2))
            clickhouse.start()

    sink = (
        f"clickhouse: {{url: 'http://127.0.0.1:{clickhouse.port}', table: default.rows, user: etl, password: secret, "
        "batch: {rows: 300, linger: 100ms}}"
    )
    try:
        arrived = lambda wanted: int(clickhouse.query("select uniqExact(n) from rows")[0][0]) >= wanted
        produced = through_kills(tmp_path, broker, chance, sink, arrived, trouble)
        query = "select count(), uniqExact(n), min(n), max(n), min(kafka_timestamp) > '2020-01-01 00:00:00' from rows final"
        assert clickhouse.query(query) == [(str(produced), str(produced), "0", str(produced - 1), "1")]
        # What the server refuses for what it is stops the pipeline with the server's words.
        clickhouse.query("drop table rows")
        produce(broker, [{"n": 1}])
        process = pipeline(tmp_path, broker, sink, number=2).start()
        try:
            assert process.child.wait(60) != 0
            assert "Code: 60" in process.tail() and "Nothing is skipped silently" in process.tail(), process.tail()
        finally:
            process.kill()
    finally:
        clickhouse.kill()


def committed_rows(broker, topic):
    """The rows that a reader of committed records sees."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.address,
            "group.id": "reader",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    topics = consumer.list_topics(timeout=20).topics
    if topic not in topics:
        consumer.close()
        return []
    count = len(topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(count)])
    rows, ended = [], 0
    while ended < count:
        message = consumer.poll(20)
        assert message is not None, "the topic's end does not come"
        if message.error():
            ended += 1
        else:
            rows.append((message.key(), json.loads(message.value())))
    consumer.close()
    return rows


def test_a_topic_holds_each_row_once_through_kills(broker, tmp_path, chance):
    sink = "topic: {name: parsed, key: n, codec: zstd, batch: {rows: 200, linger: 100ms}}"
    produced = through_kills(tmp_path, broker, chance, sink, lambda wanted: len(committed_rows(broker, "parsed")) >= wanted)
    rows = committed_rows(broker, "parsed")
    assert sorted(row["n"] for _, row in rows) == list(range(produced))
    assert all(key == str(row["n"]).encode() for key, row in rows)


def test_a_webhook_gets_each_row_at_least_once_through_kills_and_troubles(broker, tmp_path, chance):
    hook = Hook(chance, trouble=0.2)
    hook.receiver.start()
    sink = f"webhook: {{url: 'http://127.0.0.1:{hook.receiver.port}/in', headers: {{x-token: secret}}, batch: {{rows: 400, linger: 100ms}}}}"
    try:
        produced = through_kills(tmp_path, broker, chance, sink, lambda wanted: len({row["n"] for row in hook.rows}) >= wanted)
    finally:
        hook.receiver.stop()
    assert hook.problems == []
    places = {(row["kafka_partition"], row["kafka_offset"]): row["n"] for row in hook.rows}
    assert sorted(places.values()) == list(range(produced)), "by its place a receiver knows each row"


def test_a_dead_webhook_holds_up_no_other_sink(broker, tmp_path, chance):
    port = free_port()
    root = tmp_path / "export"
    sink = (
        f"webhook: {{url: 'http://127.0.0.1:{port}/', headers: {{x-token: secret}}, batch: {{rows: 10, linger: 50ms}}}}\n"
        f"  - export: {{root: '{root}', table: t, rotate: {{age: 300ms}}}}"
    )
    produce(broker, [{"n": n} for n in range(100)])
    process = pipeline(tmp_path, broker, sink).start()
    hook = Hook(chance)

    def exported():
        result = subprocess.run([MILLRACE, "export", "verify", root, "--output", "json"], capture_output=True, text=True, timeout=60)
        return json.loads(result.stdout)["rows"] if result.returncode == 0 else 0

    try:
        wait_until(lambda: exported() == 100, 30, "the export has what was fetched, though the webhook is dead")
        assert "takes no rows" in process.tail() and process.is_running
        hook.receiver.start(port)
        produce(broker, [{"n": n} for n in range(100, 200)])
        wait_until(lambda: {row["n"] for row in hook.rows} == set(range(200)), 60, "the webhook gets all of it once it lives")
        wait_until(lambda: exported() == 200, 30, "and so does the export")
        assert process.stop() == 0, process.tail()
    finally:
        process.kill()
    hook.receiver.stop()


def test_a_dead_sink_lets_no_memory_grow(broker, tmp_path, chance):
    count = 3_000_000 if FULL else 400_000
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address, "linger.ms": 20, "compression.type": "gzip"})
    # What compresses well takes more: of each partition one fetch is held, as it comes.
    texts = [os.urandom(200).hex() for _ in range(1000)]
    for n in range(count):
        producer.produce("rows", json.dumps({"n": n, "text": chance.choice(texts)}).encode(), partition=n % 3)
        if n % 1000 == 0:
            while len(producer) > 50_000:
                producer.poll(0.1)
    assert producer.flush(60) == 0
    port = free_port()
    process = pipeline(tmp_path, broker, f"webhook: {{url: 'http://127.0.0.1:{port}/', headers: {{x-token: secret}}}}").start()
    hook = Hook(chance)
    try:
        wait_until(lambda: "takes no rows" in process.tail(), 30, "the partitions wait for the webhook")
        # It is tried several times, while all that is behind could be read.
        time.sleep(5)
        assert process.resident_kib() < 150_000, "the rows behind would take 180 MB, 1.3 GB in the full test"
        hook.receiver.start(port)
        wait_until(lambda: len(hook.rows) >= count, 300, "all rows")
        assert process.resident_kib() < 150_000
        assert process.stop() == 0, process.tail()
    finally:
        process.kill()
    hook.receiver.stop()
    assert sorted(row["n"] for row in hook.rows) == list(range(count)), "nobody was killed: each row came once"


def test_bulk_documents_stand_once_under_their_ids_through_kills_and_troubles(broker, tmp_path, chance):
    # Of a hundred documents some are refused in most batches, so that each takes a few tries.
    bulk = Bulk(chance, trouble=0.03)
    bulk.receiver.start()
    file = tmp_path / "p.yaml"
    url = f"http://127.0.0.1:{bulk.receiver.port}"
    produce(broker, [{"n": n, "kind": "bad" if n % 50 == 7 else "good"} for n in range(1000)])
    sink = f"elasticsearch: {{url: '{url}', index: rows, on_error: drop, batch: {{rows: 100, linger: 100ms}}}}"
    process = pipeline(tmp_path, broker, sink).start()
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 0.8))
            process.kill()
            process.start()
        wanted = {n for n in range(1000) if n % 50 != 7}
        wait_until(lambda: {document["n"] for document in bulk.documents.values()} == wanted, 180, "all documents")
        assert process.stop() == 0, process.tail()
    finally:
        process.kill()
        bulk.receiver.stop()
    assert bulk.problems == [] and file.exists()
    assert len(bulk.documents) == len(wanted)
    for (index, name), document in bulk.documents.items():
        assert (index, name) == ("rows", f"rows-{document['kafka_partition']}-{document['kafka_offset']}")
