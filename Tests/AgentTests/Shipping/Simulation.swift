import Base
import KafkaClient
import NIOCore
import Records
import SystemPackage
import TestKit

@testable import Agent

/// Agents, a broker and the network between them in virtual time; everything follows from the seed.
final class Simulation {
    /// How often things happen, once in so many steps of 10 ms; 0 is never.
    struct Weather {
        var agentKill = 0
        var powerCut = 0
        var brokerRestart = 0
        var forgetting = 0
        var tailLoss = 0
        var lostRequest = 0
        var lostAnswer = 0
        var repeatedAnswer = 0
        /// The broker's limits change: how large a batch may be, what a record may hold, who may write, how many partitions there are.
        var sizeChange = 0
        var validation = false
        var permissionChange = 0
        var growth = 0
        var durability = IntentSettings.Durability.fsync
    }

    private struct Event {
        var at: Instant
        var order: Int
        var run: () -> Void
    }

    let weather: Weather
    private(set) var broker = ModelBroker()
    /// What a cluster holds that is not used any more.
    private(set) var formerLines: [String] = []
    var random: SeededRandom
    var now = Instant.zero
    private var events: [Event] = []
    private var order = 0
    var agents: [SimulatedAgent] = []
    private var brokerUpAt = Instant.zero
    private(set) var counts = Counts()

    struct Counts {
        var kills = 0
        var restarts = 0
        var ambiguous = 0
        var tailLost = 0
        var acknowledgedLost: Int64 = 0
        var stale = 0
        var reconciled = 0
        var unreadable = 0
        var divided = 0
        var setAside = 0
    }

    init(seed: UInt64, weather: Weather) {
        random = SeededRandom(seed: seed)
        self.weather = weather
        broker.validates = weather.validation
    }

    func after(_ duration: Duration, _ run: @escaping () -> Void) {
        order += 1
        events.append(Event(at: now + duration, order: order, run: run))
    }

    func add(_ agent: SimulatedAgent) { agents.append(agent) }

    /// Runs for a time in which bad things happen, then until everything is shipped in fair weather. False where it isn't in an hour.
    func run(storm: Duration, afterStorm: () -> Void = {}) -> Bool {
        let end = now + storm
        while now < end { step(isStormy: true) }
        afterStorm()
        clear()
        let limit = now + .seconds(3600)
        while now < limit {
            step(isStormy: false)
            guard agents.allSatisfy(\.isDrained) else { continue }
            // Long enough for a look at what the broker still holds.
            let quiet = now + .seconds(60)
            while now < quiet { step(isStormy: false) }
            if agents.allSatisfy(\.isDrained) { return true }
        }
        for agent in agents { say("stuck: \(agent.summary)") }
        return false
    }

    /// What happened, for a seed that failed.
    private(set) var trace: [String] = []
    var isTracing = false

    func say(_ line: @autoclosure () -> String) {
        if isTracing { trace.append("\(now.nanoseconds / 1_000_000) \(line())") }
    }

    private func clear() {
        broker.forbidden = []
        broker.unknown = []
        for agent in agents { agent.wake() }
        for agent in agents { agent.files.stopAt(operation: nil) }
    }

    private func step(isStormy: Bool) {
        now = now + .milliseconds(10)
        while let next = events.indices.min(by: {
            (events[$0].at, events[$0].order) < (events[$1].at, events[$1].order)
        }),
            events[next].at <= now
        {
            events.remove(at: next).run()
        }
        if !broker.isUp, brokerUpAt <= now { broker.isUp = true }
        if isStormy { storm() }
        for agent in agents { agent.step(self, isGrowing: isStormy) }
    }

    private func happens(_ rarity: Int) -> Bool { rarity > 0 && random.oneIn(rarity) }

    private func changeLimits() {
        if happens(weather.sizeChange) { broker.batchBytesMax = Int.random(in: 120...1500, using: &random) }
        if happens(weather.permissionChange) { broker.forbidden.formSymmetricDifference(["b"]) }
        if happens(weather.growth) { broker.partitionCount += 1 }
    }

    private func storm() {
        changeLimits()
        for agent in agents {
            if happens(weather.agentKill) { agent.killSoon(power: false, using: &random) }
            if happens(weather.powerCut) { agent.killSoon(power: true, using: &random) }
        }
        guard broker.isUp else { return }
        if happens(weather.brokerRestart) { down { broker.restart() } }
        if happens(weather.forgetting) { down { broker.forgetProducers() } }
        if happens(weather.tailLoss) { down { broker.loseTail(using: &random) } }
        if random.oneIn(20), let target = broker.partitions.keys.sorted().first { broker.appendForeign(target) }
    }

