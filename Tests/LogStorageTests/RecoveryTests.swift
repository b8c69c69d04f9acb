import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

struct RecoveryTests {
    @Test func aCleanStartFindsEverythingWithoutReadingTheSegments() throws {
        let machine = Machine(.fsync, segmentBytes: .kib(2))
        var log = try machine.log()
        for number in 0..<100 { try log.add(["\(number)"], epoch: Int32(number / 40)) }
        try machine.shutDown()
        machine.facts.clear()
        #expect(try machine.start())
        log = try machine.log()
        #expect(machine.facts.names.isEmpty)
        #expect(try log.all().map(\.value) == (0..<100).map(String.init))
        #expect(log.highWatermark == Offset(100) && log.latestEpoch == LeaderEpoch(2))
        #expect(log.topicID == topicID)
        try log.add(["next"])
        #expect(log.logEndOffset == Offset(101))
    }

    @Test func aKilledProcessLosesNothingThatWasAppended() throws {
        let machine = Machine(.pageCache, segmentBytes: .kib(2))
        var log = try machine.log()
        for number in 0..<100 { try log.add(["\(number)"]) }
        machine.kill()
        #expect(try machine.start() == false)
        log = try machine.log()
        #expect(try log.all().count == 100 && log.durableOffset == Offset(100))
    }

    @Test(arguments: [1, 60, 61, 100, 4096]) func aZeroFilledTailIsCut(zeros: Int) throws {
        try tailIsCut([UInt8](repeating: 0, count: zeros))
    }

