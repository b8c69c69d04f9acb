import Base
import KafkaWire
import NIOCore
import Testing

@testable import GroupCoordination

private let t0 = TopicPartition(topic: "t", partition: 0)
private let noon = Timestamp(milliseconds: 1_700_000_000_000)
private let pid = ProducerID(7)
private let spare = ProducerID(1000)

/// A machine whose log takes everything at once.
private struct Bench {
    var machine = TransactionMachine()
    var now = noon

    @discardableResult
    mutating func take(_ decision: TransactionMachine.Decision) -> TransactionMachine.Decision {
        if case .write = decision { machine.written() }
        return decision
    }

    mutating func initialise(
        _ expected: (id: ProducerID, epoch: ProducerEpoch)? = nil, newID: ProducerID = pid
    ) -> TransactionMachine.Decision {
        take(machine.initReceived(timeout: .seconds(60), expected: expected, newID: newID, now: now))
    }

    mutating func add(epoch: Int16, version: Int16 = 0) -> TransactionMachine.Decision {
        take(machine.partitionsAdded([t0], id: pid, epoch: ProducerEpoch(epoch), clientVersion: version, now: now))
    }

    mutating func end(
        _ commits: Bool, epoch: Int16, raises: Bool = false, id: ProducerID = pid
    ) -> TransactionMachine.Decision {
        take(
            machine.endReceived(
                commits: commits, id: id, epoch: ProducerEpoch(epoch), raisesEpoch: raises, newID: spare, now: now))
    }

    mutating func mark() { take(machine.markersWritten(now: now)) }

    var status: TransactionStatus? { machine.entry?.status }
    var epoch: Int16? { machine.entry?.epoch.rawValue }
}

private func error(_ decision: TransactionMachine.Decision) -> ErrorCode? {
    switch decision {
    case .refuse(let error), .write(_, let error): error
    case .answer: ErrorCode.none
    }
}

struct TransactionMachineTests {
    @Test func aTransactionGoesThroughItsStates() {
        var bench = Bench()
        let answer1 = bench.initialise()
        #expect(error(answer1) == ErrorCode.none)
        #expect(bench.status == .empty && bench.epoch == 0)
        let answer2 = bench.end(true, epoch: 0)
        #expect(error(answer2) == .invalidTxnState)
        let answer3 = bench.add(epoch: 0)
        #expect(error(answer3) == ErrorCode.none)
        #expect(bench.status == .ongoing && bench.machine.entry?.startedAt == noon)
        #expect(bench.machine.verified(t0, id: pid, epoch: ProducerEpoch(0)) == .none)
        let answer4 = bench.end(true, epoch: 0)
        #expect(error(answer4) == ErrorCode.none)
        #expect(bench.status == .prepareCommit)
        #expect(bench.machine.verified(t0, id: pid, epoch: ProducerEpoch(0)) == .concurrentTransactions)
        let answer5 = bench.add(epoch: 0)
        #expect(error(answer5) == .concurrentTransactions)
        let answer6 = bench.end(true, epoch: 0)
        #expect(error(answer6) == .concurrentTransactions)
        let answer7 = bench.end(false, epoch: 0)
        #expect(error(answer7) == .invalidTxnState)
        bench.mark()
        #expect(bench.status == .completeCommit && bench.machine.entry?.partitions == [])
        let answer8 = bench.end(true, epoch: 0)
        #expect(error(answer8) == ErrorCode.none)
        let answer9 = bench.end(false, epoch: 0)
        #expect(error(answer9) == .invalidTxnState)
    }

    @Test func oneChangeAtATimeIsOnItsWay() {
        var machine = TransactionMachine()
        _ = machine.initReceived(timeout: .seconds(1), expected: nil, newID: pid, now: noon)
        let again = machine.initReceived(timeout: .seconds(1), expected: nil, newID: spare, now: noon)
        #expect(again == .refuse(.concurrentTransactions))
        machine.notWritten()
        #expect(machine.entry == nil)
        _ = machine.initReceived(timeout: .seconds(1), expected: nil, newID: pid, now: noon)
        machine.written()
        #expect(machine.entry?.producerID == pid)
    }

    @Test func anInitialisationRaisesTheEpochAndALostAnswerIsGivenAgain() {
        var bench = Bench()
        _ = bench.initialise()
        _ = bench.initialise()
        #expect(bench.epoch == 1)
        _ = bench.initialise((pid, ProducerEpoch(1)))
        #expect(bench.epoch == 2)
        _ = bench.initialise((pid, ProducerEpoch(1)))
        #expect(bench.epoch == 2)
        #expect(error(bench.initialise((pid, ProducerEpoch(0)))) == .producerFenced)
        #expect(error(bench.initialise((spare, ProducerEpoch(2)))) == .producerFenced)
    }

