import Base
import Events
import Exports
import KafkaClient
import Records
import SystemPackage
import TestKit
import Testing

@testable import KafkaClient
@testable import Pipelines

@Suite struct SinkTests {
    private static let partition = TopicPartition(topic: "t", partition: 0)

    private static func fetched(_ from: Int64, _ offsets: Range<Int64>, next: Int64? = nil) throws -> FetchedPartition {
        let records = offsets.map {
            NewRecord(
                timestamp: Timestamp(milliseconds: 1_795_330_801_000 + $0), key: nil, value: Array("line \($0)".utf8))
        }
        let batches = records.isEmpty ? [] : [try RecordBatch.build(records, baseOffset: Offset(offsets.lowerBound))]
        return FetchedPartition(
            partition: partition, topicID: .zero, leaderEpoch: LeaderEpoch(3), startOffset: Offset(from),
            nextOffset: Offset(next ?? offsets.upperBound), batches: batches, highWatermark: Offset(1000),
            lastStableOffset: Offset(1000), logStartOffset: Offset(0))
    }

    private static func task(_ fileSystem: SimulatedFileSystem, _ time: ManualTime) -> PartitionTask {
        var settings = ExportSettings()
        settings.commit.ageMax = .seconds(5)
        let chain = ChainID(pipeline: "p", table: "t", topic: "t", topicID: .zero, partition: 0)
        let sink = ExportSink(
            chain: chain, settings: settings, store: LocalStore(root: "/x", fileSystem: fileSystem),
            log: { _ in LogRange(start: Offset(0), end: Offset(1000)) }, time: time, telemetry: .silent)
        return PartitionTask(partition: partition, topicID: .zero, steps: Steps(), sinks: [sink])
    }

    @Test func aBatchThatBeginsBelowIsCutAndOneFurtherOnIsNotTaken() async throws {
        let fileSystem = SimulatedFileSystem()
        let time = ManualTime()
        let first = Self.task(fileSystem, time)
        try await first.start(committed: Offset(77))
        #expect(first.position == Offset(0))
        #expect(try await first.take(Self.fetched(0, 0..<10)).rows == 10)
        try await first.stop()
        #expect(first.committable?.offset == Offset(10))
        let second = Self.task(fileSystem, time)
        try await second.start(committed: nil)
        #expect(second.position == Offset(10))
        // The first attempt, not stopped properly, is fenced and changes nothing.
        #expect(second.continues(try Self.fetched(10, 5..<15)))
        #expect(!second.continues(try Self.fetched(15, 15..<20)))
        #expect(!second.continues(try Self.fetched(0, 0..<9)))
        #expect(try await second.take(Self.fetched(10, 5..<15)).rows == 5)
        // Only the position moves: control batches, aborted records.
        #expect(try await second.take(Self.fetched(15, 15..<15, next: 20)).rows == 0)
        time.advance(by: .seconds(5))
        try await second.tick()
        #expect(second.committable?.offset == Offset(20))
        try await second.stop()
        let store = LocalStore(root: "/x", fileSystem: fileSystem)
        let chain = ChainID(pipeline: "p", table: "t", topic: "t", topicID: .zero, partition: 0)
        let records = try store.recordIndexes(of: chain).compactMap { try store.record($0, of: chain) }
        #expect(records.map(\.kind) == [.takeover, .commit, .takeover, .commit])
        #expect(records.map(\.to) == [Offset(0), Offset(10), Offset(10), Offset(20)])
        #expect(records.map(\.rowCount) == [0, 10, 0, 5])
    }

    @Test func aLineFileRotatesAndEndsTornLines() async throws {
        let fileSystem = SimulatedFileSystem()
        try fileSystem.createDirectory("/out")
        let torn = try fileSystem.open("/out/x.log", .create)
        try Array("{\"line\":\"to".utf8).withUnsafeBytes { try torn.write($0, at: 0) }
        let time = ManualTime()
        let file = LineFile(
            settings: FileSinkSettings(path: "/out/x.log", rotateBytes: .kib(64), keep: 2), fileSystem: fileSystem)
        let sink = FileSink(file: file, time: time)
        #expect(try await sink.start(committed: Offset(4)) == Offset(4))
        var row = Row()
        for offset in 4..<8000 {
            row.fill(Event([Field("n", .int(Int64(offset)))]))
            sink.append(row, time: nil, offset: Offset(Int64(offset)), timestamp: .none)
            if sink.wantsFlush { try await sink.flush() }
        }
        try await sink.advance(to: Offset(8000), leaderEpoch: LeaderEpoch(1), records: 10, sources: SourceTally())
        #expect(sink.committed == nil)
        time.advance(by: .seconds(1))
        try await sink.tick()
        #expect(sink.committed?.offset == Offset(8000))
        let rotated = try #require(try fileSystem.contents(of: "/out/x.log.1", bytesMax: .mib(1)))
        #expect(String(decoding: rotated.prefix(40), as: UTF8.self).hasPrefix("{\"line\":\"to\n{\"n\":4}\n{\"n\":5}\n"))
        #expect(rotated.split(separator: 0x0a).count == 7997)
        #expect(try !fileSystem.exists("/out/x.log"))
    }
}
