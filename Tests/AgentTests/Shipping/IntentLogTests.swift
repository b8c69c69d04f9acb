import Base
import KafkaClient
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import Agent

private let folder: FilePath = "/state"
private let partitions = [TopicPartition(topic: "a", partition: 0), TopicPartition(topic: "b", partition: 3)]
private let identity = ProducerIdentity(id: ProducerID(7), epoch: ProducerEpoch(0))

private func settings(_ durability: IntentSettings.Durability = .fsync) -> IntentSettings {
    var settings = IntentSettings()
    settings.capacity = .mib(1)
    settings.durability = durability
    return settings
}

/// A batch whose one record says which seal it belongs to.
private func batch(_ partition: TopicPartition, sequence: Int32, text: String, fill: Int) throws -> Seal.Batch {
    var builder = RecordBatchBuilder(codec: .none, capacity: .mib(1))
    let value = Array(text.utf8) + [UInt8](repeating: 0x2e, count: fill)
    value.withUnsafeBytes { _ = builder.append(timestamp: Timestamp(milliseconds: 1), key: nil, value: $0) }
    let bytes = try builder.seal(producerID: identity.id, epoch: identity.epoch, baseSequence: sequence)
    return Seal.Batch(
        partition: partition, identity: identity, baseSequence: sequence, recordCount: 1, bytes: bytes)
}

private func position(_ number: Int) -> StreamPosition { StreamPosition(bytes: Array("at \(number)".utf8)) }

private func checkpoint(_ stream: UInt64, _ number: Int) -> StreamCheckpoint {
    StreamCheckpoint(stream: StreamID(stream), source: SourceKey("host/\(stream)"), position: position(number))
}

/// Does to a log what an agent does, step by step, and keeps what it was promised.
private final class Rig {
    let files: SimulatedFileSystem
    var random: SeededRandom
    let intents: IntentSettings
    /// Seals that were synced, and that were at least begun.
    var synced = 0
    var begun = 0
    var acknowledged: Set<UInt64> = []
    var rebased = false

    init(_ files: SimulatedFileSystem, seed: UInt64, _ intents: IntentSettings = settings()) {
        self.files = files
        random = SeededRandom(seed: seed)
        self.intents = intents
    }

    func open() throws -> IntentLog { try IntentLog.open(folder, in: files, settings: intents).log }

    /// Seals, syncs and acknowledges `count` times from where the log is.
    func work(_ count: Int) throws {
        let log = try open()
        try log.record(producer: identity)
        for _ in 0..<count {
            let number = Int(log.streams.first { $0.stream == StreamID(1) }.map(Self.number) ?? 0) + 1
            var seal = Seal()
            for (index, partition) in partitions.enumerated() {
                seal.batches.append(
                    try batch(
                        partition, sequence: Int32(number - 1), text: "\(number)/\(index)",
                        fill: Int.random(in: 0..<40_000, using: &random)))
            }
            seal.streams = [checkpoint(1, number), checkpoint(UInt64(100 + number), number)]
            seal.retired = number > 3 ? [StreamID(UInt64(100 + number - 3))] : []
            seal.counts = [SourceCount(source: SourceKey("host/1"), hour: 5, lines: 2, bytes: 10)]
            guard try log.makeRoom(bytes: seal.byteCountMax, batches: 2) else {
                try acknowledgeSome(log)
                continue
            }
            begun = max(begun, number)
            _ = try log.append(seal)
            try log.sync()
            synced = max(synced, number)
            if random.oneIn(2) { try acknowledgeSome(log) }
            if random.oneIn(20) { try rebase(log) }
            try log.flush()
        }
        try log.close()
    }

    private func acknowledgeSome(_ log: IntentLog) throws {
        for intent in log.state.intents where intent.acknowledged == nil {
            guard !random.oneIn(6) else { break }
            acknowledged.insert(intent.batch.id.rawValue)
            try log.recordAcknowledgement(
                of: intent.batch.id, in: intent.batch.partition, at: Offset(Int64(intent.batch.id.rawValue)))
        }
    }

