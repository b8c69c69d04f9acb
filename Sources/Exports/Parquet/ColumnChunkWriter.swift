import Events

/// One column of a row group under way: pages that are compressed as they fill, and the dictionary, which is written before them when
/// the row group ends.
///
///     column chunk = [dictionary page] data page…        page = PageHeader (Thrift) | compressed body
///     data page    = definition levels | values          (DataPage v1, no repetition levels)
final class ColumnChunkWriter {
    /// What a row group's metadata says of one column chunk; offsets are within the chunk.
    struct Finished {
        var bytes: EncodedOutput
        var valueCount: Int64
        var uncompressedByteCount: Int64
        var dictionaryByteCount: Int?
        var encodings: [(page: ParquetPageType, encoding: ParquetEncoding, count: Int32)]
        var statistics: ColumnStatistics
    }

    /// A page ends once its values take this much…
    static let pageBytesMax = 1 << 20
    /// … or it holds this many rows.
    static let pageRowsMax = 32_768

    private let type: ParquetType
    private let compressor: BlockCompressor
    private let dictionaryEncoding: ParquetEncoding
    private var values: PageValues
    private var levels = DefinitionLevels()
    private var statistics = ColumnStatistics()
    private var pages: [UInt8] = []
    private var pageCounts: (dictionary: Int32, plain: Int32) = (0, 0)
    private var uncompressed: Int64 = 0
    private var rows: Int64 = 0
    private var body: [UInt8] = []

    init(_ type: ParquetType, compressor: BlockCompressor, compatibility: ParquetCompatibility) {
        self.type = type
        self.compressor = compressor
        dictionaryEncoding = compatibility == .hadoop2 ? .plainDictionary : .rleDictionary
        values = PageValues(type)
    }

    /// The memory that it takes; about what it will take in the file, too.
    var byteCount: Int { pages.count + values.byteCount }

    /// - Parameter cell: null, or what the column's type stores (`RowShaper`).
    func append(_ cell: Cell) {
        switch cell {
        case .null: levels.appendNull()
        case .text(let text):
            levels.appendValue()
            if values.append(text) { statistics.add(text) }
        case .int(let number):
            levels.appendValue()
            // The low half of the bits is an INT32's.
            values.append(
                bits: type == .int32 ? UInt64(UInt32(truncatingIfNeeded: number)) : UInt64(bitPattern: number))
            statistics.add(number)
        case .double(let number):
            levels.appendValue()
            values.append(bits: number.bitPattern)
            statistics.add(number)
        case .bool(let bool):
            levels.appendValue()
            values.append(bool)
            statistics.add(bool ? 1 : 0 as Int64)
        case .timestamp, .json: preconditionFailure("a cell that no column stores")
        }
        if values.plainByteCount >= Self.pageBytesMax && values.encoding == .plain || levels.count >= Self.pageRowsMax {
            finishPage()
        }
    }

    private func finishPage() {
        if levels.count == 0 { return }
        if pageCounts.dictionary == 0 {
            values.decideForOne()
            if values.encoding == .plain { values.dropDictionary() }
        }
        // Without a value there is no dictionary to refer to.
        let isPlain = values.encoding == .plain || values.dictionaryCount == 0
        body.removeAll(keepingCapacity: true)
        levels.append(to: &body)
        if values.count > 0 { values.finishPage(to: &body) }
        if isPlain { pageCounts.plain += 1 } else { pageCounts.dictionary += 1 }
        statistics.nullCount += Int64(levels.nullCount)
        rows += Int64(levels.count)
        appendPage(
            ParquetPageHeader(
                type: .data, valueCount: Int32(levels.count), encoding: isPlain ? .plain : dictionaryEncoding), body,
            to: &pages)
        levels.removeAll()
    }

    private func appendPage(_ header: ParquetPageHeader, _ body: [UInt8], to output: inout [UInt8]) {
        body.withUnsafeBytes { body in
            let compressed = compressor.compress(body)
            let head = header.encoded(uncompressed: body.count, compressed: compressed.count)
            uncompressed += Int64(head.count + body.count)
            output.append(contentsOf: head)
            output.append(contentsOf: compressed)
        }
    }

    /// Ends the row group's part of this column and begins the next.
    func finish() -> Finished {
        finishPage()
        var bytes = EncodedOutput()
        var encodings: [(page: ParquetPageType, encoding: ParquetEncoding, count: Int32)] = []
        var dictionaryByteCount: Int?
        if pageCounts.dictionary > 0 {
            // Hadoop 2's writers called both uses of PLAIN_DICTIONARY by that name.
            let encoding = dictionaryEncoding == .plainDictionary ? ParquetEncoding.plainDictionary : .plain
            var page: [UInt8] = []
            appendPage(
                ParquetPageHeader(type: .dictionary, valueCount: Int32(values.dictionaryCount), encoding: encoding),
                values.dictionaryPlain(), to: &page)
            dictionaryByteCount = page.count
            bytes.append(page)
            encodings.append((.dictionary, encoding, 1))
            encodings.append((.data, dictionaryEncoding, pageCounts.dictionary))
        }
        if pageCounts.plain > 0 { encodings.append((.data, .plain, pageCounts.plain)) }
        bytes.append(pages)
        defer { begin() }
        return Finished(
            bytes: bytes, valueCount: rows, uncompressedByteCount: uncompressed,
            dictionaryByteCount: dictionaryByteCount, encodings: encodings, statistics: statistics)
    }

    private func begin() {
        values = PageValues(type)
        statistics = ColumnStatistics()
        pages = []
        pageCounts = (0, 0)
        uncompressed = 0
        rows = 0
    }
}

struct ParquetPageHeader {
    var type: ParquetPageType
    /// Nulls count.
    var valueCount: Int32
    var encoding: ParquetEncoding

    func encoded(uncompressed: Int, compressed: Int) -> [UInt8] {
        var thrift = ThriftCompactWriter()
        thrift.structure { thrift in
            thrift.i32(1, type.rawValue)
            thrift.i32(2, Int32(uncompressed))
            thrift.i32(3, Int32(compressed))
            switch type {
            case .data:
                thrift.structure(5) { header in
                    header.i32(1, valueCount)
                    header.i32(2, encoding.rawValue)
                    header.i32(3, ParquetEncoding.rle.rawValue)
                    header.i32(4, ParquetEncoding.rle.rawValue)
                }
            case .dictionary:
                thrift.structure(7) { header in
                    header.i32(1, valueCount)
                    header.i32(2, encoding.rawValue)
                }
            }
        }
        return thrift.bytes
    }
}