    private func down(_ body: () -> Void) {
        counts.restarts += 1
        say("broker goes down")
        body()
        broker.isUp = false
        brokerUpAt = now + .milliseconds(Int.random(in: 10...2000, using: &random))
    }

    func moveToAnotherCluster() {
        formerLines = Array(broker.lines.values.joined())
        broker = ModelBroker()
        broker.nextProducerID = 5000
    }

    func note(_ notice: ProducerNotice) {
        say("note \(notice)")
        switch notice {
        case .ambiguous(_, _, let records, _): counts.ambiguous += records
        case .tailLost(_, _, let records): counts.tailLost += records
        case .acknowledgedLost(_, let records): counts.acknowledgedLost += records
        case .staleState: counts.stale += 1
        case .reconciled: counts.reconciled += 1
        case .intentUnreadable: counts.unreadable += 1
        case .divided: counts.divided += 1
        case .setAside: counts.setAside += 1
        default: break
        }
    }

    func killed() { counts.kills += 1 }
}

/// The network of one life of an agent: in order per partition, until something is lost.
final class SimulatedTransport: ProducerTransport {
    private unowned let simulation: Simulation
    private unowned let agent: SimulatedAgent
    private let life: Int
    /// Broken by a lost message or a restarted broker; what was on its way then is lost with it.
    private var connection = 0
    /// Which connection, to which life of the broker, a partition's batches leave on: another only after the machine heard of a loss.
    private var routes: [TopicPartition: (connection: Int, brokerLife: Int)] = [:]
    private var lastArrival = Instant.zero

    init(_ simulation: Simulation, _ agent: SimulatedAgent) {
        self.simulation = simulation
        self.agent = agent
        life = agent.life
    }

    func begin(_ request: ProducerRequest) {
        var (connection, brokerLife) = (connection, simulation.broker.life)
        switch request {
        case .refreshMetadata(let partition):
            routes[partition] = nil
            return
        case .inspect(let request): routes[request.partition] = nil
        case .produce(let batch, _):
            (connection, brokerLife) = routes[batch.partition] ?? (connection, brokerLife)
            routes[batch.partition] = (connection, brokerLife)
        case .scan, .obtainProducerID: break
        }
        var delay = Duration.milliseconds(Int.random(in: 1...15, using: &simulation.random))
        if simulation.now + delay < lastArrival { delay = lastArrival - simulation.now }
        lastArrival = simulation.now + delay
        let weather = simulation.weather
        let isLost = weather.lostRequest > 0 && simulation.random.oneIn(weather.lostRequest)
        simulation.after(delay) { [self, connection, brokerLife] in
            guard simulation.broker.isUp, !isLost, connection == self.connection,
                brokerLife == simulation.broker.life
            else {
                if isLost { self.connection += 1 }
                return answer(Self.failure(of: request), after: .milliseconds(30))
            }
            // A dead agent's last words are heard or not.
            if life != agent.life, simulation.random.oneIn(2) { return }
            let result = perform(request)
            simulation.say("life \(life) \(Self.describe(request)) -> \(result)")
            let isAnswerLost = weather.lostAnswer > 0 && simulation.random.oneIn(weather.lostAnswer)
            if isAnswerLost { self.connection += 1 }
            simulation.after(.milliseconds(Int.random(in: 1...10, using: &simulation.random))) { [self] in
                let isGone =
                    isAnswerLost || connection != self.connection || brokerLife != simulation.broker.life
                answer(isGone ? Self.failure(of: request) : result, after: isGone ? .milliseconds(30) : .zero)
            }
        }
    }

    private func answer(_ answer: ProducerAnswer, after delay: Duration) {
        simulation.after(delay) { [self] in
            agent.answers(answer, life: life)
            let weather = simulation.weather
            if weather.repeatedAnswer > 0, simulation.random.oneIn(weather.repeatedAnswer) {
                agent.answers(answer, life: life)
            }
        }
    }

