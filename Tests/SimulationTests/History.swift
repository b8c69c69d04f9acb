import Base
import Exports
import KafkaClient
import LogStorage
import NIOCore
import Records
import TestKit

/// Which promises a history is about.
enum Mode: String, CaseIterable, Sendable {
    /// Millrace's own broker at durability fsync.
    case own
    /// A broker of others: it remembers one batch per producer across a restart, forgets producers early, and may not tell what it knows.
    case others
    /// The broker acknowledges what is in the page cache, and loses power.
    case pageCache
}

/// One history: sources, an agent, a broker and an export with everything that goes wrong, and what must be true at its end.
final class History {
    let mode: Mode
    let world: World
    let ledger = Ledger()
    let broker: SimulatedBroker
    var agents: [AgentHost] = []
    var writers: [SourceWriter] = []
    let export: ExportHost
    private let faultsUntil: Instant
    var strikes = 0

    init(_ mode: Mode, seed: UInt64, isTraced: Bool = false, sabotage: Sabotage? = nil) {
        self.mode = mode
        world = World(seed: seed, isTraced: isTraced)
        world.sabotage = sabotage
        world.weather = Self.weather(world)
        broker = SimulatedBroker(world, Self.brokerTraits(mode, world))
        export = ExportHost(world, Self.exportTraits(world), broker: broker)
        faultsUntil = world.now + world.duration(.seconds(10)...(.seconds(50)))
        addAgent("h1", machineID: "machine-1", Self.agentTraits(world), disk: nil, sources: world.integer(1...3))
    }

    // MARK: - Chance decides

    private static func weather(_ world: World) -> NetworkWeather {
        if world.oneIn(4) { return NetworkWeather() }
        return NetworkWeather(
            breaks: [0.002, 0.02, 0.1].randomElement(using: &world.random)!,
            arrivesLate: [0, 0.5, 0.9].randomElement(using: &world.random)!,
            stalls: [0, 0.002, 0.02].randomElement(using: &world.random)!,
            repeats: [0, 0.3].randomElement(using: &world.random)!)
    }

    private static func brokerTraits(_ mode: Mode, _ world: World) -> BrokerTraits {
        var traits = BrokerTraits()
        traits.partitionCount = Int32(world.integer(1...3))
        traits.segmentBytes = [5000, 12_000, 1 << 20].randomElement(using: &world.random)!
        switch mode {
        case .own: break
        case .others:
            traits.keepsOneBatch = true
            traits.describesProducers = !world.oneIn(4)
            traits.producerExpiration = .seconds([5, 30, 86_400].randomElement(using: &world.random)!)
        case .pageCache:
            // Its memory is ours: no broker has our recovery, which keeps what follows a hole, and Kafka's one batch.
            traits.durability = world.oneIn(3) ? .interval : .pageCache
        }
        return traits
    }

    private static func agentTraits(_ world: World) -> AgentTraits {
        var traits = AgentTraits()
        traits.batchBytes = world.oneIn(3) ? 1024 : world.integer(1024...4096)
        traits.codec = world.oneIn(4) ? .gzip : .none
        traits.linger = .milliseconds(world.integer(0...120))
        traits.intentsMax = [16, 40, 4096].randomElement(using: &world.random)!
        traits.inFlightMax = world.oneIn(4) ? world.integer(1...4) : 5
        return traits
    }

    private static func exportTraits(_ world: World) -> ExportTraits {
        var traits = ExportTraits()
        traits.commitBytes = world.integer(200...4000)
        traits.commitAge = world.duration(.seconds(1)...(.seconds(10)))
        traits.openFilesMax = world.integer(1...3)
        traits.memberCount = world.integer(1...3)
        return traits
    }

    func addAgent(
        _ name: String, machineID: String, _ traits: AgentTraits, disk: SimulatedFileSystem?, sources: Int
    ) {
        let agent = AgentHost(
            world, name: name, machineID: machineID, traits: traits, disk: disk, broker: broker, ledger: ledger)
        agents.append(agent)
        for number in 1...sources {
            let writer = SourceWriter(
                world, agent, number: number, lines: world.integer(5...80), paddingMax: world.oneIn(3) ? 200 : 20)
            writers.append(writer)
        }
    }

    // MARK: - Running

    /// True where all went as promised.
    func run() -> Bool {
        broker.boot()
        for agent in agents { agent.boot() }
        for writer in writers { writer.start() }
        export.start()
        planStrike()
        _ = world.run(until: faultsUntil) { !world.violations.isEmpty }
        world.note("calm")
        world.weather = NetworkWeather()
        if world.violations.isEmpty { settle() }
        if world.violations.isEmpty { check() }
        end()
        return world.violations.isEmpty
    }

    private func settle() {
        let isShipped = { [self] in
            writers.allSatisfy { $0.linesLeft == 0 } && agents.allSatisfy(\.isDrained) && broker.life != nil
        }
        let limit = world.now + .seconds(3600)
        // Longer than anything looks again for what it missed; at page-cache the agent does for what it had acknowledged, and its question may
        // go unanswered for as long as a request may take.
        let pause = mode == .pageCache ? AgentHost.inspectionInterval + .seconds(45) : .seconds(7)
        while world.violations.isEmpty, world.now < limit {
            _ = world.run(until: limit, isShipped)
            _ = world.run(until: world.now + pause) { !world.violations.isEmpty }
            if isShipped() { break }
        }
        guard world.violations.isEmpty else { return }
        guard isShipped() else {
            return world.violated(
                "nothing moves any more: \(agents.map(\.statusText)), lines left \(writers.map(\.linesLeft))")
        }
        export.consolidate()
        let isExported = { [self] in
            broker.partitions.allSatisfy { partition in
                guard let end = broker.log(for: partition)?.highWatermark else { return false }
                return end == broker.log(for: partition)?.logEndOffset
                    && (export.positions[partition] == end || export.stoppedPartitions[partition] != nil)
            }
        }
        if !world.run(until: world.now + .seconds(600), { isExported() || !world.violations.isEmpty }) {
            return world.violated("the export does not reach the log's end: \(export.positions)")
        }
        export.finish()
        if !world.run(until: world.now + .seconds(600), { export.tasks == 0 }) {
            world.violated("the export does not stop")
        }
    }

    /// Lets go of everything that still waits.
    private func end() {
        export.end()
        _ = world.run(until: world.now + .seconds(120)) { export.tasks == 0 }
        for agent in agents { agent.end() }
        broker.end()
        world.end()
    }

    // MARK: - What goes wrong

    private func planStrike() {
        world.after(world.duration(.milliseconds(200)...(.seconds(6)))) { [self] in
            guard world.now < faultsUntil else { return }
            strike()
            planStrike()
        }
    }

    private func strike() {
        strikes += 1
        let agent = agents.randomElement(using: &world.random)!
        switch world.integer(0...12) {
        case 0, 1: broker.strike(powerCut: false)
        case 2: broker.strike(powerCut: true)
        case 3: broker.shutDown()
        case 4, 5: agent.strike(powerCut: false)
        case 6: agent.strike(powerCut: true)
        case 7: agent.shutDown()
        case 8, 9: export.strikeMember()
        case 10: export.cutPower()
        case 11: export.rebalance()
        default: world.weather = Self.weather(world)
        }
    }
}
