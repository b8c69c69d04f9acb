import Base
import GroupCoordination
import KafkaWire
import LogStorage
import Logging
import NIOCore
import Records
import Synchronization
import Telemetry

/// Runs the transaction machines: hands them requests and time, writes what they want written to `__transaction_state`, and the markers of what
/// was decided into every partition that it concerns.
///
/// All ids share one lock, held only while a machine decides; disk and sockets are touched outside it. Until a partition of `__transaction_state`
/// has been replayed its ids answer COORDINATOR_LOAD_IN_PROGRESS. Decided transactions whose markers a crash kept back get them then.
final class TransactionCoordinator: Sendable {
    struct Settings: Sendable {
        /// `transaction.max.timeout.ms`.
        var timeoutMax = Duration.seconds(900)
        /// `transactional.id.expiration.ms`.
        var expiration = Duration.seconds(7 * 86_400)
        var idsMax = 100_000
        /// How long a transaction of which nobody knows is left open.
        var hangingAge = Duration.seconds(30)
        /// Partitions of one transaction.
        var partitionsMax = 10_000
    }

    typealias Answer = @Sendable (ErrorCode, TransactionEntry?) -> Void

    private struct State {
        /// Made when the first client asks for a coordinator: most brokers never see a transaction.
        var topic: TransactionsTopic?
        var isMakingTopic = false
        var loading: Set<Int>
        var unreadable: Set<Int> = []
        var machines: [String: TransactionMachine] = [:]
        /// Decided transactions that miss markers, and the partitions that miss one.
        var unmarked: [String: Set<TopicPartition>] = [:]
        /// Those whose markers are being written.
        var marking: Set<String> = []
        var lastSweep = Instant.zero
        /// Requests of producers that came while a change of their id was on its way; they go on after it.
        var waiting: [String: [@Sendable () -> Void]] = [:]
        var lastTick = Instant.zero
        /// Open transactions in the logs that nobody knows here, as the last sweep saw them.
        var strangers: Set<Stranger> = []
    }

    struct Stranger: Hashable {
        var partition: TopicPartition
        var producerID: ProducerID
        var epoch: ProducerEpoch
        var start: Offset
    }

    /// What is left to do once the lock is released.
    private enum Effect {
        case answer(Answer, ErrorCode, TransactionEntry?)
        case write(String, TransactionEntry?, ErrorCode, Answer?)
        case mark(String, TransactionEntry, Set<TopicPartition>)
        case resume([@Sendable () -> Void])
    }

    let settings: Settings
    private let makeTopic: @Sendable () async -> TransactionsTopic?
    private let topics: TopicCatalog
    private let groups: GroupCoordinator
    private let appender: PartitionAppender
    /// Grows with every start, so that markers of an earlier life come too late.
    private let epoch: Int32
    private let time: any TimeSource
    private let telemetry: Telemetry
    private let state: Mutex<State>

    init(
        topic: TransactionsTopic?, makeTopic: @escaping @Sendable () async -> TransactionsTopic?, topics: TopicCatalog,
        groups: GroupCoordinator, appender: PartitionAppender,
        settings: Settings, epoch: LeaderEpoch, time: any TimeSource, telemetry: Telemetry
    ) {
        self.makeTopic = makeTopic
        self.topics = topics
        self.groups = groups
        self.appender = appender
        self.settings = settings
        self.epoch = epoch.rawValue
        self.time = time
        self.telemetry = telemetry
        state = Mutex(State(topic: topic, loading: Set(topic?.partitions.indices ?? 0..<0)))
    }

    // MARK: Start

