import Base
import DequeModule

/// One partition's part of the producer machine: its batches, and where it stands with the broker.
///
/// ```
///  closed ── first batch ──▶ inspecting ──▶ open ◀──────────────┐
///                              ▲   │         │ a batch failed    │
///                              │   │         ▼                   │
///                              │   │      draining ──▶ pausing ──┤ resend
///                              └───┼──────────┴───────────┘      │
///                                  ▼ forgotten, lost, doubtful   │
///                               scanning ──▶ (new epoch) ────────┘
///                                  └──▶ awaitingProducerID ──▶ inspecting
/// ```
struct PartitionLane: Sendable {
    enum Status: Equatable, Sendable {
        case waiting
        case inFlight
        /// The broker holds a later batch, which is sent again so that its answer vouches for this one too.
        case presumed
        /// Acknowledged, yet not believed before the log was read.
        case claimed(Offset)
        /// Acknowledged before an older batch was.
        case acknowledged(Offset)
    }

    struct Pending: Sendable {
        var batch: SealedBatch
        var status = Status.waiting
        /// It may have reached the broker under its present identity.
        var maybeSent = false
        /// It may have before it was last sent.
        var wasMaybeSent = false
    }

    struct Acknowledged: Sendable {
        var batch: SealedBatch
        var offset: Offset
        /// Nil for one from an earlier run.
        var at: Instant?
        /// It stands above its successor, and that was said.
        var isRefill = false
    }

    /// What to do once nothing is in flight. A later case overrides an earlier one.
    enum FollowUp: Equatable, Sendable {
        case resend
        case inspect
        case scan(ScanPurpose)
        case renew

        var rank: Int {
            switch self {
            case .resend: 0
            case .inspect: 1
            case .scan: 2
            case .renew: 3
            }
        }
    }

    enum ScanPurpose: Equatable, Sendable {
        /// Which pending batches does the log hold? (From the last acknowledged batch on, which must be there too.)
        case pending
        /// The same of a broker that remembers our batches but can't be asked for how long: those that it doesn't hold go again as they are.
        case unasked
        /// Are the acknowledged batches of older identities there, of which no sequence tells?
        case older
        /// Which batches at all, acknowledged ones too?
        case everything
        /// Are claimed batches really ours? `isSuspicious` where the claim lay below what had been acknowledged.
        case claims(isSuspicious: Bool, then: ThenAfterClaims)
        /// Are pending batches there, before the identity is given up?
        case renewal
    }

    enum ThenAfterClaims: Equatable, Sendable { case resend, inspect, scanPending, scanEverything, renew }

    enum State: Equatable, Sendable {
        /// Nothing is known of the broker's side, nothing waits.
        case closed
        case inspecting
        case open
        case draining(FollowUp, until: Instant)
        case pausing(FollowUp, until: Instant)
        case scanning(ScanPurpose, ScanRequest)
        case awaitingProducerID
    }

    let partition: TopicPartition
    var topicID: TopicID = .zero
    var identity: ProducerIdentity
    var nextSequence: Int32 = 0
    /// Everything of ours that was acknowledged stands below; `.none` until the partition was first looked at.
    var floor: Offset = .none
    /// The log's end when it was last looked at: a new batch can't stand below it.
    var endSeen: Offset = .none
    /// Both as they were when the broker was last asked.
    var floorInspected: Offset = .none
    var endInspected: Offset = .none
    var acknowledged: Deque<Acknowledged> = []
    var pending: Deque<Pending> = []
    var state = State.closed
    var inFlightCount = 0
    var failures = 0
    /// How often the broker contradicted what it had said a moment before.
    var strikes = 0
    /// The present identity must not be used for anything new.
    var mustRenew = false
    /// The broker holds a batch of the present identity, and so refuses a gap. Until then it would take any sequence for the first: one
    /// batch at a time, or the loss of the first would be hidden by the second.
    var isKnown = false
    /// Nothing is sent until it is known what became of it.
    var dividing: BatchID?
    /// A batch was given up: what comes after it needs new sequences.
    var hasHole = false
    /// Begin a new epoch even where nothing is pending.
    var mustRebase = false
    /// The first new batch of a run is read back: a clone that ships under the same identity is found out by it.
    var readsBack = true
    var acknowledgedAt: Instant?
    var claimIsSuspicious = false
    /// So many acknowledged records are missing according to the broker's last sequence, of batches that the log let go.
    var recordsBehind: Int64?
    var hasOpened = false
    /// The broker may be another than the one that acknowledged: we were away, or the connection was.
    var isDoubtful = true
    var inspectedAt: Instant?
    /// Of the last inspection or scan: answers to earlier ones are stale.
    var requestNumber: UInt32 = 0
    /// There is something to send and no room on the wire.
    var isStarved = false
    /// When a batch was last acknowledged, or began to wait where none did.
    var progressAt = Instant.zero

    init(partition: TopicPartition, identity: ProducerIdentity) {
        self.partition = partition
        self.identity = identity
    }

    init(recovered snapshot: PartitionSnapshot) {
        partition = snapshot.partition
        topicID = snapshot.topicID
        identity = snapshot.identity
        nextSequence = snapshot.nextSequence
        floor = snapshot.floor
        hasHole = snapshot.hasHole
        for (batch, offset) in snapshot.acknowledged {
            acknowledged.append(Acknowledged(batch: batch, offset: offset, at: nil))
        }
        // A partition that was never opened has never been sent to: the opening is durable before the first send.
        for batch in snapshot.pending {
            pending.append(
                Pending(batch: batch, maybeSent: snapshot.floor != .none, wasMaybeSent: snapshot.floor != .none))
            // An epoch began when this one had been found in the log, and that wasn't written down.
            if batch.identity != identity { hasHole = true }
        }
    }

