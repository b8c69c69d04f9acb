"""What other people's readers find in an export: the same rows, types and nulls in every format and codec.

One topic of JSON lines with the edges of every type goes through one pipeline into a table a format; DuckDB, pyarrow, polars and fastavro read
the tables as they are, and DuckDB through the statements of `millrace export ddl`. With MILLRACE_TEST_FULL, chdb (ClickHouse) and Spark too.
"""

import csv
import datetime
import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import duckdb
import fastavro
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet
import pytest

from support.processes import MILLRACE, Broker, Process, wait_until

FULL = bool(os.environ.get("MILLRACE_TEST_FULL"))
COLUMNS = {
    "n": "int64", "small": "int32", "ratio": "double", "name": "string", "ok": "bool", "never": "string", "path": "string", "day": "date",
    "moment": "timestamp",
}
ARROW = {
    "int64": pyarrow.int64(), "int32": pyarrow.int32(), "double": pyarrow.float64(), "string": pyarrow.string(), "bool": pyarrow.bool_(),
    "date": pyarrow.date32(), "timestamp": pyarrow.timestamp("us", tz="UTC"),
}
DUCKDB = {
    "int64": "BIGINT", "int32": "INTEGER", "double": "DOUBLE", "string": "VARCHAR", "bool": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}
POLARS = {
    "int64": polars.Int64, "int32": polars.Int32, "double": polars.Float64, "string": polars.String, "bool": polars.Boolean,
    "date": polars.Date, "timestamp": polars.Datetime("us", "UTC"),
}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

PARQUET = {
    "parquet_zstd": "format: parquet, codec: zstd",
    "parquet_snappy": "format: parquet, codec: snappy",
    "parquet_gzip": "format: parquet, codec: gzip",
    "parquet_plain": "format: parquet, codec: none",
    "parquet_hadoop2": "format: parquet, compatibility: hadoop2",
}
AVRO = {"avro_deflate": "format: avro", "avro_zstd": "format: avro, codec: zstd", "avro_snappy": "format: avro, codec: snappy"}
TEXT = {"csv": "format: csv", "jsonl": "format: jsonl"}
TABLES = PARQUET | AVRO | TEXT

PIPELINE = """
pipeline: readers
from: {{topics: [rows], start: earliest}}
steps:
  - parse: {{json: {{}}}}
to:
{sinks}
"""


def source_rows():
    """Empty texts, nulls, a column of nulls alone, emoji, quotes, the ends of the numbers, and paths that no dictionary is worth."""
    names = ["", "a", None, "é😀", 'quote " comma , line\nend', "\\x back", " blank "]
    numbers = [0, -1, 2**63 - 1, -(2**63), None, 42]
    ratios = [0.0, -1.5, 1e300, None, 5e-324]
    days = ["2026-11-22", "1970-01-01", None, "1969-12-31", "2400-02-29"]
    moments = ["2026-11-22T07:00:00.123456Z", None, "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2026-11-22T09:00:00+02:00"]
    return [
        {
            "n": numbers[i % len(numbers)], "ratio": ratios[i % len(ratios)], "name": names[i % len(names)],
            "ok": [True, False, None][i % 3], "never": None, "path": f"/item/{i}/" + "x" * (i % 50),
            "small": [0, 2**31 - 1, -(2**31), None][i % 4], "day": days[i % len(days)], "moment": moments[i % len(moments)],
        }
        for i in range(20_000)
    ]


def committed(root, table):
    """Rows that the table's chain names."""
    count = 0
    for file in (root / ".millrace" / "readers" / table).rglob("*.commit"):
        record = json.loads(file.read_text().splitlines()[0])
        count += sum(part["rows"] for part in record.get("files", []))
    return count


