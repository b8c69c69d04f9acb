import Base
import Events
import Exports
import KafkaClient
import Records
import TestKit
import Testing

@testable import KafkaClient
@testable import Pipelines

/// Takes what it is given, or fails as it is told; remembers what it took.
private final class ScriptedTarget: DeliveryTarget {
    enum Answer { case takes, passing, over, refuses }

    var answers: [Answer] = []
    var own: Offset?
    var keepsPosition: Bool
    private(set) var taken: [[Int64]] = []
    private(set) var position = Offset.zero
    private(set) var calls = 0

    init(keepsPosition: Bool = false, own: Offset? = nil) {
        self.keepsPosition = keepsPosition
        self.own = own
    }

    func takeOver(committed: Offset?) async throws -> Offset? { own ?? committed }

    func encode(
        _ row: borrowing Row, time: Timestamp?, offset: Offset, timestamp: Timestamp, into batch: inout DeliveryBatch
    ) {
        batch.append(offset: offset, timestamp: timestamp) { JSONWriter.append(row, to: &$0) }
    }

    func deliver(_ batch: inout DeliveryBatch, position: Offset, leaderEpoch: LeaderEpoch) async throws -> Int {
        calls += 1
        switch answers.isEmpty ? .takes : answers.removeFirst() {
        case .takes: break
        case .passing: throw DeliveryFailure(.passing, "it is away")
        case .over: throw DeliveryFailure(.over, "another owner")
        case .refuses: throw PipelineError("never")
        }
        taken.append(batch.rows.map(\.offset.rawValue))
        self.position = position
        return 0
    }

    var resetAdvice: String { "do something" }
}

@Suite struct DeliverySinkTests {
    private static let partition = TopicPartition(topic: "t", partition: 2)
    private let time = ManualTime()
    private let target = ScriptedTarget()

    private let gate = DeliveryGate()

    private func sink(_ target: ScriptedTarget, rows: Int = 3) -> DeliverySink {
        DeliverySink(
            target: target, settings: DeliverySettings(rowsMax: rows, linger: .seconds(1)), gate: gate,
            name: .init(pipeline: "p", sink: "s", partition: Self.partition), time: time, telemetry: .silent)
    }

    /// Rows as a partition's task hands them over: every third is filtered out.
    private func feed(_ sink: DeliverySink, _ offsets: Range<Int64>) async throws {
        var row = Row()
        for offset in offsets where offset % 3 != 2 {
            row.fill(Event([Field("n", .int(offset))]))
            sink.append(row, time: nil, offset: Offset(offset), timestamp: .none)
            if sink.wantsFlush { try await sink.flush() }
        }
        try await sink.advance(
            to: Offset(offsets.upperBound), leaderEpoch: LeaderEpoch(4), records: 1, sources: SourceTally())
    }

    @Test func fullBatchesGoAtOnceAndTheRestAfterItsTime() async throws {
        let sink = sink(target)
        #expect(try await sink.start(committed: Offset(0)) == Offset(0))
        try await feed(sink, 0..<12)
        #expect(target.taken == [[0, 1, 3], [4, 6, 7]])
        // Rows 9 and 10 wait: what lies before them is safe, not more.
        #expect(sink.committed?.offset == Offset(8))
        time.advance(by: .seconds(1))
        try await sink.tick()
        #expect(target.taken.last == [9, 10])
        #expect(sink.committed?.offset == Offset(12))
        #expect(sink.committed?.leaderEpoch == LeaderEpoch(4))
    }

    @Test func whatIsFilteredOutIsDoneAtOnceWhereNothingWaits() async throws {
        let sink = sink(target)
        _ = try await sink.start(committed: nil)
        try await feed(sink, 2..<3)
        #expect(sink.committed?.offset == Offset(3))
        #expect(target.calls == 0)
    }

    @Test func aFailingTargetBlocksItsPartitionAndIsTriedAgainLaterAndLater() async throws {
        let sink = sink(target)
        _ = try await sink.start(committed: Offset(0))
        target.answers = Array(repeating: .passing, count: 4)
        try await feed(sink, 0..<12)
        // The rest of what was fetched is taken, without asking again.
        #expect(target.calls == 1)
        #expect(sink.blockedBy == "s: it is away")
        #expect(sink.committed?.offset == Offset(0))
        #expect(sink.position == Offset(12))
        var pauses: [Int] = []
        while sink.blockedBy != nil {
            let calls = target.calls
            var ticks = 0
            while target.calls == calls {
                time.advance(by: .milliseconds(250))
                try await sink.tick()
                ticks += 1
            }
            pauses.append(ticks)
        }
        #expect(pauses == [1, 2, 4, 8])
        #expect(target.taken == [[0, 1, 3], [4, 6, 7], [9, 10]])
        #expect(sink.committed?.offset == Offset(12))
    }