    /// Replays `__transaction_state`. Blocks: call it on a thread of its own, after the groups are loaded.
    func load() {
        guard let topic = state.withLock({ $0.topic }) else { return }
        for index in topic.partitions.indices {
            var entries: [String: TransactionEntry] = [:]
            do throws(ReadError) {
                try topic.replay(index, telemetry: telemetry) { id, entry in entries[id] = entry }
            } catch {
                telemetry.emit(
                    Note(
                        "can't read \(TransactionsTopic.name)-\(index): \(error); its transactional ids are not served",
                        level: .error))
                state.withLock { state in
                    state.unreadable.insert(index)
                    state.loading.remove(index)
                }
                continue
            }
            run(
                state.withLock { state in
                    for (id, entry) in entries where entry.status != .dead {
                        state.machines[id] = TransactionMachine(restoring: entry)
                    }
                    state.loading.remove(index)
                    return entries.flatMap { id, entry in Self.marks(id, entry, &state) }
                })
        }
    }

    var isLoaded: Bool { state.withLock { $0.loading.isEmpty && $0.unreadable.isEmpty } }

    /// A client is going to need the coordinator: makes its topic where there is none yet. Until then its requests are to be tried again.
    func wanted() {
        let isFirst = state.withLock { state in
            guard state.topic == nil, !state.isMakingTopic else { return false }
            state.isMakingTopic = true
            return true
        }
        guard isFirst else { return }
        Task { [self] in
            let made = await makeTopic()
            state.withLock { state in
                state.topic = made
                state.isMakingTopic = false
            }
        }
    }

    private func refusal(_ id: String, _ state: borrowing State) -> ErrorCode {
        if id.isEmpty { return .invalidRequest }
        guard let topic = state.topic else { return .coordinatorLoadInProgress }
        let index = topic.partitionIndex(of: id)
        if state.unreadable.contains(index) { return .coordinatorNotAvailable }
        return state.loading.contains(index) ? .coordinatorLoadInProgress : .none
    }

    // MARK: Requests

    func initialise(
        _ id: String, timeout: Duration, expected: (id: ProducerID, epoch: ProducerEpoch)?, newID: ProducerID,
        answer: @escaping Answer
    ) {
        wanted()
        guard timeout > .zero, timeout <= settings.timeoutMax else { return answer(.invalidTransactionTimeout, nil) }
        decide(id, answer, mayCreate: true) { machine, now in
            machine.initReceived(timeout: timeout, expected: expected, newID: newID, now: now)
        }
    }

    /// - Parameter mayWait: where another change of the id is on its way, go on after it instead of CONCURRENT_TRANSACTIONS.
    func add(
        _ partitions: Set<TopicPartition>, to id: String, producerID: ProducerID, epoch: ProducerEpoch,
        clientVersion: Int16, mayWait: Bool = false, answer: @escaping Answer
    ) {
        guard partitions.count <= settings.partitionsMax else { return answer(.invalidRequest, nil) }
        let again: @Sendable () -> Void = { [self] in
            add(
                partitions, to: id, producerID: producerID, epoch: epoch, clientVersion: clientVersion,
                mayWait: true, answer: answer)
        }
        decide(id, answer, again: mayWait ? again : nil) { machine, now in
            machine.partitionsAdded(
                partitions, id: producerID, epoch: epoch, clientVersion: clientVersion, now: now)
        }
    }

    func end(
        _ id: String, commits: Bool, producerID: ProducerID, epoch: ProducerEpoch, raisesEpoch: Bool,
        newID: ProducerID, answer: @escaping Answer
    ) {
        decide(id, answer) { machine, now in
            machine.endReceived(
                commits: commits, id: producerID, epoch: epoch, raisesEpoch: raisesEpoch, newID: newID, now: now)
        }
    }

    /// Whether the producer may write to the partition now: its transaction is open and covers it.
    func verify(_ id: String, _ partition: TopicPartition, producerID: ProducerID, epoch: ProducerEpoch) -> ErrorCode {
        state.withLock { state in
            let refused = refusal(id, state)
            if refused != .none { return refused }
            return state.machines[id]?.verified(partition, id: producerID, epoch: epoch) ?? .invalidProducerIdMapping
        }
    }

