import Base
import KafkaConnection
import KafkaWire

/// What a transactional producer may do next (KIP-98, KIP-360). No I/O.
///
/// ```
/// new ── initialised ──▶ ready ── begin ──▶ open ── ended ──▶ ready
///                                            │ failed: nothing of it may be committed
///                                            ▼
///                                          failed ── aborted, initialised again ──▶ ready
/// ```
///
/// After a failure it isn't known what of the last batches stands in the log, and so which sequence comes next. Therefore an abort alone is no way
/// out: a new epoch follows, and whatever of the old one is still on its way is refused.
/// A producer that was fenced stays so: another one has its transactional id.
struct TransactionalMachine: Sendable {
    struct Open: Sendable, Equatable {
        var partitions: Set<TopicPartition> = []
        var groups: Set<String> = []

        var isEmpty: Bool { partitions.isEmpty && groups.isEmpty }
    }

    enum State: Sendable, Equatable {
        case new
        case ready
        case open(Open)
        /// The transaction can only be aborted.
        case failed(String)
        case fenced(String)
    }

    /// How a transaction is ended.
    enum Ending: Sendable, Equatable {
        /// Nobody was told of it.
        case nothing
        case end
        /// Aborted, if it is open, and then a new epoch.
        case abortAndInitialise
    }

    private(set) var state = State.new
    private(set) var producerID = ProducerID.none
    private(set) var epoch = ProducerEpoch.none
    private var sequences: [TopicPartition: Int32] = [:]

    mutating func initialised(_ id: ProducerID, _ epoch: ProducerEpoch) {
        producerID = id
        self.epoch = epoch
        sequences = [:]
        state = .ready
    }

    mutating func begin() throws(ClientError) {
        switch state {
        case .ready: state = .open(Open())
        case .open: throw ClientError(.closed, "a transaction is open already: commit or abort it first")
        case .new, .failed, .fenced: throw refusal
        }
    }

    /// The transaction that is open.
    private func open() throws(ClientError) -> Open {
        if case .open(let open) = state { return open }
        throw refusal
    }

    private var refusal: ClientError {
        switch state {
        case .new: ClientError(.closed, "the transactional producer has no id yet: initialise it first")
        case .ready: ClientError(.closed, "no transaction is open: begin one first")
        case .open: ClientError(.closed, "a transaction is open")
        case .failed(let reason): ClientError(.closed, "the transaction failed and has to be aborted: \(reason)")
        case .fenced(let reason):
            ClientError(.fenced, "another producer has taken over this transactional id: \(reason)")
        }
    }

    /// Whether the partition has to be added to the transaction before it is written to.
    func mustAdd(_ partition: TopicPartition) throws(ClientError) -> Bool {
        try !open().partitions.contains(partition)
    }

    func mustAdd(group: String) throws(ClientError) -> Bool { try !open().groups.contains(group) }

    mutating func added(_ partition: TopicPartition) throws(ClientError) {
        var open = try open()
        open.partitions.insert(partition)
        state = .open(open)
    }

    mutating func added(group: String) throws(ClientError) {
        var open = try open()
        open.groups.insert(group)
        state = .open(open)
    }

    func sequence(of partition: TopicPartition) -> Int32 { sequences[partition, default: 0] }

    mutating func written(_ count: Int32, to partition: TopicPartition) {
        sequences[partition] = Sequence32.advance(sequence(of: partition), by: count)
    }

    /// A request of the transaction failed for good.
    mutating func failed(_ error: ClientError) {
        if case .fenced = state { return }
        switch error.kafkaError {
        case .producerFenced?, .invalidProducerEpoch?, .invalidProducerIdMapping?: state = .fenced(error.message)
        default:
            // Before it was initialised it still is not.
            if state != .new { state = .failed(error.message) }
        }
    }

    func ending(commits: Bool) throws(ClientError) -> Ending {
        switch state {
        case .open(let open): return open.isEmpty ? .nothing : .end
        case .failed where !commits: return .abortAndInitialise
        case .new, .ready, .failed, .fenced: throw refusal
        }
    }

    mutating func ended() { state = .ready }
}
