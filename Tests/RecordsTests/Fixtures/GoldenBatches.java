// Writes java.txt: record batches and hashes as the Java client makes them. See README.md.

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.*;
import org.apache.kafka.common.utils.Utils;

public class GoldenBatches {
    static final HexFormat HEX = HexFormat.of();
    static final long TIME = 1_763_856_000_000L;

    static byte[] utf8(String text) { return text.getBytes(StandardCharsets.UTF_8); }

    static String hex(byte[] bytes) {
        if (bytes == null) return "null";
        if (bytes.length == 0) return "empty";
        for (byte each : bytes) if (each != 0) return HEX.formatHex(bytes);
        return "zeros*" + bytes.length;
    }

    static String hex(ByteBuffer bytes) { return bytes == null ? "null" : hex(Utils.toArray(bytes.duplicate())); }

    static MemoryRecordsBuilder builder(byte magic, CompressionType codec, TimestampType type, long base, long producer,
            short epoch, int sequence, boolean transactional, int leaderEpoch) {
        return MemoryRecords.builder(ByteBuffer.allocate(1 << 16), magic, Compression.of(codec).build(), type, base,
                type == TimestampType.LOG_APPEND_TIME ? TIME + 77 : RecordBatch.NO_TIMESTAMP, producer, epoch, sequence,
                transactional, false, leaderEpoch);
    }

    static MemoryRecordsBuilder plain(CompressionType codec, TimestampType type, long base) {
        return builder(RecordBatch.MAGIC_VALUE_V2, codec, type, base, -1, (short) -1, -1, false, -1);
    }

    static void lines(MemoryRecordsBuilder builder, int count) {
        Random random = new Random(count);
        for (int i = 0; i < count; i++) {
            String line = "203.0.113." + random.nextInt(256) + " - - [23/Nov/2025:00:00:" + (10 + i % 50)
                    + " +0000] \"GET /page/" + random.nextInt(1000) + " HTTP/1.1\" 200 " + random.nextInt(100000);
            builder.append(new SimpleRecord(TIME + i, utf8("web1/var/log/nginx/access.log"), utf8(line)));
        }
    }

    /// Nulls, empties, headers, timestamps that go back, and lengths on both sides of a varint's steps.
    static void oddities(MemoryRecordsBuilder builder) {
        Header[] headers = {new RecordHeader("format", utf8("nginx")), new RecordHeader("none", null),
            new RecordHeader("", new byte[0]), new RecordHeader("grüße", utf8("ß"))};
        builder.append(new SimpleRecord(TIME, (byte[]) null, utf8("no key")));
        builder.append(new SimpleRecord(TIME - 5_000, utf8("a tombstone, five seconds earlier"), null));
        builder.append(new SimpleRecord(TIME + 9_999_999_999L, new byte[0], new byte[0]));
        builder.append(new SimpleRecord(TIME + 1, utf8("headers"), utf8("value"), headers));
        builder.append(new SimpleRecord(0, (byte[]) null, (byte[]) null));
        for (int length : new int[] {53, 54, 55, 56, 63, 64, 65, 127, 128, 8191, 8192})
            builder.append(new SimpleRecord(TIME, null, new byte[length]));
    }

    static void print(String name, MemoryRecords records) {
        System.out.println("batches " + name + " " + hex(records.buffer()));
        for (RecordBatch batch : records.batches()) {
            System.out.println("batch " + batch.baseOffset() + " " + batch.lastOffset() + " "
                    + batch.partitionLeaderEpoch() + " " + batch.compressionType().name + " " + batch.timestampType().name
                    + " " + batch.maxTimestamp() + " " + batch.producerId() + " " + batch.producerEpoch() + " "
                    + batch.baseSequence() + " " + batch.lastSequence() + " " + batch.isTransactional() + " "
                    + batch.isControlBatch() + " " + batch.countOrNull());
            for (org.apache.kafka.common.record.Record record : batch) {
                StringBuilder line = new StringBuilder("record " + record.offset() + " " + record.timestamp() + " "
                        + hex(record.key()) + " " + hex(record.value()));
                for (Header header : record.headers())
                    line.append(" ").append(hex(utf8(header.key()))).append("=").append(hex(header.value()));
                System.out.println(line);
            }
        }
    }

    static void printOld(String name, MemoryRecords records) {
        System.out.println("old " + name + " " + hex(records.buffer()));
    }

    public static void main(String[] arguments) {
        for (CompressionType codec : CompressionType.values()) {
            MemoryRecordsBuilder lines = plain(codec, TimestampType.CREATE_TIME, 0);
            lines(lines, 40);
            print("lines-" + codec.name, lines.build());
            MemoryRecordsBuilder odd = plain(codec, TimestampType.CREATE_TIME, 1_000_000_000_000L);
            oddities(odd);
            print("oddities-" + codec.name, odd.build());
        }
        MemoryRecordsBuilder appended = plain(CompressionType.NONE, TimestampType.LOG_APPEND_TIME, 5);
        lines(appended, 3);
        print("log-append-time", appended.build());

        MemoryRecordsBuilder producer = builder(RecordBatch.MAGIC_VALUE_V2, CompressionType.GZIP, TimestampType.CREATE_TIME,
                123, 4711, (short) 3, Integer.MAX_VALUE - 1, true, 9);
        lines(producer, 5);
        print("transactional-sequence-wraps", producer.build());

        print("commit", MemoryRecords.withEndTransactionMarker(77, TIME, 4, 4711, (short) 3,
                new EndTransactionMarker(ControlRecordType.COMMIT, 12)));
        print("abort", MemoryRecords.withEndTransactionMarker(78, TIME, 4, 4711, (short) 3,
                new EndTransactionMarker(ControlRecordType.ABORT, 12)));

        ByteBuffer empty = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
        DefaultRecordBatch.writeEmptyHeader(empty, RecordBatch.MAGIC_VALUE_V2, 4711, (short) 3, 10, 100, 109, 2,
                TimestampType.CREATE_TIME, TIME, false, false);
        empty.flip();
        print("empty", MemoryRecords.readableRecords(empty));

        ByteBuffer several = ByteBuffer.allocate(1 << 16);
        long base = 0;
        for (CompressionType codec : CompressionType.values()) {
            MemoryRecordsBuilder one = plain(codec, TimestampType.CREATE_TIME, base);
            lines(one, 2);
            several.put(one.build().buffer());
            base += 2;
        }
        several.flip();
        print("several", MemoryRecords.readableRecords(several));

        for (byte magic = 0; magic < 2; magic++) {
            TimestampType type = magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME;
            MemoryRecordsBuilder old = builder(magic, CompressionType.NONE, type, 0, -1, (short) -1, -1, false, -1);
            lines(old, 1);
            printOld("v" + magic, old.build());
        }

        Random random = new Random(2);
        for (int length = 0; length < 48; length++) {
            byte[] key = new byte[length];
            random.nextBytes(key);
            System.out.println("murmur2 " + hex(key) + " " + Utils.murmur2(key) + " "
                    + Utils.toPositive(Utils.murmur2(key)) % 12);
        }
    }
}