    private func perform(_ request: ProducerRequest) -> ProducerAnswer {
        let broker = simulation.broker
        switch request {
        case .produce(let batch, let bytes):
            return .produced(batch.id, batch.partition, broker.produce(batch.partition, bytes))
        case .inspect(let request):
            let report = broker.inspect(request.partition, request.producer)
            return .inspected(request.partition, number: request.number, .report(report))
        case .scan(let request, let fingerprints):
            return .scanned(request.partition, number: request.number, broker.scan(request, fingerprints))
        case .obtainProducerID: return .producerIDObtained(broker.obtainProducerID())
        case .refreshMetadata: preconditionFailure("not answered")
        }
    }

    private static func describe(_ request: ProducerRequest) -> String {
        switch request {
        case .produce(let batch, let bytes):
            "produce \(batch.id) \(batch.identity) #\(batch.baseSequence)+\(batch.recordCount) "
                + "\((try? RecordBatch(bytes)).flatMap { ModelBroker.lines(of: $0).map { $0.prefix(9) } } ?? [])"
        case .inspect(let request): "inspect \(request.partition) \(request.producer)"
        case .scan(let request, _): "scan \(request.from) \(request.candidates.map(\.id))"
        case .obtainProducerID, .refreshMetadata: "obtain"
        }
    }

    private static func failure(of request: ProducerRequest) -> ProducerAnswer {
        switch request {
        case .produce(let batch, _): .produced(batch.id, batch.partition, .unanswered(reason: "lost"))
        case .inspect(let request):
            .inspected(request.partition, number: request.number, .failed(reason: "lost"))
        case .scan(let request, _): .scanned(request.partition, number: request.number, .failed(reason: "lost"))
        case .obtainProducerID: .producerIDFailed(reason: "lost")
        case .refreshMetadata: preconditionFailure("not answered")
        }
    }
}

/// A host with its disk and sources, and the agent on it while it lives.
final class SimulatedAgent: TopicDirectory {
    let files: SimulatedFileSystem
    let sources: SimulatedSources
    var life = 0
    var binding = StateBinding(machineID: "m", clusterID: "c")
    private var core: ShippingCore?
    private var answersWaiting: [ProducerAnswer] = []
    private var wakeAt = Instant.zero
    private var isPowerCut = false
    private var startAt = Instant.zero
    private let durability: IntentSettings.Durability
    let linesMax: Int

    init(
        _ sources: SimulatedSources, files: SimulatedFileSystem = SimulatedFileSystem(), linesMax: Int,
        durability: IntentSettings.Durability = .fsync
    ) {
        self.sources = sources
        self.files = files
        self.linesMax = linesMax
        self.durability = durability
    }

    /// What comes through a spool, instead of `sources`.
    var spooled: SpooledLines?

    private weak var simulation: Simulation?

    func partitionCount(of topic: String) -> Int32? {
        simulation.flatMap { $0.broker.unknown.contains(topic) ? nil : $0.broker.partitionCount }
    }

