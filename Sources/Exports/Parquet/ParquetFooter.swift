import Records

/// The metadata at a Parquet file's end (parquet.thrift, FileMetaData), and its Thrift.
struct ParquetFooter {
    struct Column {
        var name: String
        var type: ColumnType
    }

    struct Chunk {
        var fileOffset: Int64
        var finished: ColumnChunkWriter.Finished

        var byteCount: Int64 { Int64(finished.bytes.count) }
    }

    struct RowGroup {
        var fileOffset: Int64
        var rowCount: Int64
        var chunks: [Chunk]
    }

    static let magic = Array("PAR1".utf8)
    /// Name and version of the writer, as readers parse it to work around the faults of some.
    private static let createdBy = "millrace version 1.0.0 (build 1)"

    let columns: [Column]
    let codec: Codec
    let compatibility: ParquetCompatibility
    var rowGroups: [RowGroup] = []

    /// The metadata, its length and the magic number that ends a file.
    func encoded() -> [UInt8] {
        var thrift = ThriftCompactWriter()
        thrift.structure { file in
            file.i32(1, 1)
            file.list(2, .structure, 0...columns.count) { list, place in
                if place == 0 { writeRoot(&list) } else { write(columns[place - 1], &list) }
            }
            file.i64(3, rowGroups.reduce(0) { $0 + $1.rowCount })
            file.list(4, .structure, rowGroups.indices) { list, place in
                write(rowGroups[place], Int16(clamping: place), &list)
            }
            file.binary(6, Array(Self.createdBy.utf8))
            // Texts compare by their bytes, numbers by their sign.
            file.list(7, .structure, columns) { list, _ in list.structure { $0.structure(1) { _ in } } }
        }
        var bytes = thrift.bytes
        withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { bytes.append(contentsOf: $0) }
        return bytes + Self.magic
    }

    private func writeRoot(_ list: inout ThriftCompactWriter) {
        list.structure { element in
            element.binary(4, Array("schema".utf8))
            element.i32(5, Int32(columns.count))
        }
    }

    private func write(_ column: Column, _ list: inout ThriftCompactWriter) {
        list.structure { element in
            element.i32(1, ParquetType(column.type).rawValue)
            element.i32(3, 1)  // OPTIONAL
            element.binary(4, Array(column.name.utf8))
            switch column.type {
            case .string: annotate(&element, .utf8) { $0.structure(1) { _ in } }
            case .date: annotate(&element, .date) { $0.structure(6) { _ in } }
            case .timestamp:
                annotate(&element, .timestampMicros) { logical in
                    logical.structure(8) { timestamp in
                        timestamp.bool(1, true)  // adjusted to UTC
                        timestamp.structure(2) { $0.structure(2) { _ in } }  // microseconds
                    }
                }
            case .bool, .int32, .int64, .double: break
            }
        }
    }

    private func annotate(
        _ element: inout ThriftCompactWriter, _ converted: ParquetConvertedType,
        logical: (inout ThriftCompactWriter) -> Void
    ) {
        element.i32(6, converted.rawValue)
        if compatibility == .modern { element.structure(10, logical) }
    }

    private func write(_ group: RowGroup, _ number: Int16, _ list: inout ThriftCompactWriter) {
        list.structure { thrift in
            thrift.list(1, .structure, zip(columns, group.chunks).map { $0 }) { list, pair in
                write(pair.1, pair.0, &list)
            }
            thrift.i64(2, group.chunks.reduce(0) { $0 + $1.finished.uncompressedByteCount })
            thrift.i64(3, group.rowCount)
            thrift.i64(5, group.fileOffset)
            thrift.i64(6, group.chunks.reduce(0) { $0 + $1.byteCount })
            thrift.i16(7, number)
        }
    }

    private func write(_ chunk: Chunk, _ column: Column, _ list: inout ThriftCompactWriter) {
        let finished = chunk.finished
        list.structure { thrift in
            thrift.i64(2, chunk.fileOffset)
            thrift.structure(3) { metadata in
                metadata.i32(1, ParquetType(column.type).rawValue)
                let encodings = ParquetEncoding.allCases.filter { encoding in
                    encoding == .rle || finished.encodings.contains { $0.encoding == encoding }
                }
                metadata.list(2, .i32, encodings) { $0.i32($1.rawValue) }
                metadata.list(3, .binary, [column.name]) { $0.binary(Array($1.utf8)) }
                metadata.i32(4, ParquetCodec.number(codec))
                metadata.i64(5, finished.valueCount)
                metadata.i64(6, finished.uncompressedByteCount)
                metadata.i64(7, chunk.byteCount)
                metadata.i64(9, chunk.fileOffset + Int64(finished.dictionaryByteCount ?? 0))
                if finished.dictionaryByteCount != nil { metadata.i64(11, chunk.fileOffset) }
                metadata.structure(12) { finished.statistics.write(to: &$0, column.type) }
                metadata.list(13, .structure, finished.encodings) { list, used in
                    list.structure { stats in
                        stats.i32(1, used.page.rawValue)
                        stats.i32(2, used.encoding.rawValue)
                        stats.i32(3, used.count)
                    }
                }
            }
        }
    }
}

extension ColumnStatistics {
    /// parquet.thrift, Statistics. The older fields `max` and `min` are given where they mean the same.
    func write(to thrift: inout ThriftCompactWriter, _ type: ColumnType) {
        var min: (bytes: [UInt8], isExact: Bool)?
        var max: (bytes: [UInt8], isExact: Bool)?
        if let wholes {
            min = (Self.plain(wholes.lowerBound, type), true)
            max = (Self.plain(wholes.upperBound, type), true)
        } else if let decimals {
            min = (Self.plain(decimals.lowerBound.bitPattern, width: 8), true)
            max = (Self.plain(decimals.upperBound.bitPattern, width: 8), true)
        } else if let texts {
            min = Self.lowerBound(texts.min)
            max = Self.upperBound(texts.max)
        }
        let isSigned = type != .string
        if let max, isSigned { thrift.binary(1, max.bytes) }
        if let min, isSigned { thrift.binary(2, min.bytes) }
        thrift.i64(3, nullCount)
        if let max { thrift.binary(5, max.bytes) }
        if let min { thrift.binary(6, min.bytes) }
        if let max { thrift.bool(7, max.isExact) }
        if let min { thrift.bool(8, min.isExact) }
    }

    private static func plain(_ number: Int64, _ type: ColumnType) -> [UInt8] {
        switch type {
        case .bool: plain(UInt64(bitPattern: number), width: 1)
        case .int32, .date: plain(UInt64(bitPattern: number), width: 4)
        case .int64, .timestamp, .double, .string: plain(UInt64(bitPattern: number), width: 8)
        }
    }

    private static func plain(_ bits: UInt64, width: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        PlainEncoding.append(bits, width: width, to: &bytes)
        return bytes
    }
}
