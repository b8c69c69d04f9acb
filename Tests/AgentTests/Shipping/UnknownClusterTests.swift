import Base
import KafkaClient
import SystemPackage
import TestKit
import Testing

@testable import Agent

/// While no broker was ever reached there is no producer id, and no batch can be sealed.
@Suite struct UnknownCluster {
    /// Takes every request and never answers.
    private final class Silence: ProducerTransport {
        func begin(_ request: ProducerRequest) {}
    }

    private final class OnePartition: TopicDirectory {
        func partitionCount(of topic: String) -> Int32? { 1 }
    }

    @Test func whatTheFirstLookFoundIsKnownAfterAKill() throws {
        let rig = TailerRig()
        rig.write("1\n", to: "/log/a.log")
        rig.write("2\n", to: "/log/b.log")
        let state = SimulatedFileSystem(time: rig.time)
        var intents = IntentSettings()
        intents.capacity = .mib(1)
        do {
            let (log, _) = try IntentLog.open("/state", in: state, settings: intents)
            let tailer = try FileTailer(
                sources: [rig.input], settings: rig.settings, files: rig.disk, notifier: NoNotifier(), checkpoints: [],
                nextStreamID: { log.takeStreamID() })
            let machine = ProducerMachine(settings: ProducerSettings(), identity: nil, recovered: [])
            let transport = Silence()
            let sender = BatchSender(machine: machine, journal: log, transport: transport) { _ in }
            let topics = OnePartition()
            var seal = SealSettings()
            seal.openBytesMax = .kib(8)
            seal.batchBytes = .kib(1)
            let core = ShippingCore(
                inputs: [tailer], assembler: BatchAssembler(settings: seal), log: log, sender: sender, topics: topics
            ) { _ in }
            try core.start(now: rig.time.now)
            for _ in 0..<20 {
                _ = try core.turn(now: rig.time.now, wallTime: rig.time.wallTime)
                rig.pass(.milliseconds(100))
            }
            tailer.close()
        }
        var random = SeededRandom(seed: 1)
        state.crash(using: &random, survival: .dropUnsynced)
        let (log, recovery) = try IntentLog.open("/state", in: state, settings: intents)
        #expect(recovery.finding == .whole)
        let positions = log.streams.compactMap { FilePosition($0.position) }
        #expect(positions.count == 2)
        // Known, and nothing of them sealed.
        #expect(positions.allSatisfy { $0.offset == 0 && $0.prefix.length > 0 })
        #expect(log.streams.contains { PatternMark($0.position) != nil })
    }
}
