import Base
import Events
import Exports
import KafkaClient
import Records

/// One partition's dead letters as a sink: each record that a step fails on, once, whatever is killed.
///
/// It has a position of its own, which is written in one transaction with the letters. Rows pass it by.
final class DeadLetterSink: PartitionSink {
    /// How long a position without dead letters is left unwritten: it only tells lag, and keeps the group's offset from expiring.
    static let progressInterval = Duration.seconds(300)

    private let log: any ProgressLog
    private let settings: DeadLetterSettings
    private let partition: TopicPartition
    private let pipeline: String
    private let time: any TimeSource
    private var waiting: [NewRecord] = []
    private var waitingBytes = 0
    private var waitingSince: Instant?
    /// Everything below was looked at.
    private var seen: (offset: Offset, leaderEpoch: LeaderEpoch)?
    private var written: Offset?
    private var writtenAt: Instant
    private(set) var committed: (offset: Offset, leaderEpoch: LeaderEpoch)?

    init(
        log: any ProgressLog, settings: DeadLetterSettings, partition: TopicPartition, pipeline: String,
        time: any TimeSource
    ) {
        self.log = log
        self.settings = settings
        self.partition = partition
        self.pipeline = pipeline
        self.time = time
        writtenAt = time.now
    }

    var position: Offset { seen?.offset ?? .zero }
    var leaderEpoch: LeaderEpoch { seen?.leaderEpoch ?? .none }
    var wantsFlush: Bool { waitingBytes >= settings.batchBytes.bytes }

    /// The group never commits beyond what this sink made safe: where its own position is gone or older, the group's holds.
    func start(committed: Offset?) async throws -> Offset? {
        written = try await log.takeOver()?.offset
        guard let start = [written, committed].compactMap(\.self).max() else { return nil }
        seen = (start, .none)
        self.committed = seen
        return start
    }

    func append(_ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp) {}

    /// A record at or above `position` that a step failed on.
    func append(_ record: Record, failure: StepFailure) throws {
        let letter = try DeadLetter.record(
            of: record, from: partition, pipeline: pipeline, failure: failure, now: time.wallTime)
        waiting.append(letter)
        waitingBytes += letter.byteCount
        if waitingSince == nil { waitingSince = time.now }
        seen = (record.offset + 1, leaderEpoch)
    }

    func flush() async throws {
        guard let seen else { return }
        try await log.write(waiting, Progress(offset: seen.offset), leaderEpoch: seen.leaderEpoch)
        waiting.removeAll(keepingCapacity: true)
        waitingBytes = 0
        waitingSince = nil
        written = seen.offset
        writtenAt = time.now
        committed = seen
    }

    func advance(to offset: Offset, leaderEpoch: LeaderEpoch, records: Int64, sources: SourceTally) async throws {
        seen = (offset, leaderEpoch)
        if waiting.isEmpty { committed = seen }
        try await tick()
    }

    func tick() async throws {
        let now = time.now
        if wantsFlush || waitingSince.map({ now - $0 >= settings.linger }) == true { return try await flush() }
        if waiting.isEmpty, let seen, written.map({ $0 < seen.offset }) ?? true,
            now - writtenAt >= Self.progressInterval
        {
            try await flush()
        }
    }

    func stop() async throws { if !waiting.isEmpty { try await flush() } }

    func abandon() async {}

    func offsetOutOfRange() async throws {}
}
