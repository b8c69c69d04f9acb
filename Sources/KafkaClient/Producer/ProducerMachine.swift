import Base

/// What a producer may take and how long it waits.
public struct ProducerSettings: Sendable, Equatable {
    /// Batches on the wire per partition: never more than a broker remembers (five, KIP-98).
    public var inFlightMax = 5
    /// Bytes on the wire over all partitions; one batch is always let through.
    public var inFlightBytesMax = ByteCount.mib(8)
    /// Pause after a failure, doubling up to `backoffMax`.
    public var backoff = Duration.milliseconds(100)
    public var backoffMax = Duration.seconds(10)
    /// Pause before a batch that needs a person's help is tried again.
    public var holdPause = Duration.seconds(30)
    /// How often a quiet partition is asked whether it still holds what it acknowledged.
    public var inspectionInterval = Duration.seconds(60)
    /// An acknowledged batch of this age or less must not be unknown to the broker: if it is, look.
    public var memoryTrusted = Duration.seconds(3600)
    /// After so long a silence the next batch is read back, as the first of a run is: a clone may have used our sequences meanwhile.
    public var readBackAfter = Duration.seconds(60)
    /// How much of a partition a reconciliation may read.
    public var scanBytesMax = ByteCount.mib(256)
    public var ambiguous = AmbiguityPolicy.repeat

    public init() {}
}

/// Decides what is sent when, and what an answer means: exactly-once for batches that were sealed under a producer identity and stand
/// in an intent log. No I/O, no clock: what happened comes in with the time, what to do goes out.
///
/// Per partition (a *lane*) at most five batches are in flight, in strict order. Where any of them fails, the lane lets the others come
/// back before it sends again, from the oldest on: the same bytes, so that the broker knows what it has. After a silence (lost
/// connection, restart) the lane first asks the broker for the last sequence that it holds. Where the broker has forgotten, the lane
/// looks through the log itself, from the last acknowledged offset on, comparing CRCs; then it begins a new epoch for what is missing.
///
/// Sources: KIP-98 (sequences), KIP-360 (epochs begun by the client), KIP-664 (DescribeProducers).
public struct ProducerMachine: Sendable {
    public let settings: ProducerSettings
    var lanes: [TopicPartition: PartitionLane] = [:]
    /// What new partitions begin with; nil until the broker gave one.
    public private(set) var identity: ProducerIdentity?
    private var lastIdentity = ProducerIdentity.none
    private var isObtaining = false
    private var obtainAgainAt: Instant?
    private var obtainFailures = 0
    private var inFlightBytes = 0

    /// - Parameter identity: the one that the state directory holds; nil where there is none or it must not be used again.
    ///   Then every partition resolves what it has under its old identity and goes on under a new one.
    public init(settings: ProducerSettings, identity: ProducerIdentity?, recovered: [PartitionSnapshot]) {
        precondition((1...5).contains(settings.inFlightMax), "a broker remembers five batches")
        self.settings = settings
        self.identity = identity
        for snapshot in recovered {
            var lane = PartitionLane(recovered: snapshot)
            lane.mustRenew = identity == nil
            lanes[snapshot.partition] = lane
            lastIdentity = snapshot.identity
        }
        if let identity { lastIdentity = identity }
    }

    /// Asks for what has to be known before anything is sent.
    public mutating func start(now: Instant) -> [ProducerAction] {
        var actions: [ProducerAction] = []
        if identity == nil { obtainProducerID(&actions) }
        for partition in lanes.keys.sorted() {
            actions += withLane(partition, now) { lane, context in
                // Also where nothing is left to send: what the broker lost while we were away is to be counted.
                if lane.hasBatches || lane.mustRenew || lane.floor != .none { lane.inspect(&context) }
            }
        }
        return actions
    }

