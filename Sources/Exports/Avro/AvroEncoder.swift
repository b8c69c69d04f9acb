import Base
import CZlib
import Events
import Records

/// One Avro object container file (Avro 1.11): the schema as JSON in its header, then blocks of rows, each compressed by itself.
///
///     "Obj" 1 | metadata map | sync 16 bytes | block…          block = rows long | bytes long | data | sync
///     row     = per column: long 0 (null), or long 1 and the value
final class AvroEncoder: RowEncoder {
    private let shaper: RowShaper
    private let compressor: BlockCompressor
    private let types: [ColumnType]
    private let sync: [UInt8]
    private var block: [UInt8] = []
    private var blockRowCount: Int64 = 0
    private var position = 0
    private(set) var rowCount: Int64 = 0
    var output = EncodedOutput()

    private static let blockBytesMax = 256 << 10

    /// - Parameter number: the file's within the attempt; with the attempt it makes the marker between blocks the file's own.
    init(shaper: RowShaper, compressor: BlockCompressor, attempt: AttemptID, number: Int) {
        self.shaper = shaper
        self.compressor = compressor
        types = shaper.schema.columns.map(\.type)
        sync = [attempt.high, attempt.low ^ UInt64(number)].flatMap { half in
            (0..<8).map { UInt8(truncatingIfNeeded: half >> (8 * $0)) }
        }
        var header: [UInt8] = Array("Obj".utf8) + [1]
        AvroBinary.append(2, to: &header)
        AvroBinary.append(Array("avro.codec".utf8), to: &header)
        AvroBinary.append(Array(Self.name(of: compressor.codec).utf8), to: &header)
        AvroBinary.append(Array("avro.schema".utf8), to: &header)
        AvroBinary.append(Array(AvroSchema.json(of: shaper.schema).utf8), to: &header)
        AvroBinary.append(0, to: &header)
        emit(header + sync)
    }

    private static func name(of codec: Codec) -> String {
        switch codec {
        case .none: "null"
        case .gzip: "deflate"
        case .snappy: "snappy"
        case .zstd: "zstandard"
        case .lz4: preconditionFailure("Avro has no lz4")
        }
    }

    var byteCount: Int64 { Int64(position + block.count / 4) }
    var waitingByteCount: Int { block.count }

    func append(_ row: borrowing Row, offset: Offset, timestamp: Timestamp) {
        let cells = shaper.shape(row, offset: offset, timestamp: timestamp)
        for place in 0..<cells.count { AvroBinary.append(cells[place], types[place], to: &block) }
        rowCount += 1
        blockRowCount += 1
        if block.count >= Self.blockBytesMax { finishBlock() }
    }

    func shrink() { finishBlock() }
    func finish() { finishBlock() }

    private func finishBlock() {
        if blockRowCount == 0 { return }
        var data: [UInt8] = []
        block.withUnsafeBytes { block in
            let compressed = compressor.compress(block)
            switch compressor.codec {
            case .gzip:
                // Avro has the deflate stream alone: without gzip's header of 10 bytes and its trailer of 8.
                data.append(contentsOf: UnsafeRawBufferPointer(rebasing: compressed[10..<compressed.count - 8]))
            case .snappy:
                data.append(contentsOf: compressed)
                let sum = crc32(0, block.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(block.count))
                withUnsafeBytes(of: UInt32(sum).bigEndian) { data.append(contentsOf: $0) }
            case .none, .zstd, .lz4: data.append(contentsOf: compressed)
            }
        }
        var head: [UInt8] = []
        AvroBinary.append(blockRowCount, to: &head)
        AvroBinary.append(Int64(data.count), to: &head)
        emit(head + data + sync)
        block.removeAll(keepingCapacity: true)
        blockRowCount = 0
    }

    private func emit(_ bytes: [UInt8]) {
        position += bytes.count
        output.append(bytes)
    }
}

/// Avro's binary encoding.
enum AvroBinary {
    /// A long: zigzag, seven bits a byte.
    static func append(_ number: Int64, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    static func append(_ text: some Collection<UInt8>, to bytes: inout [UInt8]) {
        append(Int64(text.count), to: &bytes)
        bytes.append(contentsOf: text)
    }

    /// A value of the union of null and the column's type.
    static func append(_ cell: Cell, _ type: ColumnType, to bytes: inout [UInt8]) {
        if case .null = cell { return append(0, to: &bytes) }
        append(1, to: &bytes)
        switch cell {
        case .null: break
        case .bool(let bool): bytes.append(bool ? 1 : 0)
        case .int(let number): append(number, to: &bytes)
        case .double(let number):
            withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        case .text(let text): append(text, to: &bytes)
        case .timestamp, .json: preconditionFailure("a cell that no column stores")
        }
    }
}

/// The schema as Avro's JSON: a record of nullable fields.
enum AvroSchema {
    static func json(of schema: TableSchema) -> String {
        let fields = schema.columns.map { column in
            Value.object([
                Field("name", .string(column.name)), Field("type", .list([.string("null"), type(column.type)])),
                Field("default", .null),
            ])
        }
        return Value.object([
            Field("type", .string("record")), Field("name", .string("row")), Field("fields", .list(fields)),
        ]).json
    }

    private static func type(_ type: ColumnType) -> Value {
        switch type {
        case .bool: .string("boolean")
        case .int32: .string("int")
        case .int64: .string("long")
        case .double: .string("double")
        case .string: .string("string")
        case .date: logical("int", "date")
        case .timestamp: logical("long", "timestamp-micros")
        }
    }

    private static func logical(_ type: String, _ logical: String) -> Value {
        .object([Field("type", .string(type)), Field("logicalType", .string(logical))])
    }
}
