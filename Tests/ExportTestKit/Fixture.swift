public import Base
public import Exports

/// Names that tests of exports share.
public enum Fixture {
    public static let chain = ChainID(
        pipeline: "nginx-to-jsonl", table: "nginx", topic: "nginx.access",
        topicID: KafkaUUID(high: 0x0123_4567_89ab_4def, low: 0x8123_4567_89ab_cdef), partition: 3)
    public static let attempt = KafkaUUID(high: 0x1111_1111_1111_4111, low: 0x8111_1111_1111_1111)
    public static let other = KafkaUUID(high: 0x2222_2222_2222_4222, low: 0x8222_2222_2222_2222)

    public static func record(
        _ index: Int64, _ kind: CommitRecord.Kind, _ from: Int64, _ to: Int64, by attempt: AttemptID = attempt,
        lastCommit: Int64 = -1, files: [CommitRecord.File] = []
    ) -> CommitRecord {
        CommitRecord(
            chain: chain, index: index, attempt: attempt, kind: kind, from: Offset(from), to: Offset(to),
            leaderEpoch: LeaderEpoch(7), lastCommitIndex: lastCommit, recordCount: to - from, files: files,
            madeAt: Timestamp(milliseconds: 1_795_330_801_000))
    }

    public static let file = CommitRecord.File(
        stagedName: "0.json.gz", finalPath: "dt=2026-11-22/hour=07/part-x.json.gz", length: 1234, rows: 10,
        crc32c: 0x00ab_cdef)
}