class Export(NamedTuple):
    root: Path
    rows: list
    pipeline: Path


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    root = folder / "out"
    broker = Broker(folder).start()
    rows = source_rows()
    lines = "".join(json.dumps({name: value for name, value in row.items() if value is not None}) + "\n" for row in rows)
    subprocess.run(
        [MILLRACE, "produce", "rows", "--broker", broker.address], input=lines.encode(), check=True, capture_output=True, timeout=60
    )
    columns = ", ".join(f"{name}: {kind}" for name, kind in COLUMNS.items())
    sinks = ""
    for table, settings in TABLES.items():
        if table != "jsonl":
            settings += f", columns: {{{columns}}}"
        sinks += f'  - export: {{root: "{root}", table: {table}, partition_by: [dt], rotate: {{age: 1s}}, {settings}}}\n'
    file = folder / "pipeline.yaml"
    file.write_text(PIPELINE.format(sinks=sinks))
    command = [MILLRACE, "pipeline", "run", "--broker", broker.address, "-c", file]
    pipeline = Process("pipeline", command, folder).start()
    try:
        wait_until(
            lambda: not pipeline.is_running or all(committed(root, table) == len(rows) for table in TABLES), 90,
            "every table holds all rows",
        )
        assert pipeline.is_running, pipeline.tail()
        assert pipeline.stop() == 0, pipeline.tail()
    finally:
        pipeline.kill()
        assert broker.stop() == 0, broker.tail()
    return Export(root, rows, file)


def plain(value):
    """A value as every reader's can be compared: days as text, moments as microseconds since 1970."""
    if isinstance(value, datetime.datetime):
        value = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    return value.isoformat() if isinstance(value, datetime.date) else value


def as_sorted(rows):
    """Rows in the order of their paths, which are all different."""
    found = []
    for row in rows:
        row = {name: plain(row.get(name)) for name in COLUMNS}
        if isinstance(row["moment"], str):
            row["moment"] = plain(datetime.datetime.fromisoformat(row["moment"]))
        found.append(row)
    return sorted(found, key=lambda row: int(row["path"].split("/")[2]))


# DuckDB gives moments to Python only with a library of time zones.
DUCKDB_NAMES = ", ".join("epoch_us(moment) as moment" if name == "moment" else name for name in COLUMNS)


@pytest.mark.parametrize("table", PARQUET)
def test_duckdb_reads_parquet(exported, table):
    root, rows, _ = exported
    connection = duckdb.connect()
    source = f"read_parquet('{root}/{table}/**/*.parquet', hive_partitioning=true)"
    names = ", ".join(COLUMNS)
    found = connection.execute(f"select {DUCKDB_NAMES} from {source}").fetchall()
    assert as_sorted(dict(zip(COLUMNS, row)) for row in found) == as_sorted(rows)
    types = dict(row[:2] for row in connection.execute(f"describe select {names} from {source}").fetchall())
    wanted = {name: DUCKDB[kind] for name, kind in COLUMNS.items()}
    if table == "parquet_hadoop2":
        # The annotations of that time don't say that a moment is UTC.
        wanted["moment"] = "TIMESTAMP"
    assert types == wanted
    # What statistics let a reader skip must not be missed.
    for condition in ("n = 9223372036854775807", "n = -9223372036854775808", "ratio = 1e300", "ratio = 5e-324", "name = ''", "name = 'é😀'",
                      "path = '/item/19999/" + "x" * (19_999 % 50) + "'", "never is not null", "small = 2147483647", "small = -2147483648",
                      "day = '1969-12-31'", "day = '2400-02-29'", "epoch_us(moment) = -1", "moment = '1970-01-01 00:00:00+00'", "ok", "name is null"):
        skipping = connection.execute(f"select count(*) from {source} where {condition}").fetchone()
        reading = connection.execute(f"with t as materialized (select {names} from {source}) select count(*) from t where {condition}")
        assert skipping == reading.fetchone(), condition
    offsets = connection.execute(f"select count(*), count(distinct kafka_offset), min(kafka_offset), max(kafka_offset) from {source}").fetchone()
    assert offsets == (len(rows), len(rows), 0, len(rows) - 1)


