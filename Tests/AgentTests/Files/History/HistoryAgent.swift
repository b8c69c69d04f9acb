import Base
import KafkaClient
import SystemPackage
import TestKit

@testable import Agent

/// The agent of a history over all its lives: the real tailer, assembler, intent log and producer.
final class HistoryAgent: TopicDirectory {
    static let linesMax = ByteCount.kib(1)

    private unowned let history: FileHistory
    let state: SimulatedFileSystem
    private(set) var core: ShippingCore?
    private(set) var tailer: FileTailer?
    private(set) var notifier: LossyNotifier?
    private(set) var lives = 0
    private var plannedTurn = 0
    /// So many calls to the log disk until the process is dead.
    private var callsLeft: Int?
    private(set) var isStruck = false
    private(set) var isInTurn = false
    private(set) var hasLooked = false
    /// The state of this life's start knew what to read.
    private(set) var wasRegistered = false
    private(set) var startedAt = Instant.zero
    private var knownKeys: Set<String> = []

    init(_ history: FileHistory) {
        self.history = history
        state = SimulatedFileSystem(time: history.time)
    }

    /// One lane: what a dictionary of several is gone through in would differ from run to run.
    func partitionCount(of topic: String) -> Int32? { 1 }

    var isAlive: Bool { core != nil }
    var isDrained: Bool { core?.isDrained ?? false }

    func start() {
        guard core == nil else { return }
        lives += 1
        do { try makeLife() } catch {
            guard isStruck || state.isStopped else { return history.violated("the agent does not start: \(error)") }
            die()
        }
    }

    private func makeLife() throws {
        startedAt = history.now
        hasLooked = false
        var intents = IntentSettings()
        intents.capacity = .mib(1)
        intents.intentsMax = history.traits.intentsMax
        let (log, recovery) = try IntentLog.open("/state", in: state, settings: intents)
        switch recovery.finding {
        case .fresh, .whole: break
        case .damagedCheckpoint, .lostRecords: history.violated("state damaged: \(recovery.finding)")
        }
        try log.bind(to: StateBinding(machineID: "m", clusterID: "c"))
        wasRegistered = log.streams.contains { $0.position.bytes.first == 3 }
        history.note("life \(lives) starts")
        for stream in log.streams { history.note("  with \(stream.stream) \(stream.source) \(Self.text(stream))") }
        knownKeys = Set(log.streams.map(\.source.text))
        history.agentStarts()
        var producer = ProducerSettings()
        producer.backoffMax = .seconds(1)
        producer.inspectionInterval = .seconds(30)
        let machine = ProducerMachine(
            settings: producer, identity: log.producer == .none ? nil : log.producer, recovered: log.snapshots)
        let life = lives
        let transport = HistoryTransport(history) { [weak self] answer in self?.answered(answer, life: life) }
        let sender = BatchSender(machine: machine, journal: log, transport: transport) { [unowned history] notice in
            switch notice {
            case .ambiguous, .staleState, .intentUnreadable, .acknowledgedLost, .refilled: history.violated("\(notice)")
            default: break
            }
        }
        let notifier = LossyNotifier(isBlind: history.traits.isBlind) { [unowned history] in history.disk.resolve($0) }
        self.notifier = notifier
        let tailer = try FileTailer(
            sources: [history.inputSettings], settings: history.tailerSettings, files: history.disk, notifier: notifier,
            checkpoints: history.sabotage == .forgetsCheckpoints ? [] : log.streams,
            nextStreamID: { log.takeStreamID() })
        self.tailer = tailer
        var seal = SealSettings()
        seal.codec = .none
        seal.batchBytes = .kib(1)
        seal.openBytesMax = .kib(8)
        seal.linger = .milliseconds(20)
        seal.positionLinger = .milliseconds(100)
        core = ShippingCore(
            inputs: [history.sabotage.map { SabotagedInput(tailer, $0) } ?? tailer],
            assembler: BatchAssembler(settings: seal), log: log, sender: sender, topics: self
        ) { [unowned history] in history.heard($0) }
        try core!.start(now: history.now)
        plan(history.now)
    }

    static func text(_ checkpoint: StreamCheckpoint) -> String {
        guard let position = FilePosition(checkpoint.position) else { return "" }
        return "i\(position.inode) +\(position.offset) p\(position.prefix.length) \(position.progress)"
    }

    /// A stream has the file open, so it can't vanish unread.
    func holdsOpen(_ node: LogDisk.Node) -> Bool {
        tailer?.opened.contains { $0.position.inode == node.inode } ?? false
    }

    // MARK: - Turns

    func told() {
        guard core != nil else { return }
        plan(history.now + .microseconds(200))
    }

    private func plan(_ moment: Instant) {
        plannedTurn += 1
        let turn = plannedTurn
        history.at(moment) { [self] in if turn == plannedTurn { takeTurn() } }
    }

    private func answered(_ answer: ProducerAnswer, life: Int) {
        guard life == lives, let core else { return }
        do { try core.answered(answer, now: history.now) } catch { return failed(error) }
        plan(history.now)
    }

    private func takeTurn() {
        guard let core else { return }
        if !hasLooked { history.agentLooks(knowing: knownKeys, isRegistered: wasRegistered) }
        isInTurn = true
        defer { isInTurn = false }
        do {
            let rest = try core.turn(now: history.now, wallTime: history.time.wallTime)
            hasLooked = true
            history.stalled(rest.isStalled)
            if isStruck { return die() }
            let isTold = notifier?.hasChanges == true
            plan(isTold ? history.now + .microseconds(300) : max(rest.until, history.now + .microseconds(300)))
        } catch { failed(error) }
    }

    private func failed(_ error: any Error) {
        if !isStruck, !state.isStopped { history.violated("the agent failed: \(error)") }
        die()
    }

    // MARK: - Ends

    /// The process ends now, at one of its next calls to either disk, or as it should.
    func strike() {
        guard core != nil else { return }
        if isInTurn {
            callsLeft = Int.random(in: 0...10, using: &history.random)
            return
        }
        switch Int.random(in: 0..<5, using: &history.random) {
        case 0: die()
        case 1:
            do { try core!.log.close() } catch { return failed(error) }
            die()
        case 2: state.stopAt(operation: state.operationCount + Int.random(in: 1...10, using: &history.random))
        default: callsLeft = Int.random(in: 0...40, using: &history.random)
        }
        let life = lives
        history.after(.milliseconds(500)) { [self] in if life == lives, core != nil { die() } }
    }

    /// Before each call of the tailer to the log disk.
    func beforeCall() throws(FileError) {
        if let left = callsLeft {
            if left <= 0 {
                isStruck = true
                state.stopAt(operation: state.operationCount + 1)
            }
            callsLeft = left - 1
        }
        if isStruck { throw FileError(.crashed, .read, "/") }
    }

    /// The history is over.
    func end() {
        core = nil
        tailer?.close()
        tailer = nil
        notifier = nil
    }

    private func die() {
        history.note("life \(lives) ends")
        core = nil
        tailer?.close()
        tailer = nil
        notifier = nil
        plannedTurn += 1
        callsLeft = nil
        isStruck = false
        if history.random.oneIn(2) {
            state.crash(using: &history.random, survival: .dropUnsynced)
        } else {
            state.processKilled()
        }
        history.disk.processKilled()
        history.agentEnded()
        let pause =
            history.random.oneIn(3)
            ? Int.random(in: 500...6000, using: &history.random) : Int.random(in: 1...300, using: &history.random)
        history.after(.milliseconds(pause)) { [self] in start() }
    }
}
