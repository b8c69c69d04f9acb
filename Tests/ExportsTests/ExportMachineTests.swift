import Base
import ExportTestKit
import Exports
import Testing

/// Transcripts: what happened, what the machine wants.
@Suite struct ExportMachineTests {
    private static let wall = Timestamp(milliseconds: 1_795_330_801_000)
    private static let log = LogRange(start: Offset(0), end: Offset(1000))

    private static func machine(bytesMax: ByteCount = .kib(1), filesMax: Int = 10) -> ExportMachine {
        ExportMachine(
            chain: Fixture.chain, attempt: Fixture.attempt,
            settings: .init(bytesMax: bytesMax, ageMax: .seconds(10), filesMax: filesMax))
    }

    /// A machine that consumes from offset 0 after its own takeover at index 0.
    private static func consuming(bytesMax: ByteCount = .kib(1), filesMax: Int = 10) -> ExportMachine {
        var machine = machine(bytesMax: bytesMax, filesMax: filesMax)
        _ = machine.started()
        _ = machine.chainRead(nil, staged: [])
        _ = machine.logFound(log, wallTime: wall)
        #expect(machine.recordAppended() == [.seek(Offset(0))])
        return machine
    }

    private static func takeover(_ index: Int64, at offset: Int64, lastCommit: Int64 = -1, epoch: Int32 = -1)
        -> CommitRecord
    {
        CommitRecord(
            chain: Fixture.chain, index: index, attempt: Fixture.attempt, kind: .takeover, from: Offset(offset),
            to: Offset(offset), leaderEpoch: LeaderEpoch(epoch), lastCommitIndex: lastCommit, madeAt: wall)
    }

    private static func staged(
        _ machine: inout ExportMachine, _ to: Int64, bytes: Int = 0, files: Int = 1, at seconds: Int64 = 0
    ) -> [ExportMachine.Action] {
        machine.staged(
            to: Offset(to), leaderEpoch: LeaderEpoch(7), records: 5, bytes: ByteCount(bytes), files: files,
            now: Instant(nanoseconds: seconds * 1_000_000_000))
    }

    @Test func aNewChainBeginsWithATakeoverAtTheLogsStart() {
        var machine = Self.machine()
        #expect(machine.started() == [.readChain])
        #expect(machine.chainRead(nil, staged: []) == [.findLog])
        let log = LogRange(start: Offset(17), end: Offset(1000))
        #expect(machine.logFound(log, wallTime: Self.wall) == [.append(Self.takeover(0, at: 17))])
        #expect(machine.recordAppended() == [.seek(Offset(17))])
        #expect(machine.position == Offset(17))
    }

