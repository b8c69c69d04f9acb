"""What other people's readers find in an export: the same rows, types and nulls in every format and codec.

One topic of JSON lines with the edges of every type goes through one pipeline into a table a format; DuckDB, pyarrow and fastavro read the
tables as they are.
"""

import csv
import gzip
import json
import subprocess

import duckdb
import fastavro
import pyarrow
import pyarrow.dataset
import pyarrow.parquet
import pytest

from support.processes import MILLRACE, Broker, Process, wait_until

COLUMNS = {"n": "int64", "ratio": "double", "name": "string", "ok": "bool", "never": "string", "path": "string"}
ARROW = {"int64": pyarrow.int64(), "double": pyarrow.float64(), "string": pyarrow.string(), "bool": pyarrow.bool_()}

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
    return [
        {
            "n": numbers[i % len(numbers)], "ratio": ratios[i % len(ratios)], "name": names[i % len(names)],
            "ok": [True, False, None][i % 3], "never": None, "path": f"/item/{i}/" + "x" * (i % 50),
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
    return root, rows


def as_sorted(rows):
    """Rows in the order of their paths, which are all different."""
    return sorted(({name: row.get(name) for name in COLUMNS} for row in rows), key=lambda row: int(row["path"].split("/")[2]))


@pytest.mark.parametrize("table", PARQUET)
def test_duckdb_reads_parquet(exported, table):
    root, rows = exported
    connection = duckdb.connect()
    source = f"read_parquet('{root}/{table}/**/*.parquet', hive_partitioning=true)"
    names = ", ".join(COLUMNS)
    found = connection.execute(f"select {names} from {source}").fetchall()
    assert as_sorted(dict(zip(COLUMNS, row)) for row in found) == as_sorted(rows)
    types = dict(row[:2] for row in connection.execute(f"describe select {names} from {source}").fetchall())
    assert types == {"n": "BIGINT", "ratio": "DOUBLE", "name": "VARCHAR", "ok": "BOOLEAN", "never": "VARCHAR", "path": "VARCHAR"}
    # What statistics let a reader skip must not be missed.
    for condition in ("n = 9223372036854775807", "n = -9223372036854775808", "ratio = 1e300", "ratio = 5e-324", "name = ''", "name = 'é😀'",
                      "path = '/item/19999/" + "x" * (19_999 % 50) + "'", "never is not null", "ok", "name is null"):
        skipping = connection.execute(f"select count(*) from {source} where {condition}").fetchone()
        reading = connection.execute(f"with t as materialized (select {names} from {source}) select count(*) from t where {condition}")
        assert skipping == reading.fetchone(), condition
    offsets = connection.execute(f"select count(*), count(distinct kafka_offset), min(kafka_offset), max(kafka_offset) from {source}").fetchone()
    assert offsets == (len(rows), len(rows), 0, len(rows) - 1)


@pytest.mark.parametrize("table", PARQUET)
def test_pyarrow_reads_parquet_with_its_types_and_statistics(exported, table):
    root, rows = exported
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
    root, rows = exported
    found = []
    for file in (root / table).rglob("*.avro"):
        with open(file, "rb") as stream:
            found += list(fastavro.reader(stream))
    assert as_sorted(found) == as_sorted(rows)


def test_csv_tells_null_from_empty(exported):
    root, rows = exported
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
    root, rows = exported
    source = f"read_json('{root}/jsonl/**/*.json.gz', format='newline_delimited', hive_partitioning=true, columns={{n: 'BIGINT', ratio: 'DOUBLE', name: 'VARCHAR', ok: 'BOOLEAN', never: 'VARCHAR', path: 'VARCHAR'}})"
    found = duckdb.connect().execute(f"select {', '.join(COLUMNS)} from {source}").fetchall()
    assert as_sorted(dict(zip(COLUMNS, row)) for row in found) == as_sorted(rows)