    /// What an append into the transaction is to ask right before it is written: markers are queued behind it once this says no.
    func refusal(
        _ id: String, _ partition: TopicPartition, producerID: ProducerID, epoch: ProducerEpoch
    ) -> @Sendable () -> AppendError? {
        { [self] in
            let error = verify(id, partition, producerID: producerID, epoch: epoch)
            switch error {
            case .none: return nil
            case .producerFenced:
                return AppendError(
                    .invalidProducerEpoch, "'\(id)' has a newer epoch than \(epoch): another producer took it over")
            case .coordinatorLoadInProgress, .coordinatorNotAvailable:
                return AppendError(.offline, "the state of '\(id)' is not known yet")
            default:
                return AppendError(
                    .invalidTxnState, "\(partition) is not in an open transaction of '\(id)' (\(error))")
            }
        }
    }

    /// An id's entry, or why it can't be told.
    func describe(_ id: String) -> (ErrorCode, TransactionEntry?) {
        state.withLock { state in
            let refused = refusal(id, state)
            if state.topic == nil, !id.isEmpty { return (.transactionalIdNotFound, nil) }
            if refused != .none { return (refused, nil) }
            guard let entry = state.machines[id]?.entry else { return (.transactionalIdNotFound, nil) }
            return (.none, entry)
        }
    }

    func list() -> (ErrorCode, [(id: String, entry: TransactionEntry)]) {
        state.withLock { state in
            guard state.loading.isEmpty else { return (.coordinatorLoadInProgress, []) }
            return (.none, state.machines.compactMap { id, machine in machine.entry.map { (id, $0) } })
        }
    }

    // MARK: Time

    private static let tickInterval = Duration.milliseconds(500)

    /// Aborts what is open too long, tries markers again that could not be written, forgets ids that nobody uses. A few times a second.
    func tick() {
        let now = time.wallTime
        run(
            state.withLock { state in
                guard time.now - state.lastTick >= Self.tickInterval else { return [] }
                state.lastTick = time.now
                var effects: [Effect] = []
                for id in state.machines.keys {
                    if case .write(let entry, let error)? = state.machines[id]?.timeoutDue(now: now) {
                        telemetry.emit(TransactionTimedOut(id: id, timeout: entry.timeout))
                        effects.append(.write(id, entry, error, nil))
                    } else if state.machines[id]?.expires(after: settings.expiration, now: now) ?? false {
                        effects.append(.write(id, nil, .none, nil))
                    }
                }
                for id in state.unmarked.keys where !state.marking.contains(id) {
                    guard let entry = state.machines[id]?.entry else { continue }
                    effects += Self.marks(id, entry, &state)
                }
                return effects
            })
        sweep()
    }

    // MARK: Deciding

    private func decide(
        _ id: String, _ answer: @escaping Answer, mayCreate: Bool = false, again: (@Sendable () -> Void)? = nil,
        _ body: (inout TransactionMachine, Timestamp) -> TransactionMachine.Decision
    ) {
        let now = time.wallTime
        run(
            state.withLock { state in
                var error = refusal(id, state)
                if error == .none, state.machines[id] == nil {
                    if !mayCreate { error = .invalidProducerIdMapping }
                    if state.machines.count >= settings.idsMax { error = .coordinatorNotAvailable }
                }
                if error != .none { return [.answer(answer, error, nil)] }
                var machine = state.machines[id] ?? TransactionMachine()
                let decision = body(&machine, now)
                if machine.entry != nil || machine.pending != nil { state.machines[id] = machine }
                if decision == .refuse(.concurrentTransactions), let again,
                    state.waiting[id, default: []].count < Self.waitingMax
                {
                    state.waiting[id, default: []].append(again)
                    return []
                }
                return [Self.effect(of: decision, id, answer)]
            })
    }

    /// Of one id.
    private static let waitingMax = 64

    private static func effect(
        of decision: TransactionMachine.Decision, _ id: String, _ answer: @escaping Answer
    ) -> Effect {
        switch decision {
        case .refuse(let error): .answer(answer, error, nil)
        case .answer(let entry): .answer(answer, .none, entry)
        case .write(let entry, let error): .write(id, entry, error, answer)
        }
    }

