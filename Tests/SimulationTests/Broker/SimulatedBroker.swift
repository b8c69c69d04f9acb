import Base
import KafkaClient
import KafkaWire
import LogStorage
import NIOCore
import Records
import SystemPackage
import TestKit

/// What kind of broker it is.
struct BrokerTraits {
    var durability = Durability.fsync
    /// Producer snapshots keep one batch per producer, as Kafka's do.
    var keepsOneBatch = false
    /// A producer that was silent for so long is forgotten.
    var producerExpiration = Duration.seconds(86_400)
    /// DescribeProducers is answered.
    var describesProducers = true
    var partitionCount: Int32 = 1
    var segmentBytes = 4096
}

/// A thin broker around the real log engine, on a disk of its own: a process that can die at any call of the disk.
final class SimulatedBroker {
    static let topic = "lines"
    static let topicID = TopicID(high: 0x1234, low: 0x5678)
    private static let folder = FilePath("/broker")

    let world: World
    let traits: BrokerTraits
    let disk: SimulatedFileSystem
    private var directory: LogDirectory?
    /// Which life of the process it is; nil while it is dead.
    private(set) var life: Int?
    private var lives = 0
    private var leaderEpoch: Int32 = 0
    private var producerIDs: Int64 = 1000
    private var waiting: [(log: PartitionLog, offset: Offset, then: () -> Void)] = []
    private var flushIsPlanned = false
    /// Called when a life ends.
    var onDeath: [() -> Void] = []
    /// How often the power was cut.
    private(set) var powerCuts = 0

    init(_ world: World, _ traits: BrokerTraits) {
        self.world = world
        self.traits = traits
        disk = SimulatedFileSystem(time: world.time)
    }

    var partitions: [TopicPartition] {
        (0..<traits.partitionCount).map { TopicPartition(topic: Self.topic, partition: $0) }
    }

    func log(for partition: TopicPartition) -> PartitionLog? { directory?.log(for: partition) }

    // MARK: - Life and death

    func boot() {
        guard life == nil else { return }
        if traits.keepsOneBatch { forgetBatches() }
        var settings = LogDirectorySettings()
        settings.producerExpiration = traits.producerExpiration
        settings.checkpointInterval = .seconds(5)
        let world = world
        let directory = LogDirectory(
            path: Self.folder, fileSystem: disk, time: world.time, settings: settings,
            onFact: { fact in world.note("broker: \(fact)") })
        let config = config
        do {
            try directory.open { _, _ in config }
            for (partition, reason) in directory.offlinePartitions.sorted(by: { $0.key < $1.key }) {
                if !disk.isStopped { world.violated("the broker opened \(partition) as offline: \(reason)") }
            }
            for partition in partitions where directory.log(for: partition) == nil {
                _ = try directory.create(
                    topic: partition.topic, id: Self.topicID, partition: partition.partition, config: config)
            }
        } catch {
            if !disk.isStopped { world.violated("the broker does not start: \(error)") }
            self.directory = nil
            lives += 1
            life = lives
            return died()
        }
        self.directory = directory
        lives += 1
        life = lives
        leaderEpoch += 1
        world.note("broker life \(lives) begins")
        if disk.isStopped { return died() }
        tick(life: lives)
    }

    private var config: LogConfig {
        var config = LogConfig()
        config.durability = traits.durability
        config.segmentBytes = ByteCount(traits.segmentBytes)
        config.indexInterval = ByteCount(256)
        config.flushInterval = .milliseconds(500)
        config.retentionAge = nil
        return config
    }

    private func tick(life: Int) {
        world.after(.seconds(1)) { [weak self] in
            guard let self, self.life == life else { return }
            directory?.tick(now: world.now)
            if disk.isStopped { died() } else { tick(life: life) }
        }
    }

    /// The process ends where the next stop of the disk says; or now.
    private func died() {
        guard life != nil else { return }
        world.note("broker life \(life!) ends")
        life = nil
        directory = nil
        waiting = []
        flushIsPlanned = false
        if plannedPowerCut { cutPower() } else { disk.processKilled() }
        for death in onDeath { death() }
        world.after(world.duration(.milliseconds(50)...(.seconds(3)))) { [self] in boot() }
    }

    private var plannedPowerCut = false

    private func cutPower() {
        powerCuts += 1
        let survival = Survival.allCases.randomElement(using: &world.random)!
        world.note("broker: power cut, \(survival)")
        disk.crash(using: &world.random, survival: survival)
    }

    /// It dies at one of the next calls of its disk, or at once.
    func strike(powerCut: Bool) {
        guard life != nil else { return }
        plannedPowerCut = powerCut
        if world.oneIn(4) { return died() }
        disk.stopAt(operation: disk.operationCount + world.integer(1...12))
        // Should the disk be idle, it dies all the same.
        let struck = life
        world.after(.seconds(2)) { [self] in
            if life == struck { died() }
        }
    }

    func shutDown() {
        guard life != nil, let directory else { return }
        plannedPowerCut = false
        world.note("broker: shut down")
        do { try directory.shutDown() } catch {
            if !disk.isStopped { world.violated("the broker's shutdown failed: \(error)") }
        }
        died()
    }

    /// For good.
    func end() {
        life = nil
        directory = nil
        waiting = []
        onDeath = []
    }