    private func rebase(_ log: IntentLog) throws {
        let partition = partitions[0]
        let pending = log.snapshots.first { $0.partition == partition }!.pending
        guard !pending.isEmpty else { return }
        rebased = true
        try log.record(
            rebase: PartitionRebase(
                partition: partition, topicID: .zero,
                identity: ProducerIdentity(id: identity.id, epoch: ProducerEpoch(1)),
                floor: .zero, batches: pending.map(\.id)))
    }

    static func number(_ checkpoint: StreamCheckpoint) -> Int {
        Int(String(decoding: checkpoint.position.bytes.dropFirst(3), as: UTF8.self))!
    }

    /// What must hold after any crash.
    func check(afterPowerCut: Bool) throws {
        let (log, recovery) = try IntentLog.open(folder, in: files, settings: intents)
        switch recovery.finding {
        case .fresh: #expect(synced == 0, "state vanished")
        case .whole: break
        case .damagedCheckpoint, .lostRecords: Issue.record("a crash was taken for damage: \(recovery.finding)")
        }
        let sealed = log.streams.first { $0.stream == StreamID(1) }.map(Self.number) ?? 0
        // A prefix of the seals, and all that was promised.
        #expect(sealed <= begun)
        if intents.durability == .fsync || !afterPowerCut { #expect(sealed >= synced) }
        for stream in log.streams where stream.stream.rawValue > 100 {
            #expect(Self.number(stream) > sealed - 3, "a retired stream came back")
        }
        // Each pending batch is there, whole, in order, and nothing that isn't in a batch is behind a position.
        for (index, partition) in partitions.enumerated() {
            let pending = log.snapshots.first { $0.partition == partition }?.pending ?? []
            #expect(pending.map(\.id) == pending.map(\.id).sorted())
            for batch in pending {
                let number = Int((batch.id.rawValue - 1) / BatchID.step) / 2 + 1
                #expect(number <= sealed)
                let bytes = try RecordBatch(try log.bytes(of: batch.id))
                try bytes.checkCRC()
                #expect(bytes.producerEpoch == batch.identity.epoch && bytes.baseSequence == batch.baseSequence)
                var records = try bytes.records(decompressedMax: .mib(1))
                let text = String(decoding: try records.next()!.value!.readableBytesView, as: UTF8.self)
                #expect(text.hasPrefix("\(number)/\(index)"))
            }
            // Whatever isn't pending was acknowledged.
            let held = Set(pending.map(\.id.rawValue))
            for number in 1..<(sealed + 1) {
                let id = 1 + UInt64((number - 1) * 2 + index) * BatchID.step
                #expect(held.contains(id) || acknowledged.contains(id), "batch \(id) is gone")
            }
        }
        try log.close()
    }
}

@Suite struct IntentLogs {
    @Test func whatWasSealedIsThereAgain() throws {
        let rig = Rig(SimulatedFileSystem(), seed: 1)
        try rig.work(5)
        try rig.check(afterPowerCut: false)
    }

    @Test func theRingGoesRoundManyTimes() throws {
        let rig = Rig(SimulatedFileSystem(), seed: 2)
        for _ in 0..<4 {
            try rig.work(100)
            try rig.check(afterPowerCut: false)
        }
        #expect(rig.synced > 200)
    }

    /// Cuts the run at every mutating call, leaves what a power cut may leave, and starts again: twice, so that the start is cut too.
    @Test(arguments: Survival.allCases) func survivesACutAtEveryCall(survival: Survival) throws {
        for seed: UInt64 in [1] {
            var cut = 1
            while true {
                let rig = Rig(SimulatedFileSystem(), seed: seed)
                var power = SeededRandom(seed: seed &* 1000 &+ UInt64(cut))
                rig.files.stopAt(operation: cut)
                let finished = (try? rig.work(24)) != nil
                rig.files.crash(using: &power, survival: survival)
                rig.files.stopAt(operation: rig.files.operationCount + 1 + Int(power.next() % 8))
                _ = try? rig.work(3)
                rig.files.crash(using: &power, survival: survival)
                try rig.check(afterPowerCut: true)
                if finished { break }
                cut += 1
            }
        }
    }

