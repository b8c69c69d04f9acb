public import Base
import Events
public import Exports
public import TestKit

/// A topic's partition as a test knows it: record `offset` happened in one of a few hours, and is filtered out where `isFiltered`.
public struct TestTopic: Sendable {
    public var count: Int64

    public init(count: Int64) { self.count = count }

    static let base: Int64 = 1_795_305_600_000

    public func time(_ offset: Int64) -> Timestamp {
        Timestamp(
            milliseconds: Self.base + Int64(RecordHash.of(partition: 1, offset: offset / 6) % 4) * 3_600_000 + offset)
    }

    public func isFiltered(_ offset: Int64) -> Bool { RecordHash.of(partition: 2, offset: offset) % 7 == 0 }
}

/// One owner's life over any store.
public struct TestOwner: Sendable {
    public var topic: TestTopic
    public var time: ManualTime
    public var bytesMax = ByteCount(120)
    public var openFilesMax = 2

    public init(topic: TestTopic, time: ManualTime) {
        self.topic = topic
        self.time = time
    }

    public func export<Store: ExportStore>(
        _ store: Store, _ random: inout SeededRandom, groupOffset: @escaping @Sendable (Offset) -> Void = { _ in }
    ) -> PartitionExport<Store> {
        let count = topic.count
        return PartitionExport(
            chain: Fixture.chain, attempt: .random(using: &random),
            settings: ExportSettings(
                commit: .init(bytesMax: bytesMax, ageMax: .seconds(5), filesMax: 12), format: TableFormat(level: 1),
                openFilesMax: openFilesMax),
            store: store,
            source: .init(
                log: { _ in LogRange(start: Offset(0), end: Offset(count)) },
                storeGroupOffset: { offset, _ in groupOffset(offset) }),
            time: time)
    }

    /// Takes over, reads the topic to its end in batches, commits and stops.
    public func live(
        _ store: some ExportStore, seed: UInt64, groupOffset: @escaping @Sendable (Offset) -> Void = { _ in }
    )
        async throws
    {
        var random = SeededRandom(seed: seed)
        let export = export(store, &random, groupOffset: groupOffset)
        var next = try await export.start().rawValue
        while next < topic.count {
            let end = min(topic.count, next + Int64.random(in: 1...20, using: &random))
            try await feed(export, next..<end)
            next = end
            if random.oneIn(5) {
                time.advance(by: .seconds(6))
                try await export.tick()
            }
        }
        try await export.stop()
    }

    public func feed(_ export: PartitionExport<some ExportStore>, _ offsets: Range<Int64>) async throws {
        for offset in offsets where !topic.isFiltered(offset) {
            let event = Event([Field("n", .int(offset)), Field("time", .timestamp(topic.time(offset)))])
            export.append(event, time: topic.time(offset), offset: Offset(offset), timestamp: topic.time(offset))
            if export.wantsFlush { try await export.flush() }
        }
        var sources = SourceTally()
        for offset in offsets {
            sources.add(
                offset % 3 == 0 ? "web1/a" : "web2/b", hour: SourceTally.hour(of: topic.time(offset)), records: 1)
        }
        try await export.advance(
            to: Offset(offsets.upperBound), leaderEpoch: LeaderEpoch(1), records: Int64(offsets.count), sources: sources
        )
    }
}
