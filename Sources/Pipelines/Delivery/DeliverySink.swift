import Base
import Events
import Exports
import Telemetry

/// One partition's rows to a target, in batches, again and again while it doesn't take them.
///
/// While a target fails the sink says that it is blocked: the partition is not read on, and other sinks and partitions do their work. So what waits in
/// memory is a batch and the rest of what had been fetched by then.
final class DeliverySink: PartitionSink {
    /// For facts and metrics.
    struct Name: Sendable {
        var pipeline: String
        /// Where it delivers to, without secrets.
        var sink: String
        var partition: TopicPartition
    }

    /// How long a position without rows is left untold: it only tells lag, and keeps what remembers it from forgetting.
    static let progressInterval = Duration.seconds(300)

    private let target: any DeliveryTarget
    private let settings: DeliverySettings
    private let gate: DeliveryGate
    private let name: Name
    private let time: any TimeSource
    private let telemetry: Telemetry
    /// Full ones, and the one that is being filled.
    private var batches: [DeliveryBatch] = [DeliveryBatch()]
    private var waitingSince: Instant?
    /// Everything below was appended or filtered out.
    private var seen: (offset: Offset, leaderEpoch: LeaderEpoch)?
    private(set) var committed: (offset: Offset, leaderEpoch: LeaderEpoch)?
    /// What a target that keeps positions was told last.
    private var told: (offset: Offset, at: Instant)

    init(
        target: any DeliveryTarget, settings: DeliverySettings, gate: DeliveryGate, name: Name, time: any TimeSource,
        telemetry: Telemetry
    ) {
        self.target = target
        self.settings = settings
        self.gate = gate
        self.name = name
        self.time = time
        self.telemetry = telemetry
        told = (.zero, time.now)
    }

    var position: Offset { seen?.offset ?? .zero }
    var leaderEpoch: LeaderEpoch { seen?.leaderEpoch ?? .none }

    var blockedBy: String? {
        guard !isEmpty, let reason = gate.reason else { return nil }
        return "\(name.sink): \(reason)"
    }

    /// While the target fails, more rows are taken without it.
    var wantsFlush: Bool { batches.count > 1 && gate.reason == nil }

    func start(committed: Offset?) async throws -> Offset? {
        // One that keeps no position isn't asked anything here.
        guard !target.keepsPosition || gate.isOpen(now: time.now) else {
            throw DeliveryFailure(.passing, gate.reason ?? "")
        }
        let found: Offset?
        do { found = try await target.takeOver(committed: committed) } catch let failure as DeliveryFailure
            where failure.kind == .passing
        {
            failed(failure)
            throw failure
        }
        if target.keepsPosition { worked() }
        guard let start = found else { return nil }
        seen = (start, .none)
        self.committed = seen
        told = (start, time.now)
        return start
    }

    func append(_ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp) {
        if waitingSince == nil { waitingSince = self.time.now }
        let last = batches.count - 1
        target.encode(row, time: time, offset: offset, timestamp: timestamp, into: &batches[last])
        if batches[last].rows.count >= settings.rowsMax || batches[last].bytes.count >= settings.bytesMax.bytes {
            batches.append(DeliveryBatch())
        }
    }

    func flush() async throws { try await deliver(all: false) }

    func advance(to offset: Offset, leaderEpoch: LeaderEpoch, records: Int64, sources: SourceTally) async throws {
        seen = (offset, leaderEpoch)
        if isEmpty { committed = seen }
        try await tick()
    }

    func tick() async throws {
        let isDue = waitingSince.map { time.now - $0 >= settings.linger } ?? false
        try await deliver(all: isDue)
        if target.keepsPosition, isEmpty, position > told.offset, time.now - told.at >= Self.progressInterval {
            _ = try await deliverFirst()
        }
    }

    /// What isn't taken then is read again by the next owner.
    func stop() async throws {
        try await deliver(all: true)
        if let blockedBy { throw DeliveryFailure(.passing, blockedBy) }
    }

    func abandon() async {}

    func offsetOutOfRange() async throws {
        throw PipelineError(
            "\(name.partition): the next offset is gone from the log: records were deleted before they were delivered to \(name.sink). "
                + "Nothing is skipped silently; \(target.resetAdvice)")
    }

    // MARK: - Delivering

    private var isEmpty: Bool { batches.count == 1 && batches[0].isEmpty }

    /// - Parameter all: the batch that isn't full, too.
    private func deliver(all: Bool) async throws {
        while batches.count > 1 || (all && !batches[0].isEmpty) {
            guard try await deliverFirst() else { return }
        }
        if isEmpty { waitingSince = nil }
    }

    /// False where the target doesn't take it now.
    private func deliverFirst() async throws -> Bool {
        guard gate.isOpen(now: time.now) else { return false }
        // What was filtered out behind the last row is done with it, where nothing else waits.
        var position = (offset: Offset.zero, leaderEpoch: LeaderEpoch.none)
        if let last = batches[0].rows.last { position.offset = last.offset + 1 }
        if batches.count == 1, let seen, seen.offset > position.offset { position = seen }
        let count = batches[0].rows.count
        do {
            let refused = try await target.deliver(
                &batches[0], position: position.offset, leaderEpoch: position.leaderEpoch)
            if count > refused { telemetry.emit(RowsDelivered(name: name, count: count - refused)) }
            if refused > 0 { telemetry.emit(RowsRefused(name: name, count: refused, below: position.offset)) }
        } catch let failure as DeliveryFailure where failure.kind == .passing {
            failed(failure)
            return false
        }
        worked()
        batches.removeFirst()
        if batches.isEmpty { batches = [DeliveryBatch()] }
        committed = position
        told = (position.offset, time.now)
        waitingSince = time.now
        return true
    }

    private func failed(_ failure: DeliveryFailure) {
        let isFirst = gate.failed(failure, now: time.now)
        telemetry.emit(DeliveryFailed(name: name, isFirst: isFirst, reason: failure.description))
    }

    private func worked() {
        let tries = gate.worked()
        if tries > 0 { telemetry.emit(Note("\(name.pipeline): \(name.sink) takes rows again, after \(tries) tries")) }
    }
}