    /// The identity and sequence of the next batch for the partition, which has to be sealed with them and put in the log. Nil while no
    /// producer id is known: seal nothing.
    public mutating func reserve(
        _ partition: TopicPartition, recordCount: Int32
    ) -> (identity: ProducerIdentity, baseSequence: Int32)? {
        precondition(recordCount > 0)
        if lanes[partition] == nil {
            guard let identity else { return nil }
            lanes[partition] = PartitionLane(partition: partition, identity: identity)
        }
        return lanes[partition]!.reserve(recordCount: recordCount)
    }

    /// Whether `reserve` would give a sequence for a partition that was never used.
    public var canReserve: Bool { identity != nil }

    /// Batches that stand durably in the log, in the order of their seals.
    public mutating func sealed(_ batches: [SealedBatch], now: Instant) -> [ProducerAction] {
        var actions: [ProducerAction] = []
        for batch in batches {
            actions += withLane(batch.partition, now) { lane, context in lane.sealed(batch, &context) }
        }
        return actions
    }

    /// What became of a request. An answer that nobody waits for (a second one) changes nothing.
    public mutating func answered(_ answer: ProducerAnswer, now: Instant) -> [ProducerAction] {
        switch answer {
        case .produced(let id, let partition, let outcome):
            var actions = withLane(partition, now) { lane, context in lane.produced(id, outcome, &context) }
            for other in lanes.keys where other != partition && lanes[other]!.isStarved {
                actions += withLane(other, now) { lane, context in lane.fill(&context) }
            }
            return actions
        case .inspected(let partition, let number, let outcome):
            return withLane(partition, now) { lane, context in
                if number == lane.requestNumber { lane.inspected(outcome, &context) }
            }
        case .scanned(let partition, let number, let outcome):
            return withLane(partition, now) { lane, context in
                if number == lane.requestNumber { lane.scanned(outcome, &context) }
            }
        case .producerIDObtained(let new):
            guard isObtaining else { return [] }
            isObtaining = false
            obtainFailures = 0
            var actions: [ProducerAction] = [
                .recordProducerID(new), .report(.producerIDChanged(from: lastIdentity, to: new)),
            ]
            identity = new
            lastIdentity = new
            for partition in lanes.keys.sorted() {
                actions += withLane(partition, now) { lane, context in lane.producerIDObtained(&context) }
            }
            return actions
        case .producerIDFailed(let reason):
            guard isObtaining else { return [] }
            isObtaining = false
            obtainFailures += 1
            obtainAgainAt = now + backoff(settings, failures: obtainFailures)
            return [.report(.producerIDUnavailable(reason: reason))]
        }
    }

    /// The stored bytes of a batch that was to be sent can't be read.
    public mutating func intentUnreadable(
        _ id: BatchID, in partition: TopicPartition, reason: String, now: Instant
    ) -> [ProducerAction] {
        withLane(partition, now) { lane, context in lane.intentUnreadable(id, reason: reason, &context) }
    }

    /// What became of a batch that was to be divided.
    public mutating func divided(
        _ id: BatchID, in partition: TopicPartition, _ division: BatchDivision, _ refusal: BatchRefusal, now: Instant
    ) -> [ProducerAction] {
        withLane(partition, now) { lane, context in lane.divided(id, division, refusal, &context) }
    }

    /// The log reused the space of acknowledged batches up to this one.
    public mutating func freed(through id: BatchID) {
        for partition in lanes.keys { lanes[partition]!.freed(through: id) }
    }

    /// Time passed; see `nextDeadline`.
    public mutating func tick(now: Instant) -> [ProducerAction] {
        var actions: [ProducerAction] = []
        if let at = obtainAgainAt, at <= now {
            obtainAgainAt = nil
            obtainProducerID(&actions)
        }
        for partition in lanes.keys.sorted() where lanes[partition]!.deadline(settings).map({ $0 <= now }) ?? false {
            actions += withLane(partition, now) { lane, context in lane.tick(&context) }
        }
        return actions
    }

    /// When `tick` has something to do next.
    public var nextDeadline: Instant {
        var deadline = obtainAgainAt ?? .distantFuture
        for lane in lanes.values {
            if let until = lane.deadline(settings), until < deadline { deadline = until }
        }
        return deadline
    }