@pytest.mark.parametrize("table", PARQUET)
def test_pyarrow_reads_parquet_with_its_types_and_statistics(exported, table):
    root, rows, _ = exported
    found = pyarrow.dataset.dataset(root / table, format="parquet", partitioning="hive").to_table(columns=list(COLUMNS))
    assert {field.name: field.type for field in found.schema} == {name: ARROW[kind] for name, kind in COLUMNS.items()}
    assert as_sorted(found.to_pylist()) == as_sorted(rows)
    nulls = 0
    for file in (root / table).rglob("*.parquet"):
        metadata = pyarrow.parquet.ParquetFile(file).metadata
        for group in range(metadata.num_row_groups):
            column = metadata.row_group(group).column(list(COLUMNS).index("name"))
            assert column.is_stats_set
            nulls += column.statistics.null_count
    assert nulls == sum(row["name"] is None for row in rows)


@pytest.mark.parametrize("table", AVRO)
def test_fastavro_reads_avro(exported, table):
    root, rows, _ = exported
    found = []
    for file in (root / table).rglob("*.avro"):
        with open(file, "rb") as stream:
            found += list(fastavro.reader(stream))
    assert as_sorted(found) == as_sorted(rows)


def test_csv_tells_null_from_empty(exported):
    root, rows, _ = exported
    source = f"read_csv('{root}/csv/**/*.csv.gz', header=true, nullstr='\\N', all_varchar=true, hive_partitioning=true)"
    count, = duckdb.connect().execute(f"select count(*) from {source}").fetchone()
    assert count == len(rows)
    found = []
    for file in (root / "csv").rglob("*.csv.gz"):
        with gzip.open(file, "rt", newline="") as stream:
            text = stream.read()
        found += list(csv.DictReader(text.splitlines(keepends=True)))
        # The csv module tells no null from an empty text; the file does.
        assert '""' in text
    wanted = as_sorted(rows)
    found = sorted(found, key=lambda row: int(row["path"].split("/")[2]))
    for row, other in zip(wanted, found, strict=True):
        assert other["name"] == (row["name"] or "") and other["n"] == ("" if row["n"] is None else str(row["n"]))
        assert (float(other["ratio"]) if other["ratio"] else None) == row["ratio"]


def test_duckdb_reads_json_lines(exported):
    root, rows, _ = exported
    types = ", ".join(f"{name}: '{DUCKDB[kind]}'" for name, kind in COLUMNS.items())
    source = f"read_json('{root}/jsonl/**/*.json.gz', format='newline_delimited', hive_partitioning=true, columns={{{types}}})"
    found = duckdb.connect().execute(f"select {DUCKDB_NAMES} from {source}").fetchall()
    assert as_sorted(dict(zip(COLUMNS, row)) for row in found) == as_sorted(rows)


@pytest.mark.parametrize("table", PARQUET)
def test_polars_reads_parquet(exported, table):
    root, rows, _ = exported
    found = polars.scan_parquet(root / table / "**" / "*.parquet", hive_partitioning=True).select(list(COLUMNS)).collect()
    wanted = {name: POLARS[kind] for name, kind in COLUMNS.items()}
    if table == "parquet_hadoop2":
        # The annotations of that time don't say that a moment is UTC.
        wanted["moment"] = polars.Datetime("us")
    assert dict(found.schema) == wanted
    assert as_sorted(found.to_dicts()) == as_sorted(rows)


def definitions(exported, engine):
    """The statements of `millrace export ddl` for all tables of a kind that the engine reads, by table."""
    found = {}
    text = exported.pipeline.read_text().splitlines()
    begin = next(number for number, line in enumerate(text) if line.startswith("  - export"))
    for table in TABLES:
        sink = next(line for line in text if f"table: {table}," in line)
        file = exported.pipeline.with_name(f"ddl-{table}.yaml")
        file.write_text("\n".join(text[:begin] + [sink]) + "\n")
        command = [MILLRACE, "export", "ddl", "-c", file, "--engine", engine]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if table == "jsonl" and engine not in ("duckdb", "spark"):
            assert result.returncode == 1 and "export parquet or avro" in result.stderr
            continue
        assert result.returncode == 0, result.stderr
        found[table] = result.stdout
    return found


