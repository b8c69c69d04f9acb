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

    private enum State {
        case working
        case failing(until: Instant, tries: Int, reason: String)
    }

    /// How long a position without rows is left untold: it only tells lag, and keeps what remembers it from forgetting.
    static let progressInterval = Duration.seconds(300)

    private let target: any DeliveryTarget
    private let settings: DeliverySettings
    private let name: Name
    private let time: any TimeSource
    private let telemetry: Telemetry
    private var state = State.working
    /// Full ones, and the one that is being filled.
    private var batches: [DeliveryBatch] = [DeliveryBatch()]
    private var waitingSince: Instant?
    /// Everything below was appended or filtered out.
    private var seen: (offset: Offset, leaderEpoch: LeaderEpoch)?
    private(set) var committed: (offset: Offset, leaderEpoch: LeaderEpoch)?
    /// What a target that keeps positions was told last.
    private var told: (offset: Offset, at: Instant)

    init(
        target: any DeliveryTarget, settings: DeliverySettings, name: Name, time: any TimeSource, telemetry: Telemetry
    ) {
        self.target = target
        self.settings = settings
        self.name = name
        self.time = time
        self.telemetry = telemetry
        told = (.zero, time.now)
    }

    var position: Offset { seen?.offset ?? .zero }
    var leaderEpoch: LeaderEpoch { seen?.leaderEpoch ?? .none }

    var blockedBy: String? {
        if case .failing(_, _, let reason) = state { return "\(name.sink): \(reason)" }
        return nil
    }

    /// While the target fails, more rows are taken without it.
    var wantsFlush: Bool { blockedBy == nil && batches.count > 1 }

    func start(committed: Offset?) async throws -> Offset? {
        guard let start = try await target.takeOver(committed: committed) else { return nil }
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
        if case .failing(let until, _, _) = state, time.now < until { return }
        let isDue = waitingSince.map { time.now - $0 >= settings.linger } ?? false
        try await deliver(all: isDue)
        if target.keepsPosition, isEmpty, position > told.offset, time.now - told.at >= Self.progressInterval {
            _ = try await deliverFirst()
        }
    }

    /// One try more; what isn't taken then is read again by the next owner.
    func stop() async throws {
        if case .failing = state { state = .working }
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
        if case .failing(_, let tries, _) = state {
            telemetry.emit(
                Note("\(name.pipeline): \(name.sink) takes \(name.partition)'s rows again, after \(tries) tries"))
        }
        state = .working
        batches.removeFirst()
        if batches.isEmpty { batches = [DeliveryBatch()] }
        committed = position
        told = (position.offset, time.now)
        waitingSince = time.now
        return true
    }

    private func failed(_ failure: DeliveryFailure) {
        var tries = 0
        if case .failing(_, let before, _) = state { tries = before }
        let pause = failure.pause ?? min(DeliverySettings.pause * (1 << min(tries, 7)), DeliverySettings.pauseMax)
        state = .failing(
            until: time.now + min(pause, DeliverySettings.pauseMax), tries: tries + 1, reason: failure.description)
        telemetry.emit(DeliveryFailed(name: name, isFirst: tries == 0, reason: failure.description))
    }
}
