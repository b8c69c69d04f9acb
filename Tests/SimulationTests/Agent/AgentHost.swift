import Base
import KafkaClient
import Records
import SystemPackage
import TestKit

@testable import Agent

/// What kind of agents they are.
struct AgentTraits {
    var batchBytes = 1024
    var codec = Codec.none
    var linger = Duration.milliseconds(50)
    /// Intents that are remembered, acknowledged ones included.
    var intentsMax = 4096
    var intents = IntentSettings.Durability.fsync
    var inFlightMax = 5
}

/// A machine with sources and an agent: the real tailer, assembler, intent log and producer machine on a disk of its own.
final class AgentHost {
    /// How often it asks after what was acknowledged while nothing else happens.
    static let inspectionInterval = Duration.seconds(20)

    static let state = FilePath("/state")

    let world: World
    let name: String
    let machineID: String
    let traits: AgentTraits
    let ledger: Ledger
    var disk: SimulatedFileSystem
    private let broker: SimulatedBroker
    private var process: AgentProcess?
    private var lives = 0
    /// The disk stops at this call of it.
    private var stop: Int?
    private var plannedPowerCut = false
    /// It is off, and does not come back by itself.
    var isOff = false

    init(
        _ world: World, name: String, machineID: String, traits: AgentTraits, disk: SimulatedFileSystem? = nil,
        broker: SimulatedBroker, ledger: Ledger
    ) {
        self.world = world
        self.name = name
        self.machineID = machineID
        self.traits = traits
        self.disk = disk ?? SimulatedFileSystem(time: world.time)
        self.broker = broker
        self.ledger = ledger
        broker.onDeath.append { [weak self] in self?.process?.link.brokerDied() }
    }

    var isAlive: Bool { process != nil }
    var isDrained: Bool { process?.isDrained ?? false }
    var statusText: String { process?.statusText ?? "dead" }

    /// Whether the source has a position in the agent's log.
    func knows(_ path: FilePath) -> Bool { process?.sources.contains(name + path.string) ?? false }

    /// Does something on the disk that the stop of the agent's calls must not hit.
    func undisturbed(_ body: (SimulatedFileSystem) -> Void) {
        let before = disk.operationCount
        disk.stopAt(operation: nil)
        body(disk)
        if stop != nil {
            stop! += disk.operationCount - before
            disk.stopAt(operation: stop)
        }
    }

    /// What a writer did to the folder of logs.
    func told(_ tell: (SimulatedNotifier) -> Void) { process?.told(tell) }

    func boot() {
        guard process == nil, !isOff else { return }
        lives += 1
        world.note("\(name) life \(lives) begins")
        do {
            process = try AgentProcess(self, broker)
            process?.run { core, now in try core.start(now: now) }
        } catch {
            if !disk.isStopped { world.violated("\(name) does not start: \(error)") }
            died()
        }
    }

    func strike(powerCut: Bool) {
        guard process != nil else { return }
        plannedPowerCut = powerCut
        if world.oneIn(4) { return died() }
        stop = disk.operationCount + world.integer(1...12)
        disk.stopAt(operation: stop)
        let struck = lives
        world.after(.seconds(2)) { [self] in
            if lives == struck { died() }
        }
    }

    func died() {
        world.note("\(name) life \(lives) ends")
        process?.end()
        process = nil
        stop = nil
        lives += 1
        if plannedPowerCut {
            let survival = Survival.allCases.randomElement(using: &world.random)!
            world.note("\(name): power cut, \(survival)")
            disk.crash(using: &world.random, survival: survival)
        } else {
            disk.processKilled()
        }
        plannedPowerCut = false
        world.after(world.duration(.milliseconds(20)...(.seconds(3)))) { [self] in boot() }
    }

    /// For good.
    func end() {
        isOff = true
        process?.end()
        process = nil
    }

    func shutDown() {
        guard let process else { return }
        do { try process.close() } catch {
            if !disk.isStopped { world.violated("\(name) does not stop: \(error)") }
        }
        died()
    }
}

/// One life of an agent.
final class AgentProcess: TopicDirectory {
    private let host: AgentHost
    private let world: World
    let link: Link
    private let lock: StateDirectory
    private var core: ShippingCore?
    private var tailer: FileTailer?
    private let notifier = SimulatedNotifier()
    private var isOver = false
    /// Which planned turn is the one that counts.
    private var turns = 0

