import java.io.File;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.record.FileRecords;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;

/** Reads segment files by Apache Kafka's own reader; a line for each batch ("batch") and each record ("record"), with tabs between the fields. */
public class ReadSegments {
    private static String text(ByteBuffer bytes) {
        return bytes == null ? "-" : StandardCharsets.UTF_8.decode(bytes).toString();
    }

    public static void main(String[] paths) throws Exception {
        StringBuilder out = new StringBuilder();
        for (String path : paths) {
            try (FileRecords records = FileRecords.open(new File(path), false)) {
                int bytes = 0;
                for (RecordBatch batch : records.batches()) {
                    batch.ensureValid();
                    bytes += batch.sizeInBytes();
                    out.append("batch\t").append(batch.baseOffset()).append('\t').append(batch.lastOffset()).append('\t')
                        .append(batch.partitionLeaderEpoch()).append('\t').append(batch.producerId()).append('\t')
                        .append(batch.producerEpoch()).append('\t').append(batch.baseSequence()).append('\t')
                        .append(batch.compressionType().name).append('\n');
                    for (Record record : batch) {
                        out.append("record\t").append(record.offset()).append('\t').append(record.timestamp()).append('\t')
                            .append(text(record.key())).append('\t').append(text(record.value())).append('\n');
                    }
                }
                if (bytes != new File(path).length()) throw new Exception(path + ": " + bytes + " bytes are batches");
            }
        }
        System.out.print(out);
    }
}
