import Base
import NIOCore
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

/// Many partitions after a crash: opened several at a time, with a word on how long it takes.
struct RecoveryLanesTests {
    private static let partitions: Int32 = 12

    /// Logs of different lengths, none of them shut down.
    private func crashed(_ survival: Survival = .dropUnsynced, seed: UInt64 = 1) throws -> Machine {
        let machine = Machine(.fsync, segmentBytes: .bytes(400))
        try machine.start()
        for number in 0..<Self.partitions {
            let log = try machine.directory.create(
                topic: "t", id: TopicID.random(), partition: number, config: machine.config)
            for count in 0..<Int(number) * 3 {
                _ = try log.append(
                    batch(["\(number)/\(count)"]), leaderEpoch: LeaderEpoch(1), origin: .client, now: noon)
            }
            _ = try log.flush()
        }
        machine.crash(survival, seed: seed)
        machine.facts.clear()
        return machine
    }

    private func check(_ machine: Machine) throws {
        try #require(machine.directory.offlinePartitions.isEmpty)
        try #require(machine.directory.partitions.count == Int(Self.partitions))
        for log in machine.directory.partitions {
            let number = log.partition.partition
            let values = try log.all().map(\.value)
            #expect(values == (0..<Int(number) * 3).map { "\(number)/\($0)" })
        }
    }

    @Test(arguments: [1, 2, 4, 40]) func everyPartitionIsOpenedWhateverTheNumberOfThreads(threads: Int) throws {
        let machine = try crashed()
        machine.settings.recoveryThreads = threads
        try machine.start()
        try check(machine)
        #expect(machine.facts.names.count { $0 == "recovered" } == Int(Self.partitions))
    }

    @Test func aCrashWhileSeveralAreOpenedLosesNothing() throws {
        for stop in 1...40 {
            let machine = try crashed(.keepAll)
            machine.settings.recoveryThreads = 4
            machine.disk.stopAt(operation: machine.disk.operationCount + stop)
            _ = try? machine.start()
            machine.disk.stopAt(operation: nil)
            machine.crash(.dropUnsynced, seed: UInt64(stop))
            try machine.start()
            try check(machine)
        }
    }

    @Test func aPartitionThatCannotBeOpenedLeavesTheOthersAlone() throws {
        let machine = try crashed()
        try machine.disk.overwrite("/data/t-7/partition.metadata") { $0 = Array("nonsense".utf8) }
        machine.settings.recoveryThreads = 4
        try machine.start()
        #expect(machine.directory.offlinePartitions.keys.map(\.partition) == [7])
        #expect(machine.directory.partitions.count == Int(Self.partitions) - 1)
    }

    @Test func aLongRecoveryTellsHowMuchIsLeft() throws {
        let machine = try crashed()
        try machine.start()
        machine.facts.clear()
        let progress = RecoveryProgress(partitions: 3, bytes: 4000, shared: machine.directory.shared)
        machine.time.advance(by: .seconds(3))
        progress.read(500)
        #expect(machine.facts.all.isEmpty)
        machine.time.advance(by: .seconds(3))
        progress.read(500)
        #expect(
            machine.facts.all == [
                .recovering(
                    "/data", opened: 0, partitions: 3, bytesRead: .bytes(1000), bytes: .bytes(4000), left: .seconds(18))
            ])
        progress.opened()
        #expect(machine.facts.all.count == 1)
        machine.time.advance(by: .seconds(6))
        progress.read(9000)
        #expect(
            machine.facts.all.last
                == .recovering(
                    "/data", opened: 1, partitions: 3, bytesRead: .bytes(4000), bytes: .bytes(4000), left: .zero))
    }

    /// The estimate is of what is read: all of it, and nothing else.
    @Test func whatIsReadIsWhatWasExpected() throws {
        let machine = try crashed()
        var expected: Int64 = 0
        for number in 0..<Self.partitions {
            expected += LogRecovery.bytesToRead(
                Folder(FilePath("/data/t-\(number)")), LogStart(isClean: false, recoveryPoint: .zero), machine.disk)
        }
        try machine.start()
        let read = machine.facts.all.reduce(0) { sum, fact in
            if case .recovered(_, _, let bytes, _) = fact { sum + bytes.bytes } else { sum }
        }
        #expect(Int(expected) == read && read > 0)
    }
}
