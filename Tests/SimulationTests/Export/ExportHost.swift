import Base
import Exports
import SystemPackage
import TestKit

/// What kind of export it is.
struct ExportTraits {
    var commitBytes = 2000
    var commitAge = Duration.seconds(4)
    var openFilesMax = 2
    var memberCount = 2
}

/// The machine that the members of an export's group run on, with the table on its disk; and the group, which gives each partition to one
/// member at a time, as far as it can know.
final class ExportHost: @unchecked Sendable {
    static let root = FilePath("/data/logs")

    let world: World
    let traits: ExportTraits
    let broker: SimulatedBroker
    let disk: SimulatedFileSystem
    private(set) var members: [ExportMember] = []
    private var generation = 0
    /// Attempts under way; a history is over when there are none.
    var tasks = 0
    private(set) var isFinishing = false
    /// Partitions that wait for a person, and why.
    private(set) var stoppedPartitions: [TopicPartition: ExportError] = [:]

    init(_ world: World, _ traits: ExportTraits, broker: SimulatedBroker) {
        self.world = world
        self.traits = traits
        self.broker = broker
        disk = SimulatedFileSystem(time: world.time)
        broker.onDeath.append { [weak self] in
            guard let self else { return }
            for member in members { member.link.brokerDied() }
        }
    }

    static func chain(of partition: TopicPartition) -> ChainID {
        ChainID(
            pipeline: "lines-to-table", table: "lines", topic: partition.topic, topicID: SimulatedBroker.topicID,
            partition: partition.partition)
    }

    func start() {
        for _ in 0..<traits.memberCount { join() }
        rebalance()
    }

    func join() {
        generation += 1
        members.append(ExportMember(self, number: generation))
    }

    /// Gives every partition to some live member; each hears of it when it hears of it.
    func rebalance() {
        generation += 1
        let live = members.filter { !$0.isDead }
        guard !live.isEmpty, !isFinishing else { return }
        let shift = world.integer(0...live.count)
        var assigned: [ObjectIdentifier: Set<TopicPartition>] = [:]
        for (place, partition) in broker.partitions.enumerated() {
            assigned[ObjectIdentifier(live[(place + shift) % live.count]), default: []].insert(partition)
        }
        world.note("export: generation \(generation)")
        for member in live {
            let partitions = assigned[ObjectIdentifier(member)] ?? []
            let delay =
                world.oneIn(5) ? world.duration(.zero...(.seconds(25))) : world.duration(.zero...(.milliseconds(80)))
            let generation = generation
            world.after(delay) { member.assigned(partitions, generation: generation) }
        }
    }

    func strikeMember() {
        guard let member = members.filter({ !$0.isDead }).randomElement(using: &world.random) else { return }
        if world.oneIn(4) { member.files.die() } else { member.files.die(afterCalls: world.integer(1...15)) }
    }

    func cutPower() {
        for member in members where !member.isDead { member.files.die() }
        let survival = Survival.allCases.randomElement(using: &world.random)!
        world.note("export: power cut, \(survival)")
        disk.crash(using: &world.random, survival: survival)
    }

    /// A member died: another comes, and the group notices when the session is over.
    func memberDied() {
        members.removeAll(where: \.isDead)
        guard !isFinishing else { return }
        world.after(world.duration(.milliseconds(50)...(.seconds(2)))) { [self] in
            guard !isFinishing else { return }
            join()
            if world.oneIn(2) { rebalance() } else { world.after(.seconds(3)) { [self] in rebalance() } }
        }
    }

    /// An export stopped loudly. Only a broker that lost what it had shown is a reason.
    func stopped(_ partition: TopicPartition, _ error: ExportError) {
        stoppedPartitions[partition] = error
        let isReason = error.code == .aheadOfLog || error.code == .offsetOutOfRange
        if !isReason || broker.traits.durability == .fsync || broker.powerCuts == 0 {
            world.violated("the export of \(partition) stopped: \(error)")
        }
    }

    /// Where each partition is staged up to by its owner.
    var positions: [TopicPartition: Offset] {
        var positions: [TopicPartition: Offset] = [:]
        for member in members where !member.isDead { positions.merge(member.positions) { max($0, $1) } }
        return positions
    }

    /// One member that owns everything, and nobody else.
    func consolidate() {
        isFinishing = true
        for member in members where !member.isDead { member.files.die() }
        isFinishing = false
        members = []
        join()
        generation += 1
        members[0].assigned(Set(broker.partitions), generation: generation)
    }

    /// Everybody commits what is staged and stops.
    func finish() {
        isFinishing = true
        for member in members { member.assigned([], generation: .max) }
    }

    func end() {
        isFinishing = true
        for member in members where !member.isDead { member.files.die() }
    }
}
