import Base
import KafkaClient
import KafkaWire

/// A machine with one partition, whose actions are written down as short words.
struct Transcript {
    static let partition = TopicPartition(topic: "t", partition: 0)
    static let topicID = TopicID(high: 1, low: 1)
    static let identity = ProducerIdentity(id: ProducerID(7), epoch: ProducerEpoch(0))

    var machine: ProducerMachine
    var now = Instant.zero
    var nextID: UInt64 = 1
    var lines: [String] = []
    /// Of the last question.
    var number: UInt32 = 0
    /// Identities and sequences of what was sealed or rebased.
    var batches: [BatchID: SealedBatch] = [:]

    init(settings: ProducerSettings = ProducerSettings(), recovered: [PartitionSnapshot] = []) {
        machine = ProducerMachine(settings: settings, identity: Self.identity, recovered: recovered)
        for snapshot in recovered {
            for batch in snapshot.pending + snapshot.acknowledged.map(\.batch) {
                batches[batch.id] = batch
                nextID = max(nextID, batch.id.rawValue + 1)
            }
        }
    }

    /// What the actions are since the last call.
    mutating func take() -> [String] {
        defer { lines = [] }
        return lines
    }

    mutating func start() { note(machine.start(now: now)) }

    mutating func seal(records: Int32 = 10, count: Int = 1) {
        for _ in 0..<count {
            let (identity, sequence) = machine.reserve(Self.partition, recordCount: records)!
            let batch = SealedBatch(
                id: BatchID(nextID), partition: Self.partition, recordCount: records, byteCount: 100,
                identity: identity, baseSequence: sequence)
            batches[batch.id] = batch
            nextID += 1
            note(machine.sealed([batch], now: now))
        }
    }

    mutating func acknowledge(_ id: UInt64, at offset: Int64) {
        produced(id, .acknowledged(baseOffset: Offset(offset)))
    }

    mutating func refuse(_ id: UInt64, _ code: Int16) {
        produced(id, .refused(ErrorCode(rawValue: code), message: ""))
    }

    mutating func produced(_ id: UInt64, _ outcome: ProduceOutcome) {
        note(machine.answered(.produced(BatchID(id), Self.partition, outcome), now: now))
    }

    mutating func inspected(
        end: Int64, start: Int64 = 0, _ producer: PartitionReport.Producer, topicID: TopicID = Self.topicID
    ) {
        let report = PartitionReport(
            topicID: topicID, logStart: Offset(start), logEnd: Offset(end), producer: producer)
        note(machine.answered(.inspected(Self.partition, number: number, .report(report)), now: now))
    }

    mutating func inspected(end: Int64, last: Int32, epoch: Int16 = 0) {
        inspected(end: end, .known(ProducerEpoch(epoch), lastSequence: last))
    }

    mutating func scanned(_ found: [UInt64: Int64], from: Int64, end: Int64, isComplete: Bool = true) {
        let found = Dictionary(uniqueKeysWithValues: found.map { (BatchID($0), Offset($1)) })
        note(
            machine.answered(
                .scanned(
                    Self.partition, number: number,
                    .found(found, from: Offset(from), end: Offset(end), isComplete: isComplete)), now: now))
    }

    mutating func answered(_ answer: ProducerAnswer) { note(machine.answered(answer, now: now)) }

    mutating func pass(_ duration: Duration) {
        now = now + duration
        note(machine.tick(now: now))
    }

    /// Sealed, opened and past the first batch, which is read back.
    static func open(settings: ProducerSettings = ProducerSettings(), end: Int64 = 100) -> Transcript {
        var transcript = Transcript(settings: settings)
        transcript.start()
        transcript.seal()
        transcript.inspected(end: end, .unknown)
        transcript.acknowledge(1, at: end)
        transcript.scanned([1: end], from: end, end: end + 10)
        _ = transcript.take()
        return transcript
    }

    private mutating func note(_ actions: [ProducerAction]) {
        for action in actions { lines.append(describe(action)) }
    }

    private mutating func describe(_ action: ProducerAction) -> String {
        switch action {
        case .send(let batch):
            return "send \(batch.id) \(batch.identity) #\(batch.baseSequence)"
        case .inspect(let request):
            number = request.number
            return "inspect"
        case .scan(let request):
            number = request.number
            let upTo = request.upTo.map { "..<\($0)" } ?? "..."
            return "scan \(request.from)\(upTo) for \(request.candidates.map(\.id))"
        case .divide(let batch, let refusal): return "divide \(batch.id) \(refusal)"
        case .obtainProducerID: return "obtain"
        case .refreshMetadata: return "refresh"
        case .recordOpening(let opening): return "opening \(opening.floor)"
        case .recordRebase(let rebase): return "rebase \(rebase.identity) \(rebase.batches)"
        case .recordProducerID(let identity): return "producer \(identity)"
        case .recordAcknowledgement(let id, _, let offset): return "ack \(id)@\(offset)"
        case .recordGivingUp(let id): return "give up \(id)"
        case .recordReopening(let ids): return "reopen \(ids)"
        case .report(let notice):
            switch notice {
            case .acknowledged(_, let records, _): return "note: acknowledged \(records)"
            case .retrying: return "note: retrying"
            case .held(_, let code, _): return "note: held \(code)"
            case .divided(_, let id, let refusal, let parts): return "note: divided \(id) in \(parts): \(refusal)"
            case .setAside(_, let id, let refusal): return "note: set aside \(id): \(refusal)"
            case .indivisible(_, let refusal, let reason): return "note: indivisible: \(refusal): \(reason)"
            case .reconciling: return "note: reconciling"
            case .reconciled(_, let present, let again): return "note: reconciled \(present) present, \(again) again"
            case .tailLost(_, let batches, _): return "note: tail lost \(batches)"
            case .refilled(_, let batches, _): return "note: refilled \(batches)"
            case .acknowledgedLost(_, let records): return "note: acknowledged lost \(records)"
            case .ambiguous(_, let batches, _, let policy): return "note: ambiguous \(batches) \(policy)"
            case .staleState: return "note: stale"
            case .topicRecreated: return "note: recreated"
            case .producerIDChanged: return "note: producer changed"
            case .producerIDUnavailable: return "note: producer unavailable"
            case .intentUnreadable(_, let id, _, _): return "note: unreadable \(id)"
            }
        }
    }
}
