import Base
import NIOCore

/// Runs the producer machine: its requests on a transport, its records on a journal, in order. Holds no decisions and no thread: call it
/// from one thread at a time, and give it the transport's answers there.
public final class BatchSender {
    public private(set) var machine: ProducerMachine
    private let journal: any ProducerJournal
    private let transport: any ProducerTransport
    private let onNotice: (ProducerNotice) -> Void

    /// - Parameter onNotice: called on the same thread, within the calls below.
    public init(
        machine: ProducerMachine, journal: any ProducerJournal, transport: any ProducerTransport,
        onNotice: @escaping (ProducerNotice) -> Void
    ) {
        self.machine = machine
        self.journal = journal
        self.transport = transport
        self.onNotice = onNotice
    }

    /// - Throws: an error of the journal, here and below. The process must then stop: what it would do next was not recorded.
    public func start(now: Instant) throws { try run(machine.start(now: now), now) }

    public var canReserve: Bool { machine.canReserve }

    /// See `ProducerMachine.reserve`.
    public func reserve(
        _ partition: TopicPartition, recordCount: Int32
    ) -> (identity: ProducerIdentity, baseSequence: Int32)? {
        machine.reserve(partition, recordCount: recordCount)
    }

    /// The batches stand durably in the journal.
    public func send(_ batches: [SealedBatch], now: Instant) throws { try run(machine.sealed(batches, now: now), now) }

    public func answered(_ answer: ProducerAnswer, now: Instant) throws {
        try run(machine.answered(answer, now: now), now)
    }

    /// See `ProducerMachine.freed`.
    public func freed(through id: BatchID) { machine.freed(through: id) }

    public func tick(now: Instant) throws { try run(machine.tick(now: now), now) }

    /// See `ProducerMachine.crowdedUntil`.
    public func crowdedUntil(bytes: Int, patience: Duration, now: Instant) -> Instant? {
        machine.crowdedUntil(bytes: bytes, patience: patience, now: now)
    }

    /// A batch is on the wire.
    public var isWaiting: Bool { machine.hasInFlight }

    public var nextDeadline: Instant { machine.nextDeadline }

    private func run(_ first: [ProducerAction], _ now: Instant) throws {
        var actions = first
        var place = 0
        while place < actions.count {
            defer { place += 1 }
            switch actions[place] {
            case .send(let batch):
                do {
                    transport.begin(.produce(batch, try journal.bytes(of: batch.id)))
                } catch {
                    actions += machine.intentUnreadable(
                        batch.id, in: batch.partition, reason: "\(error)", now: now)
                }
            case .inspect(let request): transport.begin(.inspect(request))
            case .scan(let request):
                var fingerprints: [BatchID: BatchFingerprint] = [:]
                for candidate in request.candidates {
                    fingerprints[candidate.id] = (try? journal.fingerprint(of: candidate.id)) ?? nil
                }
                transport.begin(.scan(request, fingerprints: fingerprints))
            case .divide(let batch, let refusal):
                let division = try journal.divide(batch.id, because: refusal)
                actions += machine.divided(batch.id, in: batch.partition, division, refusal, now: now)
            case .obtainProducerID: transport.begin(.obtainProducerID)
            case .refreshMetadata(let partition): transport.begin(.refreshMetadata(partition))
            case .recordOpening(let opening): try journal.record(opening: opening)
            case .recordRebase(let rebase): try journal.record(rebase: rebase)
            case .recordProducerID(let identity): try journal.record(producer: identity)
            case .recordAcknowledgement(let id, let partition, let offset):
                try journal.recordAcknowledgement(of: id, in: partition, at: offset)
            case .recordGivingUp(let id): try journal.record(givingUp: id)
            case .recordReopening(let ids): try journal.recordReopening(of: ids)
            case .report(let notice): onNotice(notice)
            }
        }
    }
}
