import Base
import Events
import Records
import SystemPackage
import TestKit
import Testing

@testable import Exports

@Suite struct MemoryTests {
    /// 500 hours are fed at once by two partitions, far more than memory may hold; every row is there, and memory stayed in its bounds.
    @Test func manyOpenHoursStayWithinTheBudget() async throws {
        let fileSystem = SimulatedFileSystem()
        let store = LocalStore(root: "/data", fileSystem: fileSystem)
        let schema = TableSchema(fields: [.field("s", .string)])
        var settings = ExportSettings(
            format: TableFormat(.parquet, codec: Codec.none, schema: schema), openFilesMax: 500, memoryMax: .mib(2))
        settings.commit.filesMax = 2000
        let memory = ExportMemory(bytesMax: settings.memoryMax)
        var exports: [PartitionExport<LocalStore>] = []
        for partition: Int32 in 0..<2 {
            let export = PartitionExport(
                chain: ChainID(pipeline: "p", table: "t", topic: "t", topicID: .zero, partition: partition),
                attempt: .random(), settings: settings, store: store,
                source: .init(
                    log: { _ in LogRange(start: Offset(0), end: Offset(1_000_000)) }, storeGroupOffset: { _, _ in }),
                time: ManualTime(), memory: memory)
            _ = try await export.start()
            exports.append(export)
        }
        var largest = 0
        var random = SeededRandom(seed: 7)
        for offset: Int64 in 0..<20_000 {
            let text = String(repeating: Character("\(offset % 10)"), count: 100) + "\(random.next())"
            for export in exports {
                export.append(
                    Event([Field("s", .string(text))]), time: Timestamp(milliseconds: offset % 500 * 3_600_000),
                    offset: Offset(offset), timestamp: .none)
                if export.wantsFlush { try await export.flush() }
            }
            largest = max(largest, memory.byteCount.bytes)
        }
        for export in exports {
            try await export.advance(to: Offset(20_000), leaderEpoch: LeaderEpoch(0), records: 20_000)
            try await export.stop()
        }
        #expect(largest > ByteCount.mib(1).bytes, "the budget was never needed")
        #expect(largest < ByteCount.mib(3).bytes, "\(largest) bytes waited")
        #expect(memory.byteCount.bytes == 0)
        var rows: Int64 = 0
        for path in try fileSystem.allFiles(below: "/data/t") {
            let bytes = try #require(try fileSystem.contents(of: path, bytesMax: .mib(64)))
            rows += try #require(ParquetSummary(bytes)).rowCount
        }
        #expect(rows == 40_000)
    }
}