    /// What a snapshot of another broker would have kept: the entries without our extension.
    private func forgetBatches() {
        for path in (try? disk.allFiles(below: Self.folder)) ?? [] where path.string.hasSuffix(".snapshot") {
            try? disk.overwrite(path) { bytes in
                guard bytes.count >= 10 else { return }
                let count = bytes[6..<10].reduce(0) { $0 << 8 | Int($1) }
                guard bytes.count >= 10 + count * 46 else { return }
                bytes.removeLast(bytes.count - 10 - count * 46)
                let sum = CRC32C.checksum(Array(bytes[6...]))
                for place in 0..<4 { bytes[2 + place] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32(place))) }
            }
        }
    }

    // MARK: - Requests

    /// Answers once, later or at once, unless the process dies.
    func handle(_ request: BrokerRequest, answer: @escaping (BrokerResponse) -> Void) {
        guard let life else { return }
        let say = { [self] (response: BrokerResponse) in
            guard self.life == life, !disk.isStopped else { return }
            answer(response)
        }
        defer { if disk.isStopped { died() } }
        switch request {
        case .produce(let partition, let bytes): produce(partition, bytes, say)
        case .listOffsets(let partition):
            guard let log = log(for: partition) else { return say(.failed(.unknownTopicOrPartition)) }
            say(.offsets(Self.topicID, start: log.logStartOffset, highWatermark: log.highWatermark))
        case .describeProducers(let partition, let id):
            guard let log = log(for: partition) else { return say(.failed(.unknownTopicOrPartition)) }
            guard traits.describesProducers else { return say(.producer(.unavailable)) }
            guard let known = log.producers().first(where: { $0.producerID == id }) else {
                return say(.producer(.unknown))
            }
            say(.producer(.known(known.epoch, lastSequence: known.lastSequence)))
        case .epochEnd(let partition, let epoch):
            guard let log = log(for: partition) else { return say(.failed(.unknownTopicOrPartition)) }
            say(.epochEnd(log.endOffset(for: epoch)?.1))
        case .fetch(let partition, let from, let lastEpoch, let bytesMax):
            guard let log = log(for: partition) else { return say(.failed(.unknownTopicOrPartition)) }
            if lastEpoch != .none, let end = log.endOffset(for: lastEpoch)?.1, end < from {
                return say(.offsetOutOfRange(start: log.logStartOffset, end: log.highWatermark))
            }
            do throws(ReadError) {
                let slice = try log.read(from: from, bytesMax: bytesMax, atLeastOneBatch: true, upTo: .highWatermark)
                say(.fetched(try slice.bytes(), start: slice.logStartOffset, highWatermark: slice.highWatermark))
            } catch {
                if error.code == .offsetOutOfRange {
                    return say(.offsetOutOfRange(start: log.logStartOffset, end: log.highWatermark))
                }
                if !disk.isStopped { world.violated("a read of \(partition) from \(from) failed: \(error)") }
                say(.failed(.kafkaStorageError))
            }
        case .initProducerID:
            producerIDs += 1
            say(.producerID(ProducerIdentity(id: ProducerID(producerIDs), epoch: ProducerEpoch(0))))
        }
    }

    private func produce(_ partition: TopicPartition, _ bytes: ByteBuffer, _ say: @escaping (BrokerResponse) -> Void) {
        guard let log = log(for: partition) else { return say(.failed(.unknownTopicOrPartition)) }
        do throws(AppendError) {
            let result = try log.append(
                bytes, leaderEpoch: LeaderEpoch(leaderEpoch), origin: .client, now: world.time.wallTime)
            if !result.isDuplicate {
                world.note("broker: \(partition) appended \(result.baseOffset)...\(result.lastOffset)")
            }
            let answer = { say(.produced(.none, baseOffset: result.baseOffset)) }
            if log.ackOffset >= result.nextOffset { return answer() }
            waiting.append((log, result.nextOffset, answer))
            planFlush()
        } catch {
            world.note("broker: \(partition) refused: \(error)")
            say(.produced(Self.code(error), baseOffset: .none))
        }
    }

    private static func code(_ error: AppendError) -> ErrorCode {
        switch error.code {
        case .corruptBatch: .corruptMessage
        case .messageTooLarge: .messageTooLarge
        case .invalidTxnState: .invalidTxnState
        case .coordinatorFenced: .transactionCoordinatorFenced
        case .outOfOrderSequence: .outOfOrderSequenceNumber
        case .invalidProducerEpoch: .invalidProducerEpoch
        case .unknownProducer: .unknownProducerId
        case .noSpace, .offline: .kafkaStorageError
        case .unsupportedMagic, .invalidRecord, .invalidTimestamp, .unsupportedCodec, .offsetsOutOfOrder: .invalidRecord
        }
    }

    /// Group commit: one flush for all that came meanwhile.
    private func planFlush() {
        guard !flushIsPlanned, let life else { return }
        flushIsPlanned = true
        let pause = world.duration(.microseconds(500)...(world.oneIn(20) ? .milliseconds(900) : .milliseconds(15)))
        world.after(pause) { [self] in
            guard self.life == life else { return }
            flushIsPlanned = false
            for partition in partitions {
                guard let log = log(for: partition), waiting.contains(where: { $0.log === log }) else { continue }
                do { _ = try log.flush() } catch { return died() }
            }
            if disk.isStopped { return died() }
            let done = waiting.filter { $0.log.ackOffset >= $0.offset }
            waiting.removeAll { $0.log.ackOffset >= $0.offset }
            for entry in done { entry.then() }
            if !waiting.isEmpty { planFlush() }
        }
    }
}
