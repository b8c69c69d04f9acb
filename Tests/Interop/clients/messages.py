"""What every client writes and must read back."""

COUNT = 20_000
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def key(number):
    return b"source-%d" % (number % 7)


def value(number):
    return b'127.0.0.1 - - [22/Nov/2026:07:00:01 +0000] "GET /item/%d HTTP/1.1" 200 %d "-" "curl"' % (number, number * 31)


def expected(count=COUNT):
    return [(number, key(number), value(number)) for number in range(count)]


def check(read, count=COUNT):
    """`read` is a list of (offset, key, value) of one partition."""
    assert len(read) == count
    for found, wanted in zip(read, expected(count)):
        assert found == wanted