    @Test(arguments: 0..<20) func aTornTailIsCut(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let next = try batch(["torn", "write"])
        let count = Int.random(in: 1..<next.readableBytes, using: &random)
        try tailIsCut(Array(next.readableBytesView.prefix(count)))
        try tailIsCut((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    private func tailIsCut(_ tail: [UInt8]) throws {
        let machine = Machine(.fsync)
        var log = try machine.log()
        for number in 0..<10 { try log.add(["\(number)"]) }
        _ = try log.flush()
        machine.kill()
        try machine.disk.overwrite(machine.files(".log")[0]) { $0 += tail }
        log = try machine.log()
        #expect(log.logEndOffset == Offset(10))
        #expect(machine.facts.names.contains("tail_cut"))
        try log.add(["10"])
        #expect(try log.all().map(\.value) == (0...10).map(String.init))
    }

    @Test(arguments: ["index", "timeindex"], ["missing", "empty", "zeros", "garbage", "short"])
    func aWrongIndexIsNotBelieved(suffix: String, flaw: String) throws {
        for isClean in [true, false] {
            let machine = Machine(.fsync, segmentBytes: .kib(16))
            machine.config.indexInterval = .bytes(256)
            var log = try machine.log()
            for number in 0..<400 { try log.add(["\(number)"], at: noon + .seconds(number)) }
            try machine.shutDown()
            if !isClean { try machine.disk.unlink("/data/.kafka_cleanshutdown") }
            for file in try machine.files("." + suffix) {
                if flaw == "missing" {
                    try machine.disk.unlink(file)
                    continue
                }
                try machine.disk.overwrite(file) { bytes in
                    switch flaw {
                    case "empty": bytes = []
                    case "zeros": bytes = bytes.map { _ in 0 }
                    case "short": bytes = Array(bytes.dropLast(bytes.count / 2))
                    default: bytes = bytes.indices.map { UInt8(truncatingIfNeeded: $0 &* 151) }
                    }
                }
            }
            log = try machine.log()
            for offset in [0, 1, 57, 199, 200, 398, 399] as [Int64] {
                let slice = try log.read(
                    from: Offset(offset), bytesMax: .bytes(1), atLeastOneBatch: true, upTo: .logEnd)
                #expect(try records(in: slice.bytes()).map(\.offset) == [offset], "\(flaw) \(isClean)")
            }
            #expect(log.logEndOffset == Offset(400))
        }
    }

    @Test func aFailedFlushTakesTheDirectoryOfflineAcrossRestarts() throws {
        let machine = Machine(.fsync)
        let log = try machine.log()
        try log.add(["a"])
        _ = try log.flush()
        try log.add(["b"])
        machine.disk.fail(.sync, with: .inputOutput, count: 1)
        #expect(throws: FileError.self) { try log.flush() }
        // The next sync would succeed; nobody may ask for it.
        #expect(throws: FileError.self) { try log.flush() }
        #expect(log.highWatermark == Offset(1) && log.offlineReason != nil)
        #expect { try log.add(["c"]) } throws: { ($0 as? AppendError)?.code == .offline }
        #expect(try log.all(upTo: .highWatermark).count == 1)
        machine.kill()
        try machine.start()
        #expect(machine.directory.offlineReason?.contains("remove /data/offline-reason") == true)
        #expect(machine.directory.offlinePartitions[partition]?.contains("sync /data/t-0") == true)
        #expect { try machine.log() } throws: { ($0 as? LogError)?.code == .offline }
        try machine.directory.shutDown()
        try machine.disk.unlink("/data/offline-reason")
        try machine.start()
        #expect(try machine.log().all().count >= 1)
    }

    /// What is read at a start may only be in the page cache; a sync that failed must not be asked for again by the next start.
    @Test func aSyncThatFailsDuringRecoveryTakesTheDirectoryOfflineAcrossRestarts() throws {
        for isFolder in [false, true] {
            let machine = Machine(.pageCache)
            let log = try machine.log()
            try log.add(["a"])
            try log.add(["b"])
            machine.kill()
            machine.disk.fail(isFolder ? .syncDirectory : .sync, with: .inputOutput, count: 1) {
                isFolder ? $0.lastComponent?.string == "t-0" : $0.string.hasSuffix(".log")
            }
            try machine.start()
            #expect(machine.directory.offlineReason != nil && machine.directory.partitions.isEmpty)
            machine.kill()
            // The disk would say yes now.
            try machine.start()
            #expect(machine.directory.offlineReason != nil && machine.directory.partitions.isEmpty)
            machine.kill()
            try machine.disk.unlink("/data/offline-reason")
            try machine.start()
        }
    }

    @Test func aCheckpointThatCannotBeSyncedTakesTheDirectoryOffline() throws {
        let machine = Machine(.fsync)
        let log = try machine.log()
        try log.add(["a"])
        _ = try log.flush()
        machine.disk.fail(.sync, with: .inputOutput, count: 1) { $0.string.contains("recovery-point") }
        machine.time.advance(by: .seconds(120))
        machine.directory.tick(now: machine.time.now)
        #expect(machine.directory.offlineReason?.contains("recovery-point") == true)
        #expect { try log.add(["b"]) } throws: { ($0 as? AppendError)?.code == .offline }
        #expect(try log.all(upTo: .highWatermark).count == 1)
    }

    @Test func aDirectoryThatCannotBeReadOrWrittenIsOfflineForThisLifeOnly() throws {
        let faults: [(FileError.Operation, FileError.Code, String)] = [
            (.list, .inputOutput, "/data"),
            (.unlink, .readOnly, "/data/.kafka_cleanshutdown"),
            (.rename, .inputOutput, "/data/recovery-point-offset-checkpoint.tmp"),
        ]
        for (operation, code, path) in faults {
            let machine = Machine(.fsync)
            let log = try machine.log()
            try log.add(["a"])
            _ = try log.flush()
            try machine.shutDown()
            machine.disk.fail(operation, with: code, count: 1) { $0.string == path }
            #expect(try machine.start() == false)
            #expect(machine.directory.offlineReason?.contains(path) == true, "\(path)")
            #expect(machine.directory.partitions.isEmpty)
            // The fault at its first listing is over when the partitions are named.
            #expect(machine.directory.offlinePartitions[partition] != nil)
            #expect {
                try machine.directory.create(topic: "u", id: topicID, partition: 0, config: machine.config)
            } throws: {
                ($0 as? LogError)?.code == .offline
            }
            machine.directory.tick(now: machine.time.now)
            try machine.directory.shutDown()
            machine.kill()
            #expect(try machine.log().all().count == 1, "\(path)")
            #expect(machine.directory.offlineReason == nil)
        }
    }

    @Test func aSecondProcessIsKeptOut() throws {
        let machine = Machine()
        try machine.start()
        let other = LogDirectory(path: "/data", fileSystem: machine.disk, time: machine.time)
        #expect { try other.open() } throws: { ($0 as? LogError)?.code == .locked }
        try machine.shutDown()
        #expect(try other.open())
    }

    @Test func epochsAreFoundAgainAndAnswerWhereTheyEnded() throws {
        let machine = Machine(.fsync, segmentBytes: .kib(1))
        var log = try machine.log()
        for (epoch, count) in [(0, 5), (2, 7), (5, 1)] {
            for number in 0..<count { try log.add(["\(epoch)/\(number)"], epoch: Int32(epoch)) }
        }
        func check(_ log: PartitionLog) {
            let answers = [-1, 0, 1, 2, 3, 5, 6].map { log.endOffset(for: LeaderEpoch($0)) }
            #expect(answers.map { $0?.endOffset.rawValue } == [nil, 5, 5, 12, 12, 13, nil])
            #expect(answers.map { $0?.epoch.rawValue } == [nil, 0, 0, 2, 2, 5, nil])
            #expect(log.epoch(at: Offset(5)) == LeaderEpoch(2))
        }
        check(log)
        _ = try log.flush()
        machine.crash(.dropUnsynced)
        log = try machine.log()
        check(log)
        try machine.shutDown()
        log = try machine.log()
        check(log)
        try machine.shutDown()
        try machine.disk.overwrite("/data/t-0/leader-epoch-checkpoint") { $0 = Array("0\n9\n".utf8) }
        check(try machine.log())
    }

    @Test func leftoversOfDeletionsAndCompactionsGo() throws {
        let machine = Machine()
        let log = try machine.log()
        try log.add(["a"])
        _ = try log.flush()
        machine.kill()
        for name in [
            "00000000000000000000.log.deleted", "00000000000000000000.log.cleaned", "00000000000000000500.index",
        ] {
            _ = try machine.disk.open(FilePath("/data/t-0/\(name)"), .create)
        }
        #expect(try machine.log().all().count == 1)
        #expect(
            try machine.disk.list("/data/t-0").allSatisfy { !$0.name.contains("deleted") && !$0.name.contains("500") })
    }
}

struct FullDiskTests {
    /// The disk is full to the last byte when the machine comes back, cleanly or not: every log opens, is read, shrinks and grows again.
    @Test(arguments: [true, false]) func aStartOnAFullDiskOpensEveryLog(isClean: Bool) throws {
        let machine = Machine(.fsync, segmentBytes: .kib(1))
        machine.config.indexInterval = .bytes(100)
        machine.config.fileDeleteDelay = .zero
        var log = try machine.log()
        for number in 0..<100 { try log.add(["\(number)"]) }
        _ = try log.flush()
        if isClean { try machine.shutDown() } else { machine.kill() }
        machine.disk.diskBytes = machine.disk.usedBytes
        try machine.start()
        #expect(machine.directory.offlinePartitions.isEmpty)
        log = try machine.log()
        #expect(try log.all().map(\.value) == (0..<100).map(String.init))
        #expect { try log.add([String(repeating: "x", count: 900)]) } throws: { ($0 as? AppendError)?.code == .noSpace }
        var shrunk = log.config
        shrunk.retentionBytes = .kib(2)
        log.config = shrunk
        for _ in 0..<2 { machine.directory.tick(now: machine.time.now) }
        try log.add(["\(100)"])
        #expect(try log.flush() == Offset(101))
        machine.disk.diskBytes = nil
        machine.crash(.dropUnsynced)
        log = try machine.log()
        #expect(try log.all().last?.value == "100")
    }