    @Test func aDeadTargetIsAskedByOnePartitionAtATime() async throws {
        let others = (0..<3).map { _ in ScriptedTarget() }
        let sinks = others.map { sink($0) }
        for (target, sink) in zip(others, sinks) {
            _ = try await sink.start(committed: Offset(0))
            target.answers = Array(repeating: .passing, count: 100)
            try await feed(sink, 0..<12)
        }
        #expect(others.map(\.calls) == [1, 0, 0])
        #expect(sinks.allSatisfy { $0.blockedBy == "s: it is away" })
        for _ in 0..<400 {
            time.advance(by: .milliseconds(250))
            for sink in sinks { try await sink.tick() }
        }
        // 0.25 + 0.5 + 1 + … + 30 + 30 s: ten tries in 100 s, whoever makes them.
        #expect(others.reduce(0) { $0 + $1.calls } == 10)
        for target in others { target.answers = [] }
        time.advance(by: .seconds(30))
        for sink in sinks { try await sink.tick() }
        #expect(sinks.allSatisfy { $0.blockedBy == nil })
        #expect(others.allSatisfy { $0.taken.flatMap(\.self) == [0, 1, 3, 4, 6, 7, 9, 10] })
        // A partition that is taken over meanwhile asks no more than the others.
        _ = gate.failed(DeliveryFailure(.passing, "it is away"), now: time.now)
        await #expect(throws: DeliveryFailure.self) {
            _ = try await self.sink(ScriptedTarget(keepsPosition: true)).start(committed: nil)
        }
    }

    @Test func aStopDeliversAllOrSaysThatItCouldNot() async throws {
        let first = sink(target)
        _ = try await first.start(committed: Offset(0))
        try await feed(first, 0..<2)
        try await first.stop()
        #expect(target.taken == [[0, 1]])
        let away = ScriptedTarget()
        away.answers = [.passing, .passing]
        let second = sink(away)
        _ = try await second.start(committed: Offset(0))
        try await feed(second, 0..<2)
        await #expect(throws: DeliveryFailure.self) { try await second.stop() }
        #expect(second.committed?.offset == Offset(0))
    }

    @Test(arguments: [true, false])
    func whatIsNotPassingIsThrown(isOver: Bool) async throws {
        let sink = sink(target)
        _ = try await sink.start(committed: Offset(0))
        target.answers = [isOver ? .over : .refuses]
        do {
            try await feed(sink, 0..<12)
            Issue.record("nothing was thrown")
        } catch {
            #expect((error is DeliveryFailure) == isOver)
            #expect((error is PipelineError) == !isOver)
        }
        #expect(sink.committed?.offset == Offset(0))
    }

    @Test func aPositionWithoutRowsIsToldNowAndThen() async throws {
        let target = ScriptedTarget(keepsPosition: true, own: Offset(30))
        let sink = sink(target)
        #expect(try await sink.start(committed: Offset(10)) == Offset(30))
        for offset in stride(from: Int64(32), to: 62, by: 3) {
            try await feed(sink, offset..<(offset + 1))
            time.advance(by: .seconds(60))
        }
        #expect(target.taken == [[]])
        #expect(target.position == Offset(48))
        #expect(sink.committed?.offset == Offset(60))
    }

    @Test func aGoneOffsetIsNeverSkipped() async throws {
        let sink = sink(target)
        let error = await #expect(throws: PipelineError.self) { try await sink.offsetOutOfRange() }
        #expect(error.map { "\($0)".contains("Nothing is skipped silently; do something") } == true)
    }

    @Test func aBatchKeepsWhatIsAskedFor() {
        var batch = DeliveryBatch()
        for offset in 0..<5 as Range<Int64> {
            batch.append(offset: Offset(offset), timestamp: .none) { $0 += "row \(offset)\n".utf8 }
        }
        batch.keep([1, 4])
        #expect(String(decoding: batch.bytes, as: UTF8.self) == "row 1\nrow 4\n")
        #expect(batch.rows.map { String(decoding: batch.bytes(of: $0), as: UTF8.self) } == ["row 1\n", "row 4\n"])
    }
}
