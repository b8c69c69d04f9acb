import Base
import Events
import Exports
import KafkaClient
import NIOCore
import Records

/// One assigned partition: its records through the steps into every sink, each sink from its own position on.
final class PartitionTask {
    /// What a batch of records became.
    struct Counts: Equatable {
        var rows = 0
        var filteredOut = 0
        /// Left out by `on_error: drop`.
        var dropped = 0
        var deadLetters = 0
        /// By the step that failed, the parser first.
        var failures: [Int: Int] = [:]
    }

    let partition: TopicPartition
    let topicID: TopicID
    private let steps: Steps
    /// Those of the configuration in their order, then the dead letters'.
    let sinks: [any PartitionSink]
    private let deadLetters: DeadLetterSink?
    /// By a sink's place: the routes that it takes; all where there are none.
    private let routes: [Int: Set<String>]
    private let memory = StepMemory()
    private var decompressor = Decompressor()
    private var row = Row()
    private var sources = SourceCounter()
    /// The offset that is wanted next; nil until the sinks told.
    private(set) var position: Offset?
    /// Of the record before it, where that is known.
    private var lastEpoch = LeaderEpoch.none

    static let batchBytesMax = ByteCount.mib(64)

    init(
        partition: TopicPartition, topicID: TopicID, steps: Steps, sinks: [any PartitionSink],
        routes: [Int: Set<String>] = [:], deadLetters: DeadLetterSink? = nil
    ) {
        self.routes = routes
        self.partition = partition
        self.topicID = topicID
        self.steps = steps
        self.deadLetters = deadLetters
        self.sinks = deadLetters.map { sinks + [$0] } ?? sinks
    }

    /// Takes the partition over in every sink. Where to read from, `start` says then; nil where the pipeline's own `start` decides.
    func start(committed: Offset?) async throws {
        var lowest: Offset?
        for sink in sinks {
            guard let offset = try await sink.start(committed: committed) else { continue }
            if lowest.map({ offset < $0 }) ?? true {
                lowest = offset
                lastEpoch = sink.leaderEpoch
            }
        }
        position = lowest
    }

    /// Where to read on; nil until the sinks told.
    var start: StartPosition? { position.map { .offset($0, after: lastEpoch) } }

    /// True where the data continues what was read; what lies further on came of a seek that has not taken effect yet.
    func continues(_ data: FetchedPartition) -> Bool {
        guard let position else { return true }
        return data.startOffset <= position && data.nextOffset >= position
    }

    func take(_ data: FetchedPartition) async throws -> Counts {
        var counts = Counts()
        let from = position ?? data.startOffset
        for batch in data.batches where batch.nextOffset > from {
            try await take(batch, from: from, leaderEpoch: data.leaderEpoch, &counts)
        }
        position = max(from, data.nextOffset)
        if data.leaderEpoch != .none { lastEpoch = data.leaderEpoch }
        for sink in sinks where sink.position <= data.nextOffset {
            try await sink.advance(
                to: data.nextOffset, leaderEpoch: data.leaderEpoch, records: 0, sources: SourceTally())
        }
        counts.failures = memory.takeFailures()
        return counts
    }

    private func take(
        _ batch: RecordBatch, from: Offset, leaderEpoch: LeaderEpoch, _ counts: inout Counts
    ) async throws {
        var records = try batch.records(decompressedMax: Self.batchBytesMax, using: &decompressor)
        var seen: Int64 = 0
        while let record = try records.next() {
            guard record.offset >= from else { continue }
            seen += 1
            sources.count(record)
            let hash = RecordHash.of(partition: partition.partition, offset: record.offset.rawValue)
            let value = record.value ?? ByteBuffer()
            // The row lends the record's bytes: it is used up before they go.
            let outcome = value.withUnsafeReadableBytes { bytes in
                let outcome = steps.apply(
                    to: bytes, recordHash: hash, arrival: record.timestamp, memory: memory, row: &row)
                if case .row(let time) = outcome {
                    for (place, sink) in sinks.enumerated() where record.offset >= sink.position && takes(place) {
                        sink.append(row, time: time, offset: record.offset, timestamp: record.timestamp)
                    }
                }
                return outcome
            }
            switch outcome {
            case .filteredOut: counts.filteredOut += 1
            case .dropped: counts.dropped += 1
            case .deadLetter(let failure):
                counts.deadLetters += 1
                guard let deadLetters else { preconditionFailure("a dead letter without a topic for it") }
                if record.offset >= deadLetters.position {
                    try deadLetters.append(record, failure: failure)
                    if deadLetters.wantsFlush { try await deadLetters.flush() }
                }
            case .row:
                counts.rows += 1
                for sink in sinks where sink.wantsFlush { try await sink.flush() }
            }
        }
        let tally = sources.take()
        for sink in sinks where sink.position < batch.nextOffset {
            try await sink.advance(to: batch.nextOffset, leaderEpoch: leaderEpoch, records: seen, sources: tally)
        }
    }

    /// A line that no step named, for its parser didn't know it, goes to every sink.
    private func takes(_ place: Int) -> Bool {
        guard let wanted = routes[place], let route = memory.route else { return true }
        return wanted.contains(route)
    }

    func tick() async throws { for sink in sinks { try await sink.tick() } }

    func stop() async throws { for sink in sinks { try await sink.stop() } }

    func abandon() async { for sink in sinks { await sink.abandon() } }

    func offsetOutOfRange() async throws { for sink in sinks { try await sink.offsetOutOfRange() } }

    /// Why the partition is not read on just now; nil where it is.
    var blockedBy: String? {
        for sink in sinks { if let reason = sink.blockedBy { return reason } }
        return nil
    }

    /// What the group may commit: the lowest of what the sinks made safe; nil while one of them has nothing.
    var committable: (offset: Offset, leaderEpoch: LeaderEpoch)? {
        var lowest: (offset: Offset, leaderEpoch: LeaderEpoch)?
        for sink in sinks {
            guard let committed = sink.committed else { return nil }
            if lowest.map({ committed.offset < $0.offset }) ?? true { lowest = committed }
        }
        return lowest
    }
}
