import Base
import NIOCore
import Records
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

struct RetentionTests {
    private func tick(_ machine: Machine, after duration: Duration = .seconds(1)) {
        machine.time.advance(by: duration)
        machine.directory.tick(now: machine.time.now)
    }

    private func fill(_ machine: Machine, _ count: Int, every gap: Duration = .zero) throws -> PartitionLog {
        let log = try machine.log()
        for number in 0..<count {
            try log.add(["\(number)"], at: machine.time.wallTime)
            machine.time.advance(by: gap)
        }
        _ = try log.flush()
        return log
    }

    @Test func oldSegmentsGoAndTheLastGivesWayToAnEmptyOne() throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(500))
        machine.config.retentionAge = .seconds(100)
        machine.config.fileDeleteDelay = .seconds(60)
        let log = try fill(machine, 110, every: .seconds(1))
        tick(machine)
        #expect(log.logStartOffset > .zero && log.logStartOffset < Offset(20))
        tick(machine, after: .seconds(50))
        #expect((50...65).contains(log.logStartOffset.rawValue))
        #expect(try log.all().first?.offset == log.logStartOffset.rawValue)
        tick(machine, after: .seconds(1000))
        #expect(log.logStartOffset == Offset(110) && log.segmentCount == 1 && log.byteCount == 0)
        tick(machine, after: .seconds(61))
        tick(machine)
        #expect(try machine.files(".deleted").isEmpty && machine.files(".log").count == 1)
        machine.crash(.dropUnsynced)
        let again = try machine.log()
        #expect(again.logStartOffset == Offset(110) && again.logEndOffset == Offset(110))
        #expect(try again.add(["x"]).baseOffset == Offset(110))
    }

    @Test func aLargeLogShrinksToItsLimit() throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(500))
        machine.config.retentionBytes = .bytes(2000)
        let log = try fill(machine, 100)
        tick(machine)
        #expect((2000...2500).contains(log.byteCount))
        #expect(machine.facts.names.contains("segments_deleted"))
    }

    @Test func aTimeFromTheFutureDoesNotPinASegment() throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(500))
        machine.config.retentionAge = .seconds(100)
        machine.config.timestampAfterMax = nil
        let log = try machine.log()
        let now = machine.time.wallTime
        for _ in 0..<20 {
            _ = try log.append(
                batch(["future"], at: now + .seconds(10_000_000)), leaderEpoch: LeaderEpoch(0), origin: .client,
                now: now)
        }
        _ = try log.flush()
        tick(machine, after: .seconds(101))
        #expect(log.logStartOffset == Offset(20))
    }

    @Test func deletedRecordsStayDeletedAndTheirSegmentsGo() throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(500))
        machine.config.fileDeleteDelay = .zero
        var log = try fill(machine, 50)
        #expect(try log.deleteRecords(before: Offset(33)) == Offset(33))
        #expect { try log.deleteRecords(before: Offset(51)) } throws: { ($0 as? LogError)?.code == .invalidOffset }
        #expect { try log.read(from: Offset(32), bytesMax: .kib(1), atLeastOneBatch: true, upTo: .logEnd) } throws: {
            ($0 as? ReadError)?.code == .offsetOutOfRange
        }
        let before = log.segmentCount
        tick(machine)
        #expect(log.segmentCount < before)
        machine.crash(.dropUnsynced)
        log = try machine.log()
        #expect(log.logStartOffset == Offset(33))
        #expect(try log.all().first?.offset == 33)
        #expect(try log.deleteRecords(before: .none) == Offset(50))
    }

    @Test func aReaderKeepsWhatItHoldsThoughTheSegmentGoes() throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(500))
        machine.config.retentionBytes = .bytes(600)
        machine.config.fileDeleteDelay = .zero
        let log = try fill(machine, 50)
        let slice = try log.read(from: .zero, bytesMax: .kib(4), atLeastOneBatch: true, upTo: .highWatermark)
        tick(machine)
        tick(machine)
        #expect(log.logStartOffset > .zero)
        #expect(try records(in: slice.bytes()).first?.value == "0")
    }

    @Test func aSegmentIsClosedByAge() throws {
        let machine = Machine(.pageCache)
        machine.config.segmentAge = .seconds(10)
        let log = try fill(machine, 30, every: .seconds(1))
        #expect(log.segmentCount == 3)
    }

    @Test func atIntervalTheLogIsFlushedByTheClock() throws {
        let machine = Machine(.interval)
        let log = try machine.log()
        try log.add(["a"])
        #expect(log.highWatermark == Offset(1) && log.durableOffset == .zero)
        tick(machine, after: .seconds(2))
        #expect(log.durableOffset == Offset(1))
        machine.crash(.dropUnsynced)
        #expect(try machine.log().all().count == 1)
    }

    @Test func aDeletedPartitionIsGoneAndItsSuccessorStartsAtZero() throws {
        let machine = Machine(.fsync)
        machine.config.fileDeleteDelay = .seconds(5)
        _ = try fill(machine, 20)
        try machine.directory.writeCheckpoints()
        try machine.directory.delete(partition)
        #expect(machine.directory.log(for: partition) == nil)
        let id = TopicID(high: 5, low: 6)
        let log = try machine.directory.create(topic: "t", id: id, partition: 0, config: machine.config)
        #expect(log.logEndOffset == .zero)
        try log.add(["new"])
        _ = try log.flush()
        machine.crash(.dropUnsynced)
        let again = try machine.log()
        #expect(again.topicID == id)
        #expect(try again.all().map(\.value) == ["new"])
        #expect(try machine.disk.list("/data").allSatisfy { !$0.name.hasSuffix("-delete") })
    }
}