    @Test func aNewOwnerFinishesTheLastCommitBeforeItReads() {
        var machine = Self.machine()
        let commit = Fixture.record(4, .commit, 10, 20, by: Fixture.other, lastCommit: 3, files: [Fixture.file])
        _ = machine.started()
        _ = machine.chainRead(ChainTail(last: commit, lastCommit: commit), staged: [Fixture.other, Fixture.attempt])
        #expect(
            machine.logFound(Self.log, wallTime: Self.wall) == [
                .append(Self.takeover(5, at: 20, lastCommit: 4, epoch: 7))
            ])
        #expect(machine.recordAppended() == [.publish(commit, isFresh: false)])
        #expect(machine.published() == [.removeStaging([Fixture.other])])
        #expect(machine.stagingRemoved() == [.seek(Offset(20))])
    }

    @Test func aCommitGoesStageRecordPublishOffset() throws {
        var machine = Self.consuming()
        #expect(Self.staged(&machine, 5, bytes: 100) == [])
        #expect(Self.staged(&machine, 9, bytes: 1024) == [.closeStage(from: Offset(0), to: Offset(9))])
        let actions = machine.stageClosed([Fixture.file], wallTime: Self.wall)
        guard case .append(let record)? = actions.first else { Issue.record("\(actions)"); return }
        #expect(record.index == 1 && record.kind == .commit && record.from == Offset(0) && record.to == Offset(9))
        #expect(record.recordCount == 10 && record.lastCommitIndex == -1 && record.leaderEpoch == LeaderEpoch(7))
        #expect(machine.recordAppended() == [.publish(record, isFresh: true)])
        #expect(machine.published() == [.storeGroupOffset(Offset(9), LeaderEpoch(7))])
        #expect(machine.position == Offset(9))
    }

    @Test func commitsAreDueByBytesFilesAndAge() {
        var machine = Self.consuming(filesMax: 3)
        #expect(Self.staged(&machine, 5, files: 3) == [.closeStage(from: Offset(0), to: Offset(5))])
        machine = Self.consuming()
        #expect(machine.tick(now: Instant(nanoseconds: .max / 2)) == [])
        #expect(Self.staged(&machine, 5, at: 100) == [])
        #expect(Self.staged(&machine, 6, at: 105) == [])
        #expect(machine.tick(now: Instant(nanoseconds: 109_999_999_999)) == [])
        #expect(
            machine.tick(now: Instant(nanoseconds: 110_000_000_000)) == [.closeStage(from: Offset(0), to: Offset(6))])
    }

    @Test func aLostAnswerIsResolvedByReadingBack() {
        var machine = Self.consuming()
        _ = Self.staged(&machine, 9, bytes: 1024)
        guard case .append(let record)? = machine.stageClosed([], wallTime: Self.wall).first else { return }
        #expect(machine.appendUnanswered() == [.readRecord(index: 1)])
        #expect(machine.recordRead(nil) == [.append(record)])
        #expect(machine.recordStands() == [.readRecord(index: 1)])
        #expect(machine.recordRead(record) == [.publish(record, isFresh: true)])
    }

    @Test func anotherOwnersRecordIsAFence() {
        var machine = Self.consuming()
        _ = Self.staged(&machine, 9, bytes: 1024)
        _ = machine.stageClosed([Fixture.file], wallTime: Self.wall)
        _ = machine.recordStands()
        let actions = machine.recordRead(Fixture.record(1, .takeover, 0, 0, by: Fixture.other))
        #expect(actions.first == .discardStage)
        guard case .stop(let reason?)? = actions.last else { Issue.record("\(actions)"); return }
        #expect(reason.code == .fenced)
        #expect(machine.isStopped)
    }

    @Test func aLostRaceForTheTakeoverBeginsAnewBehindTheWinner() {
        var machine = Self.machine()
        _ = machine.started()
        _ = machine.chainRead(nil, staged: [])
        _ = machine.logFound(Self.log, wallTime: Self.wall)
        #expect(machine.recordStands() == [.readRecord(index: 0)])
        let winner = Fixture.record(0, .takeover, 0, 0, by: Fixture.other)
        #expect(machine.recordRead(winner) == [.readChain])
        #expect(machine.chainRead(ChainTail(last: winner, lastCommit: nil), staged: []) == [.findLog])
        #expect(machine.logFound(Self.log, wallTime: Self.wall) == [.append(Self.takeover(1, at: 0, epoch: 7))])
    }

    @Test func revocationCommitsWhatIsStaged() {
        var machine = Self.consuming()
        _ = Self.staged(&machine, 9)
        #expect(machine.stopAsked() == [.closeStage(from: Offset(0), to: Offset(9))])
        guard case .append(let record)? = machine.stageClosed([], wallTime: Self.wall).first else { return }
        #expect(machine.recordAppended() == [.publish(record, isFresh: true)])
        #expect(machine.published() == [.storeGroupOffset(Offset(9), LeaderEpoch(7)), .stop(nil)])
        var idle = Self.consuming()
        #expect(idle.stopAsked() == [.stop(nil)])
    }

    @Test func aLostPartitionIsAbandoned() {
        var machine = Self.consuming()
        _ = Self.staged(&machine, 9)
        #expect(machine.abandoned() == [.discardStage, .stop(nil)])
        #expect(machine.abandoned() == [])
        // Once the record may stand, the staged files are its own.
        machine = Self.consuming()
        _ = Self.staged(&machine, 9, bytes: 1024)
        _ = machine.stageClosed([Fixture.file], wallTime: Self.wall)
        #expect(machine.abandoned() == [.stop(nil)])
    }

    @Test func deletedOffsetsAreNeverSkipped() {
        var machine = Self.consuming()
        _ = Self.staged(&machine, 9)
        #expect(machine.offsetOutOfRange(log: Self.log) == [.seek(Offset(9))])
        let log = LogRange(start: Offset(50), end: Offset(1000))
        #expect(machine.offsetOutOfRange(log: log) == [.closeStage(from: Offset(0), to: Offset(9))])
        guard case .append(let record)? = machine.stageClosed([], wallTime: Self.wall).first else { return }
        #expect(machine.recordAppended() == [.publish(record, isFresh: true)])
        guard case .stop(let reason?)? = machine.published().last else { Issue.record("no stop"); return }
        #expect(reason.code == .offsetOutOfRange)
        #expect(reason.message.contains("offset 9 can't be read any more, the log holds 50..<1000"))
    }

    @Test(arguments: [(30, 60, ExportError.Code.offsetOutOfRange), (0, 15, .aheadOfLog)])
    func aChainOutsideTheLogStops(start: Int64, end: Int64, code: ExportError.Code) {
        var machine = Self.machine()
        let commit = Fixture.record(4, .commit, 10, 20, by: Fixture.other, lastCommit: 3)
        _ = machine.started()
        _ = machine.chainRead(ChainTail(last: commit, lastCommit: commit), staged: [])
        _ = machine.logFound(LogRange(start: Offset(start), end: Offset(end)), wallTime: Self.wall)
        #expect(machine.recordAppended() == [.publish(commit, isFresh: false)])
        guard case .stop(let reason?)? = machine.published().last else { Issue.record("no stop"); return }
        #expect(reason.code == code)
    }

    /// The log ends beyond the chain again, but with other records: they would be taken for exported.
    @Test func aLogThatHoldsOthersWhereRecordsWereExportedStops() {
        let reason = "offsets 15..<20 were exported, but the topic lost those records and holds others there"
        var machine = Self.machine()
        let commit = Fixture.record(4, .commit, 10, 20, by: Fixture.other, lastCommit: 3)
        _ = machine.started()
        _ = machine.chainRead(ChainTail(last: commit, lastCommit: commit), staged: [])
        #expect(machine.leaderEpoch == LeaderEpoch(7))
        let log = LogRange(start: Offset(0), end: Offset(1000), epochEnd: Offset(15))
        _ = machine.logFound(log, wallTime: Self.wall)
        _ = machine.recordAppended()
        guard case .stop(let atStart?)? = machine.published().last else { Issue.record("no stop"); return }
        #expect(atStart.code == .aheadOfLog && atStart.message.contains(reason))

        var running = Self.consuming()
        _ = Self.staged(&running, 20)
        #expect(running.offsetOutOfRange(log: log) == [.closeStage(from: Offset(0), to: Offset(20))])
        // An epoch that nobody knows any more says nothing.
        var other = Self.consuming()
        _ = Self.staged(&other, 20)
        #expect(other.offsetOutOfRange(log: LogRange(start: Offset(0), end: Offset(1000))) == [.seek(Offset(20))])
    }

    @Test func aFolderOfAnotherTopicIsRefused() {
        var machine = Self.machine()
        var foreign = Fixture.record(0, .takeover, 0, 0)
        foreign.chain.topicID = Fixture.other
        _ = machine.started()
        guard case .stop(let reason?)? = machine.chainRead(ChainTail(last: foreign, lastCommit: nil), staged: []).first
        else { Issue.record("no stop"); return }
        #expect(reason.code == .damaged)
    }
}