    @Test func onAFullDiskAPartitionCanStillBeDeleted() throws {
        let machine = Machine(.fsync)
        machine.config.fileDeleteDelay = .zero
        let log = try machine.log()
        try log.add(["a"])
        _ = try log.flush()
        try machine.directory.writeCheckpoints()
        machine.disk.diskBytes = machine.disk.usedBytes
        try machine.directory.delete(partition)
        machine.directory.tick(now: machine.time.now)
        machine.disk.diskBytes = nil
        let next = try machine.log()
        machine.crash(.dropUnsynced)
        #expect(next.logEndOffset == .zero)
        #expect(try machine.log().logEndOffset == .zero)
    }
}

struct PartitionFolderTests {
    @Test func aCreationThatWasCutShortLeavesNothing() throws {
        let whole = Machine()
        try whole.start()
        let first = whole.disk.operationCount
        _ = try whole.log()
        for stop in (first + 1)...whole.disk.operationCount {
            for survival in Survival.allCases {
                let machine = Machine()
                try machine.start()
                machine.disk.stopAt(operation: stop)
                #expect(throws: LogError.self) { try machine.log() }
                machine.crash(survival, seed: UInt64(stop))
                try machine.start()
                #expect(machine.directory.offlinePartitions.isEmpty)
                let log = try machine.log()
                #expect(log.topicID == topicID && log.logEndOffset == .zero)
                try log.add(["a"])
                _ = try log.flush()
                machine.crash(.dropUnsynced)
                #expect(try machine.log().all().count == 1)
            }
        }
    }

    @Test func aFlushOfADeletedLogFailsAloneAndNotTheDirectory() throws {
        let machine = Machine(.fsync)
        let log = try machine.log()
        try log.add(["a"])
        try machine.directory.delete(partition)
        #expect { try log.flush() } throws: { ($0 as? FileError)?.code == .closed }
        #expect(machine.directory.offlineReason == nil)
        #expect { try log.add(["b"]) } throws: { ($0 as? AppendError)?.code == .offline }
    }

    @Test func namesThatAreNoPartitionsAreLeftAlone() throws {
        let machine = Machine()
        for name in ["lost+found", "topic", "t-", "-1", "t-01", "a-b-c", "backup-2"] {
            try machine.disk.createDirectory(FilePath("/data/\(name)"))
        }
        _ = try machine.disk.open("/data/backup-2/precious", .create)
        try machine.start()
        #expect(try machine.disk.exists("/data/backup-2/precious"))
        #expect(machine.directory.partitions.isEmpty && machine.directory.offlinePartitions.isEmpty)
        #expect(try machine.disk.list("/data").filter(\.isDirectory).count == 7)
        #expect(
            LogDirectory.partition(folder: "nginx-access-12") == TopicPartition(topic: "nginx-access", partition: 12))
    }
}
