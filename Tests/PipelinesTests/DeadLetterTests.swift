import Base
import BrokerTestKit
import Events
import Exports
import KafkaConnection
import NIOCore
import NIOPosix
import Records
import Settings
import TestKit
import Testing

@testable import KafkaClient
@testable import Pipelines

@Suite struct DeadLetterTests {
    private static let partition = TopicPartition(topic: "t", partition: 3)

    private static func steps() -> Steps {
        var steps = Steps(parser: JSONLineParser(), onError: .dlq)
        steps.parserName = "json"
        return steps
    }

    /// Of every three records one is no JSON.
    private static func value(_ offset: Int64) -> String { offset % 3 == 1 ? "bad \(offset)" : #"{"n":\#(offset)}"# }

    private static func fetched(_ offsets: Range<Int64>) throws -> FetchedPartition {
        let records = offsets.map { offset in
            NewRecord(
                timestamp: Timestamp(milliseconds: 1000 + offset), key: Array("k\(offset)".utf8),
                value: Array(value(offset).utf8), headers: [(name: "h", value: [1, 0xff]), (name: "null", value: nil)])
        }
        return FetchedPartition(
            partition: partition, topicID: .zero, leaderEpoch: LeaderEpoch(3), startOffset: Offset(offsets.lowerBound),
            nextOffset: Offset(offsets.upperBound),
            batches: [try RecordBatch.build(records, baseOffset: Offset(offsets.lowerBound))],
            highWatermark: Offset(1000), lastStableOffset: Offset(1000), logStartOffset: Offset(0))
    }

    private static func task(
        _ log: MemoryLog, _ time: ManualTime, batchBytes: ByteCount = .kib(256)
    ) -> PartitionTask {
        let settings = DeadLetterSettings(topic: "dead", linger: .seconds(1), batchBytes: batchBytes)
        let sink = DeadLetterSink(log: log, settings: settings, partition: partition, pipeline: "p", time: time)
        return PartitionTask(partition: partition, topicID: .zero, steps: steps(), sinks: [], deadLetters: sink)
    }

    private static func header(_ letter: NewRecord, _ name: String) -> String? {
        letter.headers.first { $0.name == "millrace.dlq.\(name)" }?.value.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func aLetterKeepsTheRecordAndSaysWhereItCameFromAndWhy() async throws {
        let (time, log) = (ManualTime(), MemoryLog(.init()))
        let task = Self.task(log, time)
        try await task.start(committed: nil)
        let counts = try await task.take(Self.fetched(0..<3))
        #expect(counts.rows == 2 && counts.deadLetters == 1 && counts.failures == [0: 1])
        #expect(log.written.records.isEmpty && task.committable == nil)
        time.advance(by: .seconds(1))
        try await task.tick()
        let letter = try #require(log.written.records.first)
        #expect(log.written.records.count == 1)
        #expect(letter.value == Array("bad 1".utf8) && letter.key == Array("k1".utf8))
        #expect(letter.headers[0].name == "h" && letter.headers[0].value == [1, 0xff])
        #expect(letter.headers[1].name == "null" && letter.headers[1].value == nil)
        #expect(Self.header(letter, "topic") == "t" && Self.header(letter, "partition") == "3")
        #expect(Self.header(letter, "offset") == "1" && Self.header(letter, "timestamp") == "1001")
        #expect(Self.header(letter, "pipeline") == "p" && Self.header(letter, "step") == "1 parse json")
        #expect(Self.header(letter, "reason")?.hasPrefix("not JSON: ") == true)
        #expect(task.committable?.offset == Offset(3) && log.written.progress?.offset == Offset(3))
    }

    @Test func withoutDeadLettersTheGroupIsNotHeldUpAndNothingIsWritten() async throws {
        let (time, log) = (ManualTime(), MemoryLog(.init()))
        let task = Self.task(log, time)
        try await task.start(committed: Offset(2))
        #expect(task.position == Offset(2))
        #expect(try await task.take(Self.fetched(2..<4)).deadLetters == 0)
        #expect(task.committable?.offset == Offset(4) && log.written.writes == 0)
        // Its own position follows now and then, so that it doesn't expire.
        time.advance(by: DeadLetterSink.progressInterval)
        try await task.tick()
        #expect(log.written.progress?.offset == Offset(4) && log.written.records.isEmpty)
    }

    @Test func manyLettersAreWrittenBeforeTheyFillMemory() async throws {
        let log = MemoryLog(.init())
        let task = Self.task(log, ManualTime(), batchBytes: .kib(1))
        try await task.start(committed: nil)
        #expect(try await task.take(Self.fetched(0..<90)).deadLetters == 30)
        #expect(log.written.writes > 5 && log.written.records.count > 25)
        try await task.stop()
        #expect(log.written.records.count == 30 && task.committable?.offset == Offset(90))
    }

    @Test(arguments: WriteFailure.allCases, 1...12)
    func eachLetterStandsOnceWhateverWriteFails(failure: WriteFailure, at: Int) async throws {
        let written = MemoryLog.Written()
        var groupOffset: Offset?
        var isFinished = false
        for attempt in 0..<3 where !isFinished {
            let time = ManualTime()
            let log = MemoryLog(written, failure: attempt == 0 ? (at, failure) : nil)
            let task = Self.task(log, time, batchBytes: .kib(1))
            do {
                try await task.start(committed: groupOffset)
                var next = task.position?.rawValue ?? 0
                while next < 90 {
                    let end = min(next + 17, 90)
                    _ = try await task.take(Self.fetched(next..<end))
                    next = end
                    if next % 2 == 0 { groupOffset = task.committable?.offset ?? groupOffset }
                }
                try await task.stop()
                isFinished = true
            } catch is MemoryLog.Broken {
                await task.abandon()
            }
        }
        let offsets = written.records.compactMap { Self.header($0, "offset").flatMap { Int64($0) } }
        #expect(offsets == (0..<90).filter { $0 % 3 == 1 })
    }

    @Test func anOwnerThatWasReplacedWritesNothing() async throws {
        try await TestBroker.with { broker in
            let cluster = KafkaCluster(
                settings: ClusterSettings(bootstrap: [broker.address]), on: MultiThreadedEventLoopGroup.singleton)
            defer { cluster.shutDown() }
            try await Admin(cluster).createTopics([
                NewTopic("t", partitionCount: 4), NewTopic("dead", partitionCount: 2),
            ])
            let id = try await cluster.topicID("t")
            func owner() -> ProgressTopic {
                ProgressTopic(
                    cluster: cluster, topic: "dead", partition: Self.partition, topicID: id, purpose: "dlq",
                    pipeline: "p", group: "g")
            }
            func letter(_ text: String) -> NewRecord {
                NewRecord(timestamp: Timestamp(milliseconds: 5), value: Array(text.utf8))
            }
            let first = owner()
            #expect(try await first.takeOver() == nil)
            try await first.write(
                [letter("one"), letter("two")], Progress(offset: Offset(7)), leaderEpoch: LeaderEpoch(0))
            let second = owner()
            #expect(try await second.takeOver() == Progress(offset: Offset(7)))
            let error = await #expect(throws: ClientError.self) {
                try await first.write(
                    [letter("late")], Progress(offset: Offset(9), note: "a b"), leaderEpoch: LeaderEpoch(0))
            }
            #expect(error?.endsTransactionOnly == true)
            try await second.write(
                [letter("three")], Progress(offset: Offset(9), note: "a b"), leaderEpoch: LeaderEpoch(0))
            #expect(try await owner().takeOver() == Progress(offset: Offset(9), note: "a b"))
            #expect(
                try await Self.values(in: TopicPartition(topic: "dead", partition: 1), cluster) == [
                    "one", "two", "three",
                ])
            // A topic that was made anew begins anew.
            let other = ProgressTopic(
                cluster: cluster, topic: "dead", partition: Self.partition, topicID: .zero, purpose: "dlq",
                pipeline: "p", group: "g")
            #expect(try await other.takeOver() == nil)
        }
    }

