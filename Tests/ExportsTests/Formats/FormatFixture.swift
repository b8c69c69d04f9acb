import Base
import Events
import Records

@testable import Exports

/// Encodes events as one file, without a store around it.
struct FormatFixture {
    static let chain = ChainID(pipeline: "p", table: "t", topic: "topic", topicID: .zero, partition: 3)

    static func file(
        _ format: TableFormat, _ events: [Event], timestamp: Timestamp = Timestamp(milliseconds: 1_795_330_801_000)
    ) -> [UInt8] {
        let factory = EncoderFactory(format, chain: chain, attempt: .zero, layout: TableLayout())
        let encoder = factory.encoder(number: 0)
        var row = Row()
        for (offset, event) in events.enumerated() {
            row.fill(event)
            encoder.append(row, offset: Offset(Int64(offset)), timestamp: timestamp)
        }
        encoder.finish()
        return encoder.output.pieces.flatMap { $0 }
    }

    static func parquet(
        _ columns: [TableSchema.Column], codec: Codec = .none, compatibility: ParquetCompatibility = .modern
    ) -> TableFormat {
        TableFormat(.parquet, codec: codec, schema: TableSchema(fields: columns), compatibility: compatibility)
    }
}

/// What a Parquet file's footer says, as far as tests ask.
struct ParquetSummary {
    struct Column {
        var name = ""
        var encodings: [Int64] = []
        var codec: Int64 = -1
        var valueCount: Int64 = -1
        var nullCount: Int64 = -1
    }

    var rowCount: Int64 = -1
    /// Number of the converted type by column; the columns with a newer annotation.
    var converted: [String: Int64] = [:]
    var annotated: Set<String> = []
    var groups: [[Column]] = []

    init?(_ file: [UInt8]) {
        guard file.starts(with: Array("PAR1".utf8)), Array(file.suffix(4)) == Array("PAR1".utf8) else { return nil }
        let length = file.suffix(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        var reader = ThriftCompactReader(Array(file[(file.count - 8 - length)..<(file.count - 8)]))
        let isWhole = reader.structure { reader, id, _ in
            switch id {
            case 2: return readList(&reader) { summary, reader in summary.readElement(&reader) }
            case 3:
                rowCount = reader.integer() ?? -1
                return true
            case 4:
                return readList(&reader) { summary, reader in
                    summary.groups.append([])
                    _ = reader.structure { reader, id, _ in
                        guard id == 1 else { return false }
                        return summary.readList(&reader) { summary, reader in summary.readChunk(&reader) }
                    }
                }
            default: return false
            }
        }
        if !isWhole { return nil }
    }

    private mutating func readList(
        _ reader: inout ThriftCompactReader, _ body: (inout ParquetSummary, inout ThriftCompactReader) -> Void
    ) -> Bool {
        guard let (_, count) = reader.list() else { return false }
        for _ in 0..<count { body(&self, &reader) }
        return true
    }

    private mutating func readElement(_ reader: inout ThriftCompactReader) {
        var name = ""
        var type: Int64?
        var isAnnotated = false
        _ = reader.structure { reader, id, _ in
            switch id {
            case 4:
                name = String(decoding: reader.binary() ?? [], as: UTF8.self)
                return true
            case 6:
                type = reader.integer()
                return true
            case 10:
                isAnnotated = true
                return false
            default: return false
            }
        }
        converted[name] = type
        if isAnnotated { annotated.insert(name) }
    }

    private mutating func readChunk(_ reader: inout ThriftCompactReader) {
        var column = Column()
        _ = reader.structure { reader, id, _ in
            guard id == 3 else { return false }
            return reader.structure { reader, id, _ in
                switch id {
                case 2:
                    guard let (_, count) = reader.list() else { return false }
                    column.encodings = (0..<count).map { _ in reader.integer() ?? -1 }
                case 3:
                    guard let (_, count) = reader.list() else { return false }
                    for _ in 0..<count { column.name = String(decoding: reader.binary() ?? [], as: UTF8.self) }
                case 4: column.codec = reader.integer() ?? -1
                case 5: column.valueCount = reader.integer() ?? -1
                case 12:
                    return reader.structure { reader, id, _ in
                        guard id == 3 else { return false }
                        column.nullCount = reader.integer() ?? -1
                        return true
                    }
                default: return false
                }
                return true
            }
        }
        groups[groups.count - 1].append(column)
    }
}
