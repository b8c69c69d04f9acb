import Base
import Events

/// One Parquet file (format 1: v1 data pages, PLAIN and RLE_DICTIONARY), as every reader of the last ten years takes it: flat, each
/// column optional, a page at a time in memory, a row group at a time in the file.
///
///     "PAR1" | row group… | FileMetaData (Thrift) | its length u32 | "PAR1"          row group = a column chunk per column
final class ParquetEncoder: RowEncoder {
    struct Settings {
        var rowGroupBytesMax: ByteCount
        var compatibility: ParquetCompatibility
    }

    private let shaper: RowShaper
    private let settings: Settings
    private let columns: [ColumnChunkWriter]
    private var footer: ParquetFooter
    private var position: Int64
    private var groupRowCount: Int64 = 0
    private(set) var rowCount: Int64 = 0
    private var textByteCountAtCheck = 0
    var output = EncodedOutput()

    /// How many rows, or how much text, may pass between two looks at the row group's size.
    private static let checkRows: Int64 = 256
    private static let checkTextBytes = 1 << 20

    init(shaper: RowShaper, compressor: BlockCompressor, settings: Settings) {
        self.shaper = shaper
        self.settings = settings
        let schema = shaper.schema.columns
        columns = schema.map {
            ColumnChunkWriter(ParquetType($0.type), compressor: compressor, compatibility: settings.compatibility)
        }
        footer = ParquetFooter(
            columns: schema.map { .init(name: $0.name, type: $0.type) }, codec: compressor.codec,
            compatibility: settings.compatibility)
        output.append(ParquetFooter.magic)
        position = Int64(ParquetFooter.magic.count)
    }

    var byteCount: Int64 { position + Int64(waitingByteCount) }
    var waitingByteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }

    func append(_ row: borrowing Row, offset: Offset, timestamp: Timestamp) {
        let cells = shaper.shape(row, offset: offset, timestamp: timestamp)
        for place in columns.indices { columns[place].append(cells[place]) }
        rowCount += 1
        groupRowCount += 1
        if groupRowCount % Self.checkRows == 0 || shaper.textByteCount - textByteCountAtCheck > Self.checkTextBytes {
            textByteCountAtCheck = shaper.textByteCount
            if waitingByteCount >= settings.rowGroupBytesMax.bytes { finishRowGroup() }
        }
    }

    func shrink() { finishRowGroup() }

    func finish() {
        finishRowGroup()
        output.append(footer.encoded())
    }

    private func finishRowGroup() {
        if groupRowCount == 0 { return }
        var group = ParquetFooter.RowGroup(fileOffset: position, rowCount: groupRowCount, chunks: [])
        for column in columns {
            var finished = column.finish()
            for piece in finished.bytes.pieces { output.append(piece) }
            finished.bytes.forgetPieces()
            group.chunks.append(ParquetFooter.Chunk(fileOffset: position, finished: finished))
            position += Int64(finished.bytes.count)
        }
        footer.rowGroups.append(group)
        groupRowCount = 0
    }
}