    @Test func survivesKillsAtEveryCall() throws {
        for durability: IntentSettings.Durability in [.fsync, .none] {
            var cut = 1
            while true {
                let rig = Rig(SimulatedFileSystem(), seed: 3, settings(durability))
                rig.files.stopAt(operation: cut)
                let finished = (try? rig.work(20)) != nil
                rig.files.processKilled()
                try rig.check(afterPowerCut: false)
                if finished { break }
                cut += 1
            }
        }
    }

    @Test func aFullRingPushesBackUntilSomethingIsAcknowledged() throws {
        let log = try IntentLog.open(folder, in: SimulatedFileSystem(), settings: settings()).log
        var sealed: [SealedBatch] = []
        for number in 0... {
            var seal = Seal()
            seal.batches = [try batch(partitions[0], sequence: Int32(number), text: "\(number)", fill: 50_000)]
            guard try log.makeRoom(bytes: seal.byteCountMax, batches: 1) else { break }
            sealed += try log.append(seal)
            try log.sync()
        }
        #expect(sealed.count > 10)
        #expect(try !log.makeRoom(bytes: 50_000, batches: 1))
        for batch in sealed.prefix(3) {
            try log.recordAcknowledgement(of: batch.id, in: batch.partition, at: .zero)
        }
        #expect(try log.makeRoom(bytes: 50_000, batches: 1))
        #expect(log.takeFreed() == sealed[2].id)
        #expect(try log.fingerprint(of: sealed[2].id) == nil)
        #expect(try log.fingerprint(of: sealed[3].id) != nil)
    }

    /// The first time a batch is sent from memory, later from the ring: the same bytes.
    @Test func whatIsSentIsWhatStandsInTheRing() throws {
        let log = try IntentLog.open(folder, in: SimulatedFileSystem(), settings: settings()).log
        var seal = Seal()
        seal.batches = [
            try batch(partitions[0], sequence: 0, text: "x", fill: 30_000),
            try batch(partitions[1], sequence: 0, text: "y", fill: 10),
        ]
        #expect(try log.makeRoom(bytes: seal.byteCountMax, batches: 2))
        let sealed = try log.append(seal)
        try log.sync()
        for (batch, made) in zip(sealed, seal.batches) {
            let prints = try log.fingerprint(of: batch.id)
            #expect(try log.bytes(of: batch.id) == made.bytes)
            #expect(log.takeUnsent(batch.id) == nil)
            #expect(try log.bytes(of: batch.id) == made.bytes)
            #expect(try log.fingerprint(of: batch.id) == prints)
        }
    }

    @Test func unsentBatchesKeepToTheirBudget() {
        var unsent = UnsentBatches()
        let bytes = ByteBuffer(repeating: 1, count: 1 << 20)
        for id in 1...6 as ClosedRange<UInt64> { unsent.keep(bytes, of: BatchID(id)) }
        #expect(unsent.byteCount == 4 << 20)
        #expect(unsent.take(BatchID(2)) == nil && unsent.take(BatchID(4)) != nil)
        unsent.drop(BatchID(3))
        #expect(unsent.byteCount == 2 << 20)
    }

    /// While batches are on their way a full ring gives up an eighth at least: each time costs a checkpoint.
    @Test func spaceIsGivenUpInLargeSteps() throws {
        let files = SimulatedFileSystem()
        let log = try IntentLog.open(folder, in: files, settings: settings()).log
        var sealed: [SealedBatch] = []
        while true {
            var seal = Seal()
            seal.batches = [
                try batch(partitions[0], sequence: Int32(sealed.count), text: "\(sealed.count)", fill: 20_000)
            ]
            guard try log.makeRoom(bytes: seal.byteCountMax, batches: 1) else { break }
            sealed += try log.append(seal)
            try log.sync()
        }
        for (number, batch) in sealed.enumerated() {
            try log.recordAcknowledgement(of: batch.id, in: batch.partition, at: .zero)
            let isRoom = try log.makeRoom(bytes: 20_000, batches: 1)
            #expect(isRoom == ((number + 1) * 20_000 >= 130_000), "after \(number + 1)")
            if isRoom { break }
        }
    }