    var hasBatches: Bool { !pending.isEmpty || !acknowledged.isEmpty }

    var stateName: String {
        switch state {
        case .closed: "closed"
        case .inspecting: "inspecting"
        case .open: "open"
        case .draining: "draining"
        case .pausing: "pausing"
        case .scanning: "scanning"
        case .awaitingProducerID: "awaiting producer id"
        }
    }

    mutating func reserve(recordCount: Int32) -> (identity: ProducerIdentity, baseSequence: Int32) {
        let base = nextSequence
        nextSequence = Sequence32.advance(base, by: recordCount)
        return (identity, base)
    }

    mutating func sealed(_ batch: SealedBatch, _ context: inout LaneContext) {
        precondition(pending.last.map { $0.batch.id < batch.id } ?? true, "batch \(batch.id) came out of order")
        if pending.isEmpty { progressAt = context.now }
        pending.append(Pending(batch: batch))
        switch state {
        case .closed: inspect(&context)
        case .open: fill(&context)
        case .inspecting, .draining, .pausing, .scanning, .awaitingProducerID: break
        }
    }

    /// Sends what may be sent.
    mutating func fill(_ context: inout LaneContext) {
        isStarved = false
        guard case .open = state else { return }
        var place = pending.startIndex
        // Counted from the oldest that has no answer, so that the broker still remembers it when it comes again.
        var window = 0
        let windowMax = isKnown ? context.settings.inFlightMax : 1
        while place < pending.endIndex, window < windowMax {
            defer { place += 1 }
            if pending[place].status == .presumed { continue }
            window += 1
            guard pending[place].status == .waiting else { continue }
            let bytes = pending[place].batch.byteCount
            guard context.inFlightBytes == 0 || context.inFlightBytes + bytes <= context.settings.inFlightBytesMax.bytes
            else {
                isStarved = true
                return
            }
            context.inFlightBytes += bytes
            inFlightCount += 1
            pending[place].status = .inFlight
            pending[place].wasMaybeSent = pending[place].maybeSent
            pending[place].maybeSent = true
            context.actions.append(.send(pending[place].batch))
        }
    }

    mutating func freed(through id: BatchID) {
        // What was sent again stands after younger ones.
        acknowledged.removeAll { $0.batch.id <= id }
    }

    func deadline(_ settings: ProducerSettings) -> Instant? {
        switch state {
        case .pausing(_, let until): until
        // Also where the log let everything go: what a broker loses then can't be sent again, but is counted.
        case .open where inFlightCount == 0 && pending.isEmpty && floor != .none:
            inspectedAt.map { $0 + settings.inspectionInterval }
        case .closed, .open, .inspecting, .draining, .scanning, .awaitingProducerID: nil
        }
    }

    mutating func tick(_ context: inout LaneContext) {
        switch state {
        case .pausing(let next, _): follow(next, &context)
        case .open: inspect(&context)
        case .closed, .inspecting, .draining, .scanning, .awaitingProducerID: break
        }
    }

    // MARK: - Moves between states

    mutating func inspect(_ context: inout LaneContext) {
        state = .inspecting
        requestNumber &+= 1
        context.actions.append(
            .inspect(InspectRequest(partition: partition, producer: identity.id, number: requestNumber)))
    }

    mutating func open(_ context: inout LaneContext) {
        state = .open
        hasOpened = true
        isDoubtful = false
        fill(&context)
    }

    /// Lets what is in flight come back, then does what has to be done.
    mutating func drain(_ next: FollowUp, pause: Duration = .zero, _ context: inout LaneContext) {
        let until = context.now + pause
        switch state {
        case .draining(let planned, let plannedUntil):
            state = .draining(next.rank > planned.rank ? next : planned, until: max(until, plannedUntil))
        case .open: state = .draining(next, until: until)
        case .closed, .inspecting, .pausing, .scanning, .awaitingProducerID:
            preconditionFailure("an answer came in \(stateName), where nothing is in flight")
        }
    }

    mutating func pause(_ next: FollowUp, _ context: inout LaneContext) {
        failures += 1
        state = .pausing(next, until: context.now + backoff(context.settings, failures: failures))
    }

    /// Goes on where nothing is in flight any more.
    mutating func drained(_ context: inout LaneContext) {
        guard inFlightCount == 0, dividing == nil, case .draining(let next, let until) = state else { return }
        if until > context.now { state = .pausing(next, until: until) } else { follow(next, &context) }
    }

    mutating func follow(_ next: FollowUp, _ context: inout LaneContext) {
        if pending.contains(where: { if case .claimed = $0.status { true } else { false } }) {
            let then: ThenAfterClaims =
                switch next {
                case .resend: .resend
                case .inspect: .inspect
                case .scan(.everything): .scanEverything
                case .scan: .scanPending
                case .renew: .renew
                }
            scan(.claims(isSuspicious: claimIsSuspicious, then: then), &context)
            return
        }
        if mustRenew {
            renew(&context)
            return
        }
        switch next {
        case .resend: open(&context)
        case .inspect: inspect(&context)
        case .scan(let purpose): scan(purpose, &context)
        case .renew: renew(&context)
        }
    }
}
