"""Reads the files of a Kafka log, written from the format's public description alone: nothing here knows Millrace."""

import gzip
import struct

POLYNOMIAL = 0x82F63B78
TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        assert 0 <= count <= len(self.data) - self.at, "more was promised than there is"
        self.at += count
        return self.data[self.at - count : self.at]

    def varint(self):
        number = shift = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number >> 1 ^ -(number & 1)

    def optional(self):
        length = self.varint()
        return None if length < 0 else bytes(self.take(length))


def records(batch):
    """(offset, timestamp, key, value) of each record; for batches that are not compressed, or with gzip."""
    payload = batch["payload"]
    codec = batch["attributes"] & 7
    assert codec in (0, 1), f"codec {codec} is beyond this reader"
    cursor = Cursor(gzip.decompress(payload) if codec == 1 else payload)
    for _ in range(batch["count"]):
        length = cursor.varint()
        end = cursor.at + length
        cursor.take(1)
        timestamp = batch["base_timestamp"] + cursor.varint()
        offset = batch["base_offset"] + cursor.varint()
        key, value = cursor.optional(), cursor.optional()
        for _ in range(cursor.varint()):
            cursor.optional(), cursor.optional()
        assert cursor.at == end, "a record's length is not what it holds"
        yield offset, timestamp, key, value
    assert cursor.at == len(cursor.data), "bytes behind the last record"


def segment(path):
    """Each batch of a .log file, its CRC checked."""
    data = path.read_bytes()
    at = 0
    while at < len(data):
        base_offset, length, epoch, magic, crc = struct.unpack_from(">qiibI", data, at)
        assert magic == 2
        body = data[at + 21 : at + 12 + length]
        assert len(body) == length - 9 and crc32c(body) == crc, f"batch at byte {at}"
        attributes, delta, first, youngest, producer, producer_epoch, sequence, count = struct.unpack_from(">hiqqqhii", body)
        yield {
            "position": at, "base_offset": base_offset, "last_offset": base_offset + delta, "leader_epoch": epoch,
            "attributes": attributes, "base_timestamp": first, "max_timestamp": youngest, "producer_id": producer,
            "producer_epoch": producer_epoch, "base_sequence": sequence, "count": count, "payload": body[40:],
        }
        at += 12 + length


def offset_index(path):
    """(offset, position) of each entry: positions of batches, by their last offsets."""
    base = int(path.name[:20])
    return [(base + offset, position) for offset, position in struct.iter_unpack(">II", path.read_bytes())]


def time_index(path):
    """(timestamp, offset) of each entry."""
    base = int(path.name[:20])
    return [(timestamp, base + offset) for timestamp, offset in struct.iter_unpack(">qI", path.read_bytes())]


def snapshot(path):
    """The producers of a .snapshot, version 1."""
    data = path.read_bytes()
    version, crc, count = struct.unpack_from(">hIi", data)
    assert version == 1 and crc32c(data[6:]) == crc
    names = "producer_id epoch last_sequence last_offset offset_delta timestamp coordinator_epoch transaction_start".split()
    return [dict(zip(names, struct.unpack_from(">qhiqiqiq", data, 10 + number * 46))) for number in range(count)]


def checkpoint(path):
    """The entries of a checkpoint file: lists of words."""
    version, count, *lines = path.read_text().splitlines()
    assert version == "0" and int(count) == len(lines)
    return [line.split(" ") for line in lines]


def topic_id(path):
    lines = dict(line.split(": ") for line in path.read_text().splitlines())
    assert lines["version"] == "0"
    return lines["topic_id"]