    /// What is written at the head is whole blocks: none of them may be the oldest record's.
    @Test func aRingFullToTheBrimHoldsItsOldestRecord() throws {
        for fill in stride(from: 10, through: 4010, by: 500) {
            let files = SimulatedFileSystem()
            let log = try IntentLog.open(folder, in: files, settings: settings()).log
            try log.record(producer: identity)
            var sealed: [SealedBatch] = []
            while true {
                var seal = Seal()
                let text = "\(sealed.count)"
                // Two laps: the oldest that stays is anywhere.
                seal.batches = [
                    try batch(partitions[0], sequence: Int32(sealed.count), text: text, fill: 20_000 + fill)
                ]
                guard try log.makeRoom(bytes: seal.byteCountMax, batches: 1) else { break }
                sealed += try log.append(seal)
                try log.sync()
                if sealed.count <= 60 {
                    try log.recordAcknowledgement(of: sealed.last!.id, in: partitions[0], at: .zero)
                }
            }
            // Notes have the rest to themselves.
            for _ in 0..<3000 {
                try log.record(
                    opening: PartitionOpening(partition: partitions[0], topicID: .zero, floor: .zero))
            }
            files.processKilled()
            let (again, recovery) = try IntentLog.open(folder, in: files, settings: settings())
            #expect(recovery.finding == .whole)
            let pending = again.snapshots[0].pending
            #expect(pending.map(\.id) == sealed[60...].map(\.id))
            for batch in pending { try RecordBatch(again.bytes(of: batch.id)).checkCRC() }
        }
    }

    /// Nothing is ever written past the end, whatever was gathered before.
    @Test func aRecordThatEndsWithTheRingIsFollowedByOneAtItsBeginning() throws {
        let files = SimulatedFileSystem()
        var ring = try IntentRing.create("/ring", capacity: 1 << 20, isDirect: true, in: files)
        try ring.resume(at: 0)
        for _ in 0..<4 {
            for _ in 0..<3 {
                let head = ring.head
                try ring.append(at: ring.start(after: head, bytes: 1 << 18), bytesMax: 1 << 18) {
                    $0.writeRepeatingByte(UInt8(truncatingIfNeeded: head >> 18), count: 1 << 18)
                }
            }
        }
        try ring.writeOut()
        #expect(try files.status("/ring")?.size == 1 << 20)
        #expect(try ring.read(1, at: 11 << 18).getInteger(at: 0, as: UInt8.self) == 11)
        #expect(try ring.read(1, at: 8 << 18).getInteger(at: 0, as: UInt8.self) == 8)
    }

    @Test func acknowledgedBatchesStayUntilTheirSpaceIsNeeded() throws {
        let files = SimulatedFileSystem()
        let log = try IntentLog.open(folder, in: files, settings: settings()).log
        var seal = Seal()
        seal.batches = [try batch(partitions[0], sequence: 0, text: "x", fill: 10)]
        _ = try log.makeRoom(bytes: seal.byteCountMax, batches: 1)
        let sealed = try log.append(seal)
        try log.recordAcknowledgement(of: sealed[0].id, in: partitions[0], at: Offset(5))
        try log.close()
        let again = try IntentLog.open(folder, in: files, settings: settings()).log
        #expect(again.snapshots[0].acknowledged.map(\.offset) == [Offset(5)])
        #expect(try again.bytes(of: sealed[0].id).readableBytes == sealed[0].byteCount)
    }

