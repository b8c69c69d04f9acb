import Base
import NIOCore
import Records
import TestKit
import Testing

@testable import LogStorage

struct ProducerTests {
    private func send(
        _ log: PartitionLog, _ count: Int = 1, sequence: Int32, epoch: Int16 = 0, producer: Int64 = 9
    ) throws -> AppendResult {
        let bytes = try batch(
            (0..<count).map { "\(sequence)+\($0)" }, producer: producer, epoch: epoch, sequence: sequence)
        return try log.append(bytes, leaderEpoch: LeaderEpoch(0), origin: .client, now: noon)
    }

    private func refusal(_ body: () throws -> AppendResult) -> AppendError.Code? {
        do {
            _ = try body()
            return nil
        } catch { return (error as? AppendError)?.code }
    }

    @Test func theLastFiveBatchesAreRecognisedAndAnsweredWithTheirOffsets() throws {
        let log = try Machine(.pageCache).log()
        for number in 0..<8 { _ = try send(log, 2, sequence: Int32(number * 2)) }
        for number in 3..<8 {
            let answer = try send(log, 2, sequence: Int32(number * 2))
            #expect(answer.isDuplicate && answer.baseOffset == Offset(Int64(number * 2)))
            #expect(answer.nextOffset == Offset(Int64(number * 2 + 2)))
        }
        #expect(refusal { try send(log, 2, sequence: 4) } == .outOfOrderSequence)
        #expect(log.logEndOffset == Offset(16))
    }

    @Test func aDuplicateCountsAsKeptOnlyOnceItsOriginalIs() throws {
        let log = try Machine(.fsync).log()
        _ = try send(log, sequence: 0)
        let answer = try send(log, sequence: 0)
        #expect(answer.isDuplicate && log.ackOffset < answer.nextOffset)
        _ = try log.flush()
        #expect(log.ackOffset >= answer.nextOffset)
    }

    @Test func aGapAndAnOldEpochAreRefused() throws {
        let log = try Machine(.pageCache).log()
        _ = try send(log, sequence: 0, epoch: 3)
        #expect(refusal { try send(log, sequence: 2, epoch: 3) } == .outOfOrderSequence)
        #expect(refusal { try send(log, sequence: 1, epoch: 2) } == .invalidProducerEpoch)
        #expect(refusal { try send(log, sequence: 1, epoch: 4) } == .outOfOrderSequence)
        #expect(refusal { try send(log, sequence: 0, epoch: 4) } == nil)
        #expect(refusal { try send(log, sequence: 1, epoch: 3) } == .invalidProducerEpoch)
    }

    @Test func sequencesWrapToZero() throws {
        let machine = Machine(.pageCache)
        var log = try machine.log()
        _ = try send(log, 3, sequence: .max - 4)
        _ = try send(log, 4, sequence: .max - 1)
        #expect(log.producers()[0].lastSequence == 1)
        _ = try send(log, sequence: 2)
        #expect(try send(log, 4, sequence: .max - 1).isDuplicate)
        machine.kill()
        log = try machine.log()
        #expect(try send(log, 4, sequence: .max - 1).baseOffset == Offset(3))
        #expect(try send(log, sequence: 3).baseOffset == Offset(8))
    }

    @Test(arguments: ["clean", "killed", "power cut", "snapshot lost"])
    func allFiveBatchesAreKnownAfterARestart(how: String) throws {
        let machine = Machine(.fsync, segmentBytes: .bytes(600))
        var log = try machine.log()
        // Interleaved with another producer over many segments, so that the five lie before the newest snapshot.
        for number in 0..<12 {
            _ = try send(log, sequence: Int32(number))
            for other in 0..<3 { _ = try send(log, sequence: Int32(number * 3 + other), producer: 10) }
        }
        _ = try log.flush()
        let known = log.producers()
        switch how {
        case "clean":
            try machine.shutDown()
        case "killed": machine.kill()
        case "power cut": machine.crash(.dropUnsynced)
        default:
            machine.kill()
            for file in try machine.files(".snapshot") { try machine.disk.unlink(file) }
        }
        log = try machine.log()
        #expect(log.producers() == known)
        for number in 7..<12 {
            let answer = try send(log, sequence: Int32(number))
            #expect(answer.isDuplicate && answer.baseOffset == Offset(Int64(number * 4)))
        }
        #expect(try send(log, sequence: 12).baseOffset == Offset(48))
    }

    @Test func theOldestProducersAreForgottenAtTheLimit() throws {
        let machine = Machine(.pageCache)
        machine.settings.producersMax = 32
        let log = try machine.log()
        for id in 0..<100 {
            let bytes = try batch(["x"], producer: Int64(id))
            _ = try log.append(
                bytes, leaderEpoch: LeaderEpoch(0), origin: .client, now: noon + .milliseconds(id))
        }
        let ids = log.producers().map(\.producerID.rawValue)
        #expect(ids.count <= 32 && ids.last == 99 && ids == Array((100 - Int64(ids.count))..<100))
    }

    @Test func severalBatchesInOneAppendContinueEachOther() throws {
        let log = try Machine(.pageCache).log()
        var two = try batch(["a"], producer: 1, sequence: 0)
        var second = try batch(["b"], producer: 1, sequence: 1)
        two.writeBuffer(&second)
        let result = try log.append(two, leaderEpoch: LeaderEpoch(0), origin: .client, now: noon)
        #expect(result.baseOffset == .zero && result.lastOffset == Offset(1))
        var gap = try batch(["c"], producer: 1, sequence: 2)
        var third = try batch(["d"], producer: 1, sequence: 4)
        gap.writeBuffer(&third)
        #expect(
            refusal { try log.append(gap, leaderEpoch: LeaderEpoch(0), origin: .client, now: noon) }
                == .outOfOrderSequence)
        #expect(log.logEndOffset == Offset(2))
    }

    @Test func aSnapshotIsReadBackAndDamageIsNoticed() throws {
        let log = try Machine(.pageCache).log()
        for number in 0..<7 { _ = try send(log, sequence: Int32(number)) }
        _ = try send(log, sequence: 5, epoch: 2, producer: 77)
        let state = log.state.withLock { $0.producers }
        let bytes = ProducerSnapshot.bytes(state)
        #expect(ProducerSnapshot.state(bytes)?.producers == state.producers)
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 1
            #expect(ProducerSnapshot.state(damaged) == nil)
            #expect(ProducerSnapshot.state(Array(bytes[..<place])) == nil)
        }
    }
}