    @Test func epochsThatAreUsedUpGiveWayToANewID() {
        var bench = Bench()
        _ = bench.initialise()
        while bench.epoch! < Int16.max - 1 { _ = bench.initialise() }
        _ = bench.initialise((pid, ProducerEpoch(Int16.max - 1)), newID: spare)
        #expect(bench.machine.entry?.producerID == spare && bench.epoch == 0)
        #expect(bench.machine.entry?.previousID == pid)
        // Its answer was lost.
        #expect(error(bench.initialise((pid, ProducerEpoch(Int16.max - 1)), newID: ProducerID(2000))) == ErrorCode.none)
        #expect(bench.machine.entry?.producerID == spare && bench.epoch == 0)
    }

    @Test func anEndThatRaisesTheEpochChangesTheIDWhereEpochsAreUsedUp() throws {
        var bench = Bench()
        _ = bench.initialise()
        while bench.epoch! < Int16.max - 1 { _ = bench.initialise() }
        _ = bench.add(epoch: Int16.max - 1, version: 2)
        guard case .write(let entry, _) = bench.end(true, epoch: Int16.max - 1, raises: true) else {
            Issue.record("refused")
            return
        }
        #expect(TransactionMachine.identity(after: entry).id == spare && entry.epoch.rawValue == Int16.max)
        bench.mark()
        #expect(bench.machine.entry?.producerID == spare && bench.epoch == 0)
        guard case .answer(let again) = bench.end(true, epoch: Int16.max - 1, raises: true) else {
            Issue.record("the lost answer was not given again")
            return
        }
        #expect(TransactionMachine.identity(after: again).id == spare)
    }

    @Test func anAbortOfNothingRaisesTheEpochToo() {
        var bench = Bench()
        _ = bench.initialise()
        let answer10 = bench.end(true, epoch: 0, raises: true)
        #expect(error(answer10) == .invalidTxnState)
        let answer11 = bench.end(false, epoch: 0, raises: true)
        #expect(error(answer11) == ErrorCode.none)
        bench.mark()
        #expect(bench.status == .completeAbort && bench.epoch == 1)
    }

    @Test func whatIsOpenTooLongIsAbortedAndItsProducerFenced() {
        var bench = Bench()
        _ = bench.initialise()
        _ = bench.add(epoch: 0)
        bench.now = noon + .seconds(60)
        let tooEarly = bench.machine.timeoutDue(now: bench.now)
        #expect(tooEarly == nil)
        bench.now = noon + .milliseconds(60_001)
        guard let decision = bench.machine.timeoutDue(now: bench.now) else {
            Issue.record("it stays open")
            return
        }
        bench.take(decision)
        #expect(bench.status == .prepareAbort && bench.epoch == 1)
        let answer12 = bench.end(true, epoch: 0)
        #expect(error(answer12) == .producerFenced)
    }

    @Test func idsThatNobodyUsesExpire() {
        var bench = Bench()
        _ = bench.initialise()
        let early = bench.machine.expires(after: .seconds(100), now: noon + .seconds(99))
        let due = bench.machine.expires(after: .seconds(100), now: noon + .seconds(100))
        #expect(!early && due)
        let answer13 = bench.initialise()
        #expect(error(answer13) == .concurrentTransactions)
    }

    @Test func recordsAreKafkasAndReadAsTheyWereWritten() throws {
        var entry = TransactionEntry(
            producerID: pid, epoch: ProducerEpoch(3), timeout: .seconds(60), status: .ongoing, updatedAt: noon)
        entry.partitions = [t0, TopicPartition(topic: "t", partition: 4), TopicPartition(topic: "u", partition: 1)]
        entry.startedAt = noon
        for version in 0...1 {
            entry.clientVersion = version == 0 ? 0 : 2
            entry.nextID = version == 0 ? .none : spare
            let (key, value) = try TransactionRecord.entry(id: "x", entry).encoded()
            #expect(value?.getInteger(at: 0, as: Int16.self) == Int16(version))
            #expect(try TransactionRecord.decode(key: key, value: value) == .entry(id: "x", entry))
            #expect(try TransactionRecord.decode(key: key, value: nil) == .entry(id: "x", nil))
        }
    }
}