    @Test func anotherMachineOrClusterLosesTheIdentity() throws {
        let files = SimulatedFileSystem()
        let log = try IntentLog.open(folder, in: files, settings: settings()).log
        try log.bind(to: StateBinding(machineID: "m1", clusterID: "c1"))
        try log.record(producer: identity)
        try log.bind(to: StateBinding(machineID: "m1", clusterID: "c1"))
        #expect(log.producer == identity)
        try log.bind(to: StateBinding(machineID: "m2", clusterID: "c1"))
        #expect(log.producer == .none)
        try log.record(producer: identity)
        try log.bind(to: StateBinding(machineID: "m2", clusterID: "c2"))
        #expect(log.producer == .none)
        try log.close()
        let again = try IntentLog.open(folder, in: files, settings: settings()).log
        #expect(again.binding == StateBinding(machineID: "m2", clusterID: "c2") && again.producer == .none)
    }

    @Test func aDamagedCheckpointIsSetAsideAndTheAgentStarts() throws {
        let rig = Rig(SimulatedFileSystem(), seed: 5)
        try rig.work(5)
        try rig.files.overwrite("/state/intents.checkpoint") { $0[60] ^= 1 }
        let (log, recovery) = try IntentLog.open(folder, in: rig.files, settings: settings())
        guard case .damagedCheckpoint(let aside) = recovery.finding else {
            Issue.record("found \(recovery.finding)")
            return
        }
        #expect(try rig.files.exists(aside))
        #expect(log.producer == .none && log.streams.isEmpty)
    }

    @Test func rotBelowWhatWasSyncedIsNoTornTail() throws {
        let files = SimulatedFileSystem()
        let log = try IntentLog.open(folder, in: files, settings: settings()).log
        try log.record(producer: identity)
        for number in 0..<4 {
            var seal = Seal()
            seal.batches = [try batch(partitions[0], sequence: Int32(number), text: "\(number)", fill: 5000)]
            _ = try log.makeRoom(bytes: seal.byteCountMax, batches: 1)
            _ = try log.append(seal)
            try log.sync()
        }
        let second = log.state.intents[1].place
        files.processKilled()
        try files.overwrite("/state/intents-1.ring") { $0[Int(second) + 100] ^= 1 }
        let (again, recovery) = try IntentLog.open(folder, in: files, settings: settings())
        guard case .lostRecords = recovery.finding else {
            Issue.record("found \(recovery.finding)")
            return
        }
        #expect(again.pendingCount == 1 && again.producer == .none)
    }

    @Test func aFailedSyncEndsTheLog() throws {
        let files = SimulatedFileSystem()
        let log = try IntentLog.open(folder, in: files, settings: settings()).log
        files.fail(.sync, with: .inputOutput, count: 1)
        #expect(throws: FileError.self) { try log.record(producer: identity) }
        #expect(throws: FileError.self) { try log.flush() }
        #expect(throws: FileError.self) { _ = try log.makeRoom(bytes: 10, batches: 1) }
    }

    @Test func anEmptyRingTakesANewSize() throws {
        let files = SimulatedFileSystem()
        try IntentLog.open(folder, in: files, settings: settings()).log.close()
        var larger = settings()
        larger.capacity = .mib(2)
        let log = try IntentLog.open(folder, in: files, settings: larger).log
        #expect(log.capacity == .mib(2))
        #expect(try files.list(folder).map(\.name).sorted() == ["intents-2.ring", "intents.checkpoint"])
    }

    @Test func headerSizeIsWhatTheDrawingSays() {
        var buffer = ByteBuffer()
        IntentRecord.write(.filler, position: 3, run: 4, durable: 2, into: &buffer) { _ in [] }
        #expect(buffer.readableBytes == 40 && IntentRecord.headerBytes == 40)
        let header = buffer.withUnsafeReadableBytes { IntentRecord.Header($0) }
        #expect(header?.position == 3 && header?.run == 4 && header?.durable == 2 && header?.length == 40)
    }
}