    private func run(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .answer(let answer, let error, let entry): answer(error, entry)
            case .write(let id, let entry, let error, let answer):
                guard let topic = state.withLock({ $0.topic }) else { preconditionFailure("no topic, no machine") }
                topic.append(id, entry) { [self] failure in written(id, entry, error, failure, answer) }
            case .mark(let id, let entry, let partitions): mark(id, entry, partitions)
            case .resume(let waiting): for work in waiting { work() }
            }
        }
    }

    private func written(
        _ id: String, _ entry: TransactionEntry?, _ error: ErrorCode, _ failure: ErrorCode, _ answer: Answer?
    ) {
        let effects = state.withLock { state -> [Effect] in
            guard failure == .none else {
                state.machines[id]?.notWritten()
                if state.machines[id]?.entry == nil { state.machines[id] = nil }
                return Self.resumed(id, &state)
            }
            state.machines[id]?.written()
            guard let entry else {
                state.machines[id] = nil
                return Self.resumed(id, &state)
            }
            let marks = Self.marks(id, entry, &state)
            return marks.isEmpty ? Self.resumed(id, &state) : marks
        }
        answer?(failure == .none ? error : failure, failure == .none ? entry : nil)
        run(effects)
    }

    private static func resumed(_ id: String, _ state: inout State) -> [Effect] {
        state.waiting.removeValue(forKey: id).map { [.resume($0)] } ?? []
    }

    // MARK: Markers

    /// What markers a decided transaction still misses.
    private static func marks(_ id: String, _ entry: TransactionEntry, _ state: inout State) -> [Effect] {
        guard entry.status == .prepareCommit || entry.status == .prepareAbort else { return [] }
        let missing = state.unmarked[id] ?? entry.partitions
        state.unmarked[id] = missing
        state.marking.insert(id)
        return [.mark(id, entry, missing)]
    }

    private func mark(_ id: String, _ entry: TransactionEntry, _ partitions: Set<TopicPartition>) {
        guard !partitions.isEmpty else { return marked(id, entry, nil) }
        for partition in partitions {
            writeMarker(
                partition, producerID: entry.producerID, epoch: entry.epoch, commits: entry.commits,
                coordinatorEpoch: epoch
            ) { [self] error in
                // A partition that is gone needs none, and one whose producer is ahead has had it.
                let isDone = [.none, .unknownTopicOrPartition, .invalidProducerEpoch].contains(error)
                marked(id, entry, isDone ? partition : nil, isOver: isDone)
            }
        }
    }

    private func marked(
        _ id: String, _ entry: TransactionEntry, _ partition: TopicPartition?, isOver: Bool = true
    ) {
        run(
            state.withLock { state in
                if let partition { state.unmarked[id]?.remove(partition) }
                guard isOver else {
                    state.marking.remove(id)
                    return []
                }
                guard state.unmarked[id]?.isEmpty ?? false, state.machines[id]?.entry == entry else { return [] }
                state.unmarked[id] = nil
                state.marking.remove(id)
                guard case .write(let next, let error)? = state.machines[id]?.markersWritten(now: time.wallTime) else {
                    return []
                }
                return [.write(id, next, error, nil)]
            })
    }

    /// Writes one marker; where the partition holds offsets of groups they become visible, or go, with it.
    func writeMarker(
        _ id: TopicPartition, producerID: ProducerID, epoch: ProducerEpoch, commits: Bool, coordinatorEpoch: Int32,
        then: @escaping @Sendable (ErrorCode) -> Void
    ) {
        guard let topic = topics.topic(named: id.topic), topic.partitions.indices.contains(Int(id.partition)) else {
            return then(.unknownTopicOrPartition)
        }
        guard let partition = topic.partitions[Int(id.partition)] else { return then(.kafkaStorageError) }
        let batch: RecordBatch
        do {
            batch = try TransactionMarker(commits: commits, coordinatorEpoch: coordinatorEpoch)
                .batch(producerID: producerID, epoch: epoch, at: time.wallTime)
        } catch { return then(.unknownServerError) }
        appender.append([PartitionAppender.Item(partition: partition, batches: batch.bytes)], origin: .coordinator) {
            [groups] _, outcome in
            switch outcome {
            case .success:
                if id.topic == OffsetsTopic.name {
                    groups.transactionEnded(producerID, in: Int(id.partition), commits: commits)
                }
                then(.none)
            case .failure(.refused(let error)): then(ErrorCode(error.code))
            case .failure(.deleted): then(.unknownTopicOrPartition)
            case .failure(.turnedAway), .failure(.notDurable): then(.notEnoughReplicas)
            }
        }
    }

    // MARK: Transactions that nobody knows

    /// Ends transactions that are open in a log and of which no transactional id knows: their marker was damaged with the disk and quarantined.
    /// They would hold back every reader of committed records for ever. One that two sweeps have seen is ended as its id's last transaction was,
    /// if that was this one for all that can be told, and aborted otherwise.
    private func sweep() {
        let now = time.now
        let isDue = state.withLock { state in
            guard state.loading.isEmpty, state.unreadable.isEmpty, now - state.lastSweep >= settings.hangingAge else {
                return false
            }
            state.lastSweep = now
            return true
        }
        guard isDue else { return }
        var open: Set<Stranger> = []
        for topic in topics.topics {
            for case let partition? in topic.partitions
            where partition.log.lastStableOffset < partition.log.highWatermark {
                for producer in partition.log.producers() {
                    guard let start = producer.transactionStart else { continue }
                    open.insert(
                        Stranger(
                            partition: partition.id, producerID: producer.producerID, epoch: producer.epoch,
                            start: start))
                }
            }
        }
        let ended = state.withLock { state -> [(Stranger, commits: Bool)] in
            guard !open.isEmpty || !state.strangers.isEmpty else { return [] }
            let byProducer = Dictionary(
                state.machines.values.compactMap(\.entry).map { ($0.producerID, $0) }, uniquingKeysWith: { $1 })
            open = open.filter { stranger in
                let known = byProducer[stranger.producerID]
                return !(known?.partitions.contains(stranger.partition) ?? false)
            }
            let lasting = open.intersection(state.strangers)
            state.strangers = open.subtracting(lasting)
            return lasting.map { stranger in
                guard let last = byProducer[stranger.producerID], last.status == .completeCommit else {
                    return (stranger, false)
                }
                let raised: Int16 = last.clientVersion >= 2 ? 1 : 0
                return (stranger, last.epoch.rawValue == stranger.epoch.rawValue + raised)
            }
        }
        for (stranger, commits) in ended {
            telemetry.emit(HangingTransactionEnded(stranger: stranger, commits: commits))
            writeMarker(
                stranger.partition, producerID: stranger.producerID, epoch: stranger.epoch, commits: commits,
                coordinatorEpoch: epoch
            ) { _ in }
        }
    }
}

/// A producer did not end its transaction in the time it asked for.
struct TransactionTimedOut: Fact {
    var id: String
    var timeout: Duration

    var level: Logger.Level { .warning }
    var message: String {
        "aborted the transaction of '\(id)', which was open for more than its timeout of \(timeout.milliseconds) ms"
    }
    func measure(in metrics: MetricRegistry) { metrics.counter(BrokerMetrics.transactionsTimedOut).increment() }
}

/// A transaction that was open in a log though no transactional id knows of it.
struct HangingTransactionEnded: Fact {
    var stranger: TransactionCoordinator.Stranger
    var commits: Bool

    var level: Logger.Level { .error }
    var message: String {
        "\(stranger.partition): the transaction of producer \(stranger.producerID) that began at offset \(stranger.start) has "
            + "lost its marker; it was \(commits ? "committed, as its producer's last one was" : "aborted")"
    }
    func measure(in metrics: MetricRegistry) { metrics.counter(BrokerMetrics.hangingTransactions).increment() }
}