struct TruncationTests {
    @Test(arguments: [0, 1, 17, 18, 49, 50] as [Int64]) func theLogEndsWhereItWasCut(offset: Int64) throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(500))
        var log = try machine.log()
        for number in 0..<50 {
            let bytes = try batch(["\(number)"], producer: 4, sequence: Int32(number))
            _ = try log.append(bytes, leaderEpoch: LeaderEpoch(Int32(number / 20)), origin: .client, now: noon)
        }
        _ = try log.flush()
        try machine.directory.writeCheckpoints()
        try log.truncate(to: Offset(offset))
        func check(_ log: PartitionLog) throws {
            #expect(log.logEndOffset == Offset(offset) && log.highWatermark == Offset(offset))
            #expect(try log.all().map(\.value) == (0..<offset).map(String.init))
            #expect(log.latestEpoch == (offset == 0 ? nil : LeaderEpoch(Int32(offset - 1) / 20)))
            #expect(log.producers().first?.lastOffset == (offset == 0 ? nil : Offset(offset - 1)))
        }
        try check(log)
        machine.crash(.dropUnsynced)
        log = try machine.log()
        try check(log)
        try log.add(["after"], epoch: 9)
        #expect(try log.all().last?.value == "after" && log.logEndOffset == Offset(offset + 1))
    }

    @Test func aReplicaTakesItsLeadersOffsetsAsTheyAre() throws {
        let log = try Machine(.pageCache).log()
        let bytes = try RecordBatch.build(
            [NewRecord(timestamp: noon, value: [1])], baseOffset: Offset(7), leaderEpoch: LeaderEpoch(3)
        ).bytes
        let result = try log.append(bytes, leaderEpoch: LeaderEpoch(0), origin: .replica, now: noon)
        #expect(result.baseOffset == Offset(7) && log.logEndOffset == Offset(8) && log.latestEpoch == LeaderEpoch(3))
        #expect { try log.append(bytes, leaderEpoch: LeaderEpoch(0), origin: .replica, now: noon) } throws: {
            ($0 as? AppendError)?.code == .offsetsOutOfOrder
        }
    }
}