def test_duckdb_takes_the_statements_printed_for_it(exported):
    connection = duckdb.connect()
    statements = definitions(exported, "duckdb")
    # Avro is read by an extension that has to be fetched.
    for table in PARQUET | TEXT:
        connection.execute(statements[table])
        # JSON lines have the columns that are seen in them.
        if table != "jsonl":
            rows = connection.execute(f"select {DUCKDB_NAMES} from {table}").fetchall()
            assert as_sorted(dict(zip(COLUMNS, row)) for row in rows) == as_sorted(exported.rows), table
        count, day = connection.execute(f"select count(*), typeof(min(dt)) from {table} where dt > '2020-01-01'").fetchone()
        assert (count, day) == (len(exported.rows), "VARCHAR"), table


def test_verify_proves_every_table_and_finds_what_was_touched(exported, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(exported.root, root)
    command = [MILLRACE, "export", "verify", root, "--output", "json"]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)
    assert report["fine"] and report["rows"] == len(exported.rows) * len(TABLES) and report["findings"] == []
    listed = subprocess.run([MILLRACE, "export", "ls", root, "--output", "json"], check=True, capture_output=True, text=True, timeout=60)
    chains = [json.loads(line) for line in listed.stdout.splitlines()]
    assert {chain["table"]: chain["rows"] for chain in chains} == {table: len(exported.rows) for table in TABLES}
    assert all((chain["from"], chain["to"], chain["lost"]) == (0, len(exported.rows), 0) for chain in chains)

    changed, removed, added = (next((root / table).rglob("part-*")) for table in ("parquet_zstd", "csv", "jsonl"))
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1
    changed.write_bytes(content)
    removed.unlink()
    shutil.copy(added, added.with_name("part-of-mine.json.gz"))
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    findings = json.loads(result.stdout)["findings"]
    assert sorted((finding["kind"], finding["table"]) for finding in findings) == [
        ("checksum", "parquet_zstd"), ("missing", "csv"), ("unknown", "jsonl"),
    ]

    nothing = subprocess.run([MILLRACE, "export", "verify", tmp_path], capture_output=True, text=True, timeout=60)
    assert nothing.returncode == 64 and "no folder .millrace" in nothing.stderr


@pytest.mark.skipif(not FULL, reason="long: ./test --full")
def test_clickhouse_takes_the_statements_printed_for_it(exported):
    import chdb.session

    session = chdb.session.Session()
    session.query("create database if not exists logs engine = Atomic")
    session.query("use logs")
    moment = "toUnixTimestamp64Micro(moment) as moment"
    names = ", ".join({"moment": moment, "day": "toString(day) as day"}.get(name, name) for name in COLUMNS)
    for table, statements in definitions(exported, "clickhouse").items():
        view = statements.split("\n", 1)[1].rstrip().rstrip(";")
        session.query(view)
        found = session.query(f"select {names} from {table} where dt > '2020-01-01' format JSONEachRow settings output_format_json_quote_64bit_integers = 0")
        rows = [json.loads(line) for line in str(found).splitlines()]
        assert as_sorted(rows) == as_sorted(exported.rows), table


@pytest.mark.skipif(not FULL, reason="long: ./test --full")
def test_spark_takes_the_statements_printed_for_it(exported, tmp_path):
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1").config("spark.sql.warehouse.dir", str(tmp_path / "warehouse"))
        .config("spark.sql.session.timeZone", "UTC").getOrCreate()
    )
    try:
        statements = definitions(exported, "spark")
        # Spark's Avro reader is a package of its own.
        for table in PARQUET | TEXT:
            for statement in "\n".join(line for line in statements[table].splitlines() if not line.startswith("--")).split(";"):
                if statement.strip():
                    spark.sql(statement)
            names = ", ".join({"moment": "unix_micros(moment) as moment"}.get(name, name) for name in COLUMNS)
            if table == "jsonl":
                assert spark.sql(f"select count(*) from {table}").collect()[0][0] == len(exported.rows)
                continue
            rows = [row.asDict() for row in spark.sql(f"select {names} from {table} where dt > '2020-01-01'").collect()]
            assert as_sorted(rows) == as_sorted(exported.rows), table
    finally:
        spark.stop()