    /// Where so many bytes wait in partitions whose batches are being acknowledged: until when it is better to wait for that than to seal
    /// more. A partition that made no progress for `patience` isn't waited for. Nil where less waits.
    public func crowdedUntil(bytes: Int, patience: Duration, now: Instant) -> Instant? {
        var waiting = 0
        var until = Instant.zero
        for lane in lanes.values where lane.state == .open && !lane.pending.isEmpty {
            guard lane.progressAt + patience > now else { continue }
            until = max(until, lane.progressAt + patience)
            for pending in lane.pending {
                waiting += pending.batch.byteCount
                if waiting >= bytes { return until }
            }
        }
        return nil
    }

    /// Bytes that wait for acknowledgements, by topic.
    public var waitingBytes: [String: Int] {
        lanes.values.reduce(into: [:]) { waiting, lane in
            guard !lane.pending.isEmpty else { return }
            waiting[lane.partition.topic, default: 0] += lane.pending.reduce(0) { $0 + $1.batch.byteCount }
        }
    }

    /// Topics with a partition that takes nothing, though others took something for `patience` since it last did: it isn't the cluster that can't
    /// be reached.
    public func stuckTopics(patience: Duration) -> Set<String> {
        guard let last = lanes.values.compactMap(\.acknowledgedAt).max() else { return [] }
        return lanes.values.reduce(into: []) { stuck, lane in
            if !lane.pending.isEmpty, lane.progressAt + patience <= last { stuck.insert(lane.partition.topic) }
        }
    }

    /// Batches that were sealed and are not acknowledged.
    public var pendingCount: Int { lanes.values.reduce(0) { $0 + $1.pending.count } }

    public var hasInFlight: Bool { inFlightBytes > 0 }

    public var inFlightCount: Int { lanes.values.reduce(0) { $0 + $1.inFlightCount } }

    /// What an operator sees of each partition.
    public var states: [(partition: TopicPartition, state: String, pending: Int, floor: Offset)] {
        lanes.values.sorted { $0.partition < $1.partition }
            .map { ($0.partition, $0.stateName, $0.pending.count, $0.floor) }
    }

    // MARK: -

    private mutating func withLane(
        _ partition: TopicPartition, _ now: Instant, _ body: (inout PartitionLane, inout LaneContext) -> Void
    ) -> [ProducerAction] {
        guard lanes[partition] != nil else { return [] }
        var context = LaneContext(settings: settings, identity: identity, now: now, inFlightBytes: inFlightBytes)
        body(&lanes[partition]!, &context)
        inFlightBytes = context.inFlightBytes
        var actions = context.actions
        if let evidence = context.staleEvidence {
            actions.append(.report(.staleState(partition, evidence: evidence)))
        }
        if context.wantsProducerID { actions += renewAll(now) }
        return actions
    }

    /// The identity is used by somebody else, or used up: no partition goes on with it.
    private mutating func renewAll(_ now: Instant) -> [ProducerAction] {
        var actions: [ProducerAction] = []
        identity = nil
        obtainProducerID(&actions)
        for partition in lanes.keys.sorted() where !lanes[partition]!.mustRenew {
            actions += withLane(partition, now) { lane, context in lane.renewIdentity(&context) }
        }
        return actions
    }

    private mutating func obtainProducerID(_ actions: inout [ProducerAction]) {
        guard !isObtaining, obtainAgainAt == nil else { return }
        isObtaining = true
        actions.append(.obtainProducerID)
    }
}

/// What a lane may see and change of the machine around it.
struct LaneContext {
    let settings: ProducerSettings
    var identity: ProducerIdentity?
    let now: Instant
    var inFlightBytes: Int
    var actions: [ProducerAction] = []
    /// The lane can't go on under the machine's identity.
    var wantsProducerID = false
    var staleEvidence: String?

    mutating func report(_ notice: ProducerNotice) { actions.append(.report(notice)) }
}

func backoff(_ settings: ProducerSettings, failures: Int) -> Duration {
    min(settings.backoff * (1 << min(max(failures - 1, 0), 16)), settings.backoffMax)
}