    init(_ host: AgentHost, _ broker: SimulatedBroker) throws {
        self.host = host
        world = host.world
        link = Link(world, to: broker, name: host.name)
        lock = try StateDirectory(AgentHost.state, in: host.disk)
        var intents = IntentSettings()
        intents.capacity = .mib(1)
        intents.intentsMax = host.traits.intentsMax
        intents.durability = host.traits.intents
        let (log, recovery) = try IntentLog.open(AgentHost.state, in: host.disk, settings: intents)
        let world = world
        world.note("\(host.name): recovered \(recovery)")
        try log.bind(to: StateBinding(machineID: host.machineID, clusterID: "cluster"))
        switch recovery.finding {
        case .fresh, .whole: break
        case .damagedCheckpoint, .lostRecords: world.violated("\(host.name) found its state damaged: \(recovery)")
        }
        var settings = ProducerSettings()
        settings.inFlightMax = host.traits.inFlightMax
        settings.backoffMax = .seconds(2)
        settings.inspectionInterval = AgentHost.inspectionInterval
        let machine = ProducerMachine(
            settings: settings, identity: log.producer == .none ? nil : log.producer, recovered: log.snapshots)
        let transport = SimulatedTransport(world, link)
        let (ledger, name) = (host.ledger, host.name)
        let sender = BatchSender(machine: machine, journal: log, transport: transport) { notice in
            world.note("\(name): \(notice)")
            ledger.noticed(notice)
            if case .intentUnreadable = notice { world.violated("\(name): \(notice)") }
            if case .held = notice { world.violated("\(name): \(notice)") }
        }
        var files = FileTailerSettings(host: host.name)
        files.reconcileInterval = .seconds(5)
        files.linger = .seconds(3)
        files.blockBytes = .kib(4)
        let tailer = try FileTailer(
            sources: [FileInputSettings(paths: ["/log/*.log"], topic: SimulatedBroker.topic)], settings: files,
            files: host.disk, notifier: notifier, checkpoints: log.streams, nextStreamID: { log.takeStreamID() })
        self.tailer = tailer
        var seal = SealSettings()
        seal.codec = host.traits.codec
        seal.batchBytes = ByteCount(host.traits.batchBytes)
        seal.openBytesMax = .kib(16)
        seal.linger = host.traits.linger
        core = ShippingCore(
            inputs: [tailer], assembler: BatchAssembler(settings: seal), log: log, sender: sender, topics: self,
            onInputEvent: { event in
                world.note("\(name): \(event)")
                switch event {
                case .retired, .positioned: break
                case .lineCut, .lineSkipped, .nulBytesSkipped, .lineUnterminated, .truncated, .gap, .trouble,
                    .recovered, .relieved:
                    world.violated("\(name): the tailer says \(event)")
                }
            })
        transport.deliver = { [unowned self] answer in run { core, now in try core.answered(answer, now: now) } }
        plan(world.now)
    }

    func partitionCount(of topic: String) -> Int32? { host.partitionCount }

    var isDrained: Bool {
        guard let core, let tailer else { return false }
        return core.isDrained && tailer.streamStatuses().allSatisfy { ($0.unread ?? 0) == 0 }
    }

    var sources: Set<String> { Set(core?.log.streams.map(\.source.text) ?? []) }

    var statusText: String {
        guard let core else { return "" }
        return
            "\(core.sender.machine.states), \(core.log.pendingCount) pending, assembler empty: \(core.assembler.isEmpty)"
    }

    /// Something happens to the process; afterwards it has a turn, or it is dead.
    func run(_ body: (ShippingCore, Instant) throws -> Void) {
        guard !isOver, let core else { return }
        do { try body(core, world.now) } catch {
            if !host.disk.isStopped { world.violated("\(host.name) failed: \(error)") }
            return host.died()
        }
        if host.disk.isStopped { return host.died() }
        plan(world.now)
    }

    func told(_ tell: (SimulatedNotifier) -> Void) {
        tell(notifier)
        plan(world.now + .microseconds(50))
    }

    private func plan(_ moment: Instant) {
        turns += 1
        let turn = turns
        world.at(moment) { [weak self] in
            guard let self, turns == turn, !isOver else { return }
            takeTurn()
        }
    }

    private func takeTurn() {
        guard let core else { return }
        do {
            let rest = try core.turn(now: world.now, wallTime: world.time.wallTime)
            if host.disk.isStopped { return host.died() }
            // A loop that has nothing to wait for is seldom faster than this.
            plan(max(rest.until, world.now + .microseconds(200)))
        } catch {
            if !host.disk.isStopped { world.violated("\(host.name) failed: \(error)") }
            host.died()
        }
    }

    func close() throws { try core?.log.close() }

    func end() {
        isOver = true
        link.isClosed = true
        lock.release()
        core = nil
        tailer = nil
    }
}

extension AgentHost {
    var partitionCount: Int32 { broker.traits.partitionCount }
}
