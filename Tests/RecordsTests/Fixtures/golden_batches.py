"""Writes python.txt: record batches as kafka-python makes them. See README.md."""

import random

from kafka.record.default_records import DefaultRecordBatchBuilder

TIME = 1_763_856_000_000
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def hexed(value):
    return "null" if value is None else value.hex() or "empty"


for number, codec in enumerate(CODECS):
    generator = random.Random(number)
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=number, is_transactional=0, producer_id=9000 + number, producer_epoch=1,
        base_sequence=7, batch_size=1 << 20)
    records = []
    for offset in range(30):
        key = None if offset % 7 == 3 else f"web{offset % 3}/access.log".encode()
        value = f"line {generator.randrange(10**6)} ".encode() * (1 + offset % 4)
        headers = [("format", b"nginx")] if offset % 5 == 0 else []
        timestamp = TIME + generator.randrange(-1000, 1000)
        assert builder.append(offset, timestamp=timestamp, key=key, value=value, headers=headers)
        records.append((offset, timestamp, key, value, headers))
    print("batches", codec, bytes(builder.build()).hex())
    newest = max(record[1] for record in records)
    print("batch", 0, 29, 0, codec, "CreateTime", newest, 9000 + number, 1, 7, 36, "false", "false", 30)
    for offset, timestamp, key, value, headers in records:
        print("record", offset, timestamp, hexed(key), hexed(value),
              *(f"{name.encode().hex()}={hexed(value)}" for name, value in headers))
