import Base
import Events
import Exports
import Synchronization
import Telemetry

/// A partition's way into a table: `PartitionExport` as a sink.
final class ExportSink<Store: ExportStore>: PartitionSink {
    private let export: PartitionExport<Store>
    private let settled: Settled

    init(
        chain: ChainID, settings: ExportSettings, store: Store,
        log: @escaping @Sendable (LeaderEpoch) async throws -> LogRange, time: any TimeSource,
        memory: ExportMemory? = nil, telemetry: Telemetry
    ) {
        let settled = Settled()
        self.settled = settled
        export = PartitionExport(
            chain: chain, attempt: .random(), settings: settings, store: store,
            source: PartitionExport.Source(
                log: log, storeGroupOffset: { offset, epoch in settled.offset.withLock { $0 = (offset, epoch) } }),
            time: time, memory: memory, telemetry: telemetry)
    }

    var attempt: AttemptID? { export.attempt }
    var position: Offset { export.position ?? .zero }
    var leaderEpoch: LeaderEpoch { export.leaderEpoch }
    var wantsFlush: Bool { export.wantsFlush }
    var committed: (offset: Offset, leaderEpoch: LeaderEpoch)? { settled.offset.withLock { $0 } }

    /// The chain decides, not the group.
    func start(committed: Offset?) async throws -> Offset? { try await export.start() }

    func append(_ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp) {
        export.append(row, time: time ?? timestamp, offset: offset, timestamp: timestamp)
    }

    func flush() async throws { try await export.flush() }

    func advance(to offset: Offset, leaderEpoch: LeaderEpoch, records: Int64, sources: SourceTally) async throws {
        try await export.advance(to: offset, leaderEpoch: leaderEpoch, records: records, sources: sources)
    }

    func tick() async throws { try await export.tick() }

    func stop() async throws {
        do { try await export.stop() } catch {
            // An attempt that is over already has nothing left to commit.
            if error.code != .stopped { throw error }
        }
    }

    func abandon() async { await export.abandon() }
    func offsetOutOfRange() async throws { try await export.offsetOutOfRange() }
}

/// What an export reports as committed.
private final class Settled: Sendable {
    let offset = Mutex<(offset: Offset, leaderEpoch: LeaderEpoch)?>(nil)
}
