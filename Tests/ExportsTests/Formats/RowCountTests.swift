import Base
import Events
import ExportTestKit
import Exports
import Records
import SystemPackage
import TestKit
import Testing

/// An audit counts the rows of each format as its encoder did, and tells a file that isn't whole.
@Suite struct RowCountTests {
    static let formats: [TableFormat] = [
        TableFormat(.jsonl), TableFormat(.jsonl, codec: .zstd), TableFormat(.jsonl, codec: Codec.none),
        TableFormat(.csv, schema: schema), TableFormat(.csv, codec: .zstd, schema: schema),
        TableFormat(.csv, codec: Codec.none, schema: schema), TableFormat(.avro, schema: schema),
        TableFormat(.avro, codec: .snappy, schema: schema), TableFormat(.avro, codec: Codec.none, schema: schema),
        TableFormat(.parquet, schema: schema), TableFormat(.parquet, codec: Codec.none, schema: schema),
    ]
    static let schema = TableSchema(fields: [.field("text", .string), .field("n", .int64)])

    /// One file of `count` rows whose texts hold newlines and quotes.
    private func export(_ format: TableFormat, rows count: Int64) async throws -> (LocalStore, SimulatedFileSystem) {
        let disk = SimulatedFileSystem()
        let store = LocalStore(root: "/data/logs", fileSystem: disk)
        let export = PartitionExport(
            chain: Fixture.chain, attempt: .random(),
            settings: ExportSettings(layout: TableLayout(columns: []), format: format), store: store,
            source: .init(log: { _ in LogRange(start: Offset(0), end: Offset(count)) }, storeGroupOffset: { _, _ in }),
            time: ManualTime())
        _ = try await export.start()
        for offset in 0..<count {
            let text = offset % 3 == 0 ? "\"two\nlines\", \(offset)" : String(repeating: "x", count: Int(offset % 300))
            export.append(
                Event([Field("text", .string(text)), Field("n", .int(offset))]), time: nil, offset: Offset(offset),
                timestamp: .none)
        }
        try await export.advance(to: Offset(count), leaderEpoch: LeaderEpoch(1), records: count)
        try await export.stop()
        return (store, disk)
    }

    @Test(arguments: formats) func everyFormat(_ format: TableFormat) async throws {
        for count: Int64 in [1, 7, 6000] {
            let (store, _) = try await export(format, rows: count)
            let report = try await ExportAudit(store).run()
            #expect(report.isFine, "\(format.fileExtension), \(count) rows: \(report.findings)")
            #expect(report.rowCount == count)
        }
    }

    /// Also where the record was made for the shorter file, so that length and checksum agree.
    @Test(arguments: formats) func aFileThatWasCut(_ format: TableFormat) async throws {
        let (store, disk) = try await export(format, rows: 50)
        let table = Fixture.chain.table
        let name = try #require(try store.publishedFiles(of: table).first)
        let path = FilePath("\(store.tableFolder(table))/\(name)")
        let whole = try #require(try disk.contents(of: path, bytesMax: .mib(16)))
        let index = try #require(try store.recordIndexes(of: Fixture.chain).last)
        let record = try #require(try store.record(index, of: Fixture.chain))
        for length in [whole.count - 1, whole.count - 9, whole.count / 2, 3] {
            let bytes = Array(whole.prefix(length))
            try disk.replace(path, with: bytes)
            var changed = record
            changed.files[0].length = Int64(length)
            changed.files[0].crc32c = CRC32C.checksum(bytes)
            try disk.replace(store.recordPath(index, of: Fixture.chain), with: changed.encoded())
            let report = try await ExportAudit(store).run()
            #expect(report.findings.map(\.kind) == [.rows], "\(format.fileExtension) cut to \(length)")
        }
    }
}
