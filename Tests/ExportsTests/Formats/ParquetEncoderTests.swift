import Base
import Events
import Records
import Testing

@testable import Exports

@Suite struct ParquetEncoderTests {
    private static let (plain, plainDictionary, rle, rleDictionary) = (Int64(0), Int64(2), Int64(3), Int64(8))

    private func column(_ name: String, _ file: [UInt8]) throws -> ParquetSummary.Column {
        let summary = try #require(ParquetSummary(file))
        return try #require(summary.groups.first?.first { $0.name == name })
    }

    @Test func fewDistinctValuesMakeADictionary() throws {
        let events = (0..<5000).map {
            Event([Field("s", .string("value \($0 % 7)")), Field("n", .int(Int64($0 % 3)))])
        }
        let file = FormatFixture.file(FormatFixture.parquet([.field("s", .string), .field("n", .int64)]), events)
        for name in ["s", "n"] {
            let column = try column(name, file)
            #expect(column.encodings == [Self.plain, Self.rle, Self.rleDictionary], "\(name): \(column.encodings)")
            #expect(column.valueCount == 5000 && column.nullCount == 0)
        }
    }

    @Test func valuesThatDifferStayPlain() throws {
        let events = (0..<5000).map { Event([Field("s", .string("value \($0)")), Field("n", .int(Int64($0) << 20))]) }
        let file = FormatFixture.file(FormatFixture.parquet([.field("s", .string), .field("n", .int64)]), events)
        for name in ["s", "n"] { #expect(try column(name, file).encodings == [Self.plain, Self.rle]) }
    }

    @Test func aDictionaryThatOverflowsGoesOnPlain() throws {
        // The first pages repeat few long values; then come ever new ones, up to the dictionary's limit.
        let long = String(repeating: "x", count: 200)
        let events = (0..<60_000).map { Event([Field("s", .string("\($0 < 40_000 ? $0 % 5 : $0)\(long)"))]) }
        let file = FormatFixture.file(FormatFixture.parquet([.field("s", .string)], codec: .zstd), events)
        let column = try column("s", file)
        #expect(column.encodings == [Self.plain, Self.rle, Self.rleDictionary] && column.valueCount == 60_000)
    }

    @Test func nullsAreCountedAndAnAllNullColumnIsWritten() throws {
        let events = (0..<1000).map { Event([Field("a", $0 % 4 == 0 ? .null : .int(1))]) }
        let file = FormatFixture.file(FormatFixture.parquet([.field("a", .int64), .field("b", .string)]), events)
        #expect(try column("a", file).nullCount == 250)
        #expect(try column("b", file).nullCount == 1000)
        #expect(try column("b", file).encodings == [Self.plain, Self.rle])
    }

    @Test func aRowGroupEndsAtItsSize() throws {
        var format = FormatFixture.parquet([.field("s", .string)], codec: .none)
        format.rowGroupBytesMax = .mib(1)
        let events = (0..<40_000).map { Event([Field("s", .string("\($0) " + String(repeating: "y", count: 100)))]) }
        let summary = try #require(ParquetSummary(FormatFixture.file(format, events)))
        #expect(4...10 ~= summary.groups.count, "\(summary.groups.count) row groups")
        #expect(summary.rowCount == 40_000)
        #expect(summary.groups.map { $0[0].valueCount }.reduce(0, +) == 40_000)
    }

    @Test func aFileWithoutRowsIsWhole() throws {
        let summary = try #require(ParquetSummary(FormatFixture.file(FormatFixture.parquet([]), [])))
        #expect(summary.rowCount == 0 && summary.groups.isEmpty)
    }

    @Test func hadoop2IsToldInItsOwnWords() throws {
        let columns: [TableSchema.Column] = [.field("s", .string), .field("t", .timestamp), .field("d", .date)]
        let events = (0..<100).map { _ in Event([Field("s", .string("x"))]) }
        let old = FormatFixture.file(FormatFixture.parquet(columns, codec: .snappy, compatibility: .hadoop2), events)
        let summary = try #require(ParquetSummary(old))
        #expect(summary.annotated.isEmpty)
        #expect(summary.converted["s"] == 0 && summary.converted["d"] == 6 && summary.converted["t"] == 10)
        #expect(try column("s", old).encodings == [Self.plainDictionary, Self.rle])
        #expect(try column("s", old).codec == 1)
        let new = try #require(ParquetSummary(FormatFixture.file(FormatFixture.parquet(columns), events)))
        #expect(new.annotated.isSuperset(of: ["s", "t", "d"]) && new.converted == summary.converted)
    }

    @Test func theFileIsTheSameHoweverOftenItIsMade() {
        let events = (0..<3000).map { Event([Field("s", .string("\($0 % 1000)")), Field("x", .int(Int64($0)))]) }
        let format = FormatFixture.parquet([.field("s", .string)], codec: .zstd)
        #expect(FormatFixture.file(format, events) == FormatFixture.file(format, events))
    }
}