    /// What a reader of committed records sees.
    private static func values(in partition: TopicPartition, _ cluster: KafkaCluster) async throws -> [String] {
        let end = try #require(try await cluster.offsets([partition: .latest])[partition]).offset
        let reader = PartitionReader(cluster: cluster, partitions: [partition: .offset(Offset(0))])
        var values: [String] = []
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await reader.run() }
            defer { reader.close() }
            while let data = try await reader.next() {
                for batch in data.batches {
                    var records = try batch.records(decompressedMax: .mib(1))
                    while let record = try records.next() {
                        values.append(String(decoding: record.value?.readableBytesView ?? .init(), as: UTF8.self))
                    }
                }
                if data.nextOffset >= end { break }
            }
        }
        return values
    }
}

@Suite struct OnErrorSettingsTests {
    private func settings(_ text: String) throws -> PipelineSettings {
        try PipelineSettings(
            yaml: try YAMLNode.parse(
                "pipeline: p\nfrom: {topics: [t]}\nto: [{file: {path: /x}}]\n" + text, file: "p.yaml"))
    }

    @Test func itStandsBesideAStepOrWithinParse() throws {
        #expect(try settings("steps: [{parse: {json: {}, on_error: drop}}]").steps.onError == .drop)
        #expect(try settings("steps: [{parse: json, on_error: drop}]").steps.onError == .drop)
        #expect(try settings("steps: [{parse: json}]").steps.onError == .keep)
        let dead = try settings("dlq: {topic: d, linger: 5s, batch: 64KiB}\nsteps: [{parse: json, on_error: dlq}]")
        #expect(dead.steps.onError == .dlq)
        #expect(dead.deadLetters == DeadLetterSettings(topic: "d", linger: .seconds(5), batchBytes: .kib(64)))
        #expect(try settings("dlq: d").deadLetters == DeadLetterSettings(topic: "d"))
    }

    @Test(arguments: [
        ("steps: [{parse: json, on_error: dlq}]", "4:8: 'on_error: dlq' needs the pipeline's 'dlq'"),
        ("steps: [{parse: json, on_error: dpl}]", "did you mean 'dlq'?"),
        ("steps: [{parse: {json: {}, on_error: keep}, on_error: drop}]", "stands here twice"),
        ("dlq: t", "would read its own dead letters"), ("dlq: {topc: x}", "did you mean 'topic'?"),
        ("dlq: 'a/b'", "a topic's name"), ("steps: [{on_error: drop}]", "one step"),
    ])
    func mistakesAreSaidWithTheirPlace(text: String, wanted: String) {
        let error = #expect(throws: SettingsError.self) { try settings(text) }
        #expect("\(error.map { "\($0)" } ?? "")".contains(wanted), "\(error.map { "\($0)" } ?? "")")
    }

    @Test func aTestMaySayThatARecordIsADeadLetter() throws {
        let pipeline = try settings(
            """
            dlq: d
            steps: [{parse: json, on_error: dlq}]
            tests:
              - {input: x, becomes: dead_letter}
              - {input: x}
            """)
        let problems = pipeline.tests.map { $0.problem(in: pipeline) }
        #expect(problems[0] == nil)
        #expect(problems[1]?.hasPrefix("the record is a dead letter: step 1 parse json: not JSON") == true)
    }
}