    /// Lines that the broker will never take.
    func deadLetters() throws -> [String] {
        let bytes = try files.contents(of: "/state/dead-letters.jsonl", bytesMax: .mib(16)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { line in
            String(line.split(separator: "\"value\":\"")[1].prefix { $0 != "\"" })
        }
    }

    var isDrained: Bool { core?.log.pendingCount == 0 && isReadToTheEnd && core!.assembler.isEmpty }

    var pendingBytes: Int { core?.sender.machine.waitingBytes.values.reduce(0, +) ?? 0 }

    /// Where it stands, for a seed that failed.
    var summary: String {
        guard let core else { return "dead" }
        return "pending \(core.log.pendingCount), assembler empty \(core.assembler.isEmpty), read \(linesRead) of "
            + "\(sources.written), wake at \(wakeAt), lanes \(core.sender.machine.states)"
    }

    private var isReadToTheEnd: Bool { spooled?.isRead ?? (linesRead == sources.written) }

    private var linesRead: [Int] {
        guard let log = core?.log, spooled == nil else { return [] }
        // The newest stream of each source stands at its end.
        var read = Array(repeating: 0, count: sources.written.count)
        for checkpoint in log.streams {
            let position = FilePosition(checkpoint.position)!
            let source = Int(position.path)
            let base = source == sources.journal ? 0 : Int(position.inode) * SimulatedSources.linesPerFile
            read[source] = max(read[source], base + Int(position.offset) / SimulatedSources.lineBytes)
        }
        return read
    }

    /// The process dies within its next calls to the disk, wherever that is.
    func killSoon(power: Bool, using random: inout SeededRandom) {
        isPowerCut = power
        files.stopAt(operation: files.operationCount + Int.random(in: 1...12, using: &random))
    }

    /// A topic is known that wasn't.
    func wake() { wakeAt = .zero }

    func answers(_ answer: ProducerAnswer, life: Int) {
        guard life == self.life else { return }
        answersWaiting.append(answer)
        wakeAt = .zero
    }

    func step(_ simulation: Simulation, isGrowing: Bool) {
        if isGrowing {
            for source in sources.written.indices where simulation.random.oneIn(8) && sources.written[source] < linesMax
            {
                sources.written[source] += Int.random(in: 1...25, using: &simulation.random)
            }
        }
        do {
            if core == nil {
                guard startAt <= simulation.now else { return }
                try start(simulation)
            }
            if isGrowing { try spooled?.grow(simulation) }
            if spooled != nil { wakeAt = .zero }
            guard wakeAt <= simulation.now || !answersWaiting.isEmpty else { return }
            let waiting = answersWaiting
            answersWaiting = []
            for answer in waiting { try core!.answered(answer, now: simulation.now) }
            let rest = try core!.turn(
                now: simulation.now, wallTime: Timestamp(milliseconds: simulation.now.nanoseconds / 1_000_000))
            wakeAt = rest.until
        } catch {
            die(simulation)
        }
    }

    private func die(_ simulation: Simulation) {
        simulation.say("life \(life) dies, power \(isPowerCut)")
        simulation.killed()
        spooled?.died(powerCut: isPowerCut)
        core = nil
        answersWaiting = []
        life += 1
        if isPowerCut {
            files.crash(
                using: &simulation.random, survival: Survival.allCases.randomElement(using: &simulation.random)!)
        } else {
            files.processKilled()
        }
        startAt = simulation.now + .milliseconds(Int.random(in: 0...300, using: &simulation.random))
    }

    /// Ends the process between two turns.
    func kill(_ simulation: Simulation) {
        isPowerCut = false
        die(simulation)
    }

    /// The state directory as it stands now: a backup, or the disk of a clone.
    func state() throws -> [FilePath: [UInt8]] {
        var state: [FilePath: [UInt8]] = [:]
        for path in try files.allFiles(below: "/state") {
            state[path] = try files.contents(of: path, bytesMax: .mib(64))
        }
        return state
    }

    /// Puts a state in the place of what is there; the agent must be dead.
    func restore(_ state: [FilePath: [UInt8]]) throws {
        try files.createDirectory("/state")
        for path in try files.allFiles(below: "/state") { try files.unlink(path) }
        for (path, bytes) in state {
            let file = try files.open(path, .create)
            try bytes.withUnsafeBytes { try file.write($0, at: 0) }
            try file.sync()
            file.close()
        }
        try files.syncDirectory("/state")
    }

    private func start(_ simulation: Simulation) throws {
        var intents = IntentSettings()
        intents.capacity = .mib(1)
        intents.durability = durability
        let log = try IntentLog.open("/state", in: files, settings: intents).log
        simulation.say("life \(life) starts with \(log.snapshots) producer \(log.producer)")
        try log.bind(to: binding)
        var producer = ProducerSettings()
        producer.inspectionInterval = .seconds(5)
        self.simulation = simulation
        let machine = ProducerMachine(
            settings: producer, identity: log.producer == .none ? nil : log.producer, recovered: log.snapshots)
        let sender = BatchSender(
            machine: machine, journal: log, transport: SimulatedTransport(simulation, self)
        ) { [unowned simulation] in simulation.note($0) }
        var seal = SealSettings()
        seal.codec = simulation.random.oneIn(2) ? .none : .lz4
        seal.batchBytes = .kib(2)
        seal.openBytesMax = .kib(16)
        seal.linger = .milliseconds(Int.random(in: 5...60, using: &simulation.random))
        let spooledInput = try spooled?.start(files, checkpoints: log.streams) { log.takeStreamID() }
        let input: any Input =
            spooledInput
            ?? SimulatedInput(sources, checkpoints: log.streams, seed: simulation.random.next()) {
                log.takeStreamID()
            }
        core = ShippingCore(
            inputs: [input], assembler: BatchAssembler(settings: seal), log: log, sender: sender, topics: self
        ) { _ in }
        wakeAt = .zero
        try core!.start(now: simulation.now)
    }
}
