import Base
import CZlib
import CZstd

/// Counts the rows of one table file while its bytes go by once, from the beginning to the end: what an audit holds against the commit record.
///
/// What is compressed is decompressed a piece at a time; memory is bounded whatever the file holds.
protocol RowCounter: AnyObject {
    func read(_ piece: UnsafeRawBufferPointer)

    /// How many rows there were; nil where the bytes are no whole file of that format.
    func finish() -> Int64?
}

enum RowCounters {
    /// Nil for a name that no format of ours has.
    static func make(fileName: String) -> (any RowCounter)? {
        if fileName.hasSuffix(".parquet") { return ParquetRows() }
        if fileName.hasSuffix(".avro") { return AvroRows() }
        let isCSV = fileName.contains(".csv")
        guard isCSV || fileName.contains(".json") else { return nil }
        let lines = LineCounter(isCSV: isCSV)
        if fileName.hasSuffix(".gz") { return CompressedLines(GzipPieces(), lines) }
        return fileName.hasSuffix(".zst") ? CompressedLines(ZstdPieces(), lines) : PlainLines(lines)
    }
}

/// Decompresses members or frames that stand one after the other, a piece at a time.
private protocol PieceDecompressor: AnyObject {
    /// False where the last one is cut, or where the bytes are none.
    var isWhole: Bool { get }
    func decompress(_ piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void)
}

private final class PlainLines: RowCounter {
    private var lines: LineCounter
    init(_ lines: LineCounter) { self.lines = lines }
    func read(_ piece: UnsafeRawBufferPointer) { lines.read(piece) }
    func finish() -> Int64? { lines.rows }
}

private final class CompressedLines: RowCounter {
    private let pieces: any PieceDecompressor
    private var lines: LineCounter

    init(_ pieces: any PieceDecompressor, _ lines: LineCounter) {
        self.pieces = pieces
        self.lines = lines
    }

    func read(_ piece: UnsafeRawBufferPointer) { pieces.decompress(piece) { lines.read($0) } }
    func finish() -> Int64? { pieces.isWhole ? lines.rows : nil }
}

/// A Parquet file tells its rows in its footer, of which the last `footerBytesMax` bytes are kept.
private final class ParquetRows: RowCounter {
    private static let footerBytesMax = 16 << 20
    private var tail: [UInt8] = []

    func read(_ piece: UnsafeRawBufferPointer) {
        tail.append(contentsOf: piece)
        if tail.count > 2 * Self.footerBytesMax { tail.removeFirst(tail.count - Self.footerBytesMax) }
    }

    /// Field 3 of the footer's `FileMetaData`.
    func finish() -> Int64? {
        guard tail.count >= 8, tail.suffix(4) == ParquetFooter.magic[...] else { return nil }
        let length = tail.dropLast(4).suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= tail.count - 8 else { return nil }
        var rows: Int64?
        var reader = ThriftCompactReader(Array(tail.dropLast(8).suffix(length)))
        let isWhole = reader.structure { reader, id, type in
            guard id == 3, type == .i64 else { return false }
            rows = reader.integer()
            return rows != nil
        }
        return isWhole ? rows : nil
    }
}

/// Counts lines; those of a CSV file may hold newlines between quotes, and the first is its header.
private struct LineCounter {
    let isCSV: Bool
    private var count: Int64 = 0
    private var isQuoted = false
    private var endsWithNewline = true

    init(isCSV: Bool) { self.isCSV = isCSV }

    /// Nil where the last line is cut.
    var rows: Int64? {
        guard endsWithNewline, !isQuoted else { return nil }
        return isCSV ? (count > 0 ? count - 1 : nil) : count
    }

    mutating func read(_ piece: UnsafeRawBufferPointer) {
        guard let last = piece.last else { return }
        endsWithNewline = last == UInt8(ascii: "\n")
        for byte in piece {
            if byte == UInt8(ascii: "\n") {
                if !isQuoted { count += 1 }
            } else if isCSV, byte == UInt8(ascii: "\"") {
                // A doubled quote leaves and enters again.
                isQuoted.toggle()
            }
        }
    }
}

/// Gzip members one after the other, inflated a piece at a time.
private final class GzipPieces: PieceDecompressor {
    private var stream = z_stream()
    private var output = [UInt8](repeating: 0, count: 256 << 10)
    private var isBroken: Bool
    /// True before the first member and after each that ended well.
    private var isBetweenMembers = true

    init() {
        isBroken = inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) != Z_OK
    }

    deinit { inflateEnd(&stream) }

    var isWhole: Bool { !isBroken && isBetweenMembers }

    func decompress(_ piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        guard !isBroken, let base = piece.bindMemory(to: UInt8.self).baseAddress else { return }
        stream.next_in = UnsafeMutablePointer(mutating: base)
        stream.avail_in = CUnsignedInt(piece.count)
        while !isBroken {
            if isBetweenMembers {
                if stream.avail_in == 0 { return }
                isBroken = inflateReset(&stream) != Z_OK
                isBetweenMembers = false
            }
            let (result, count) = output.withUnsafeMutableBytes { buffer in
                stream.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = CUnsignedInt(buffer.count)
                let result = CZlib.inflate(&stream, Z_NO_FLUSH)
                return (result, buffer.count - Int(stream.avail_out))
            }
            output.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            switch result {
            case Z_STREAM_END: isBetweenMembers = true
            case Z_OK: break
            // No more input, and no more room was needed.
            case Z_BUF_ERROR where stream.avail_in == 0: return
            default: isBroken = true
            }
        }
    }
}

/// Zstandard frames one after the other, decompressed a piece at a time.
private final class ZstdPieces: PieceDecompressor {
    private let stream = ZSTD_createDCtx()
    private var output = [UInt8](repeating: 0, count: 256 << 10)
    private var isBroken = false
    /// True before the first frame and after each that ended well.
    private var isBetweenFrames = true

    deinit { ZSTD_freeDCtx(stream) }

    var isWhole: Bool { !isBroken && isBetweenFrames }

    func decompress(_ piece: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var input = ZSTD_inBuffer(src: piece.baseAddress, size: piece.count, pos: 0)
        while !isBroken {
            let (result, count) = output.withUnsafeMutableBytes { buffer in
                var target = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
                return (ZSTD_decompressStream(stream, &target, &input), target.pos)
            }
            if ZSTD_isError(result) != 0 {
                isBroken = true
                return
            }
            output.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            isBetweenFrames = result == 0
            if input.pos == input.size, count < output.count { return }
        }
    }
}

/// The blocks of an Avro object container file: each says how many rows it holds and how long it is.
private final class AvroRows: RowCounter {
    /// A header (the schema stands in it) or a block beyond this is no file of ours.
    private static let headerBytesMax = 1 << 20
    private static let syncByteCount = 16

    /// What can't be judged yet: the header, or a block's two numbers.
    private var waiting: [UInt8] = []
    private var bytesToSkip = 0
    private var count: Int64 = 0
    private var isHeaderRead = false
    private var isBroken = false

    func finish() -> Int64? { isHeaderRead && !isBroken && waiting.isEmpty && bytesToSkip == 0 ? count : nil }

    func read(_ piece: UnsafeRawBufferPointer) {
        var place = 0
        while place < piece.count, !isBroken {
            if bytesToSkip > 0 {
                let skipped = min(bytesToSkip, piece.count - place)
                bytesToSkip -= skipped
                place += skipped
                continue
            }
            waiting.append(piece[place])
            place += 1
            if isHeaderRead {
                readBlockHead()
            } else if waiting.count > Self.headerBytesMax {
                isBroken = true
            } else if waiting.count % 64 == 0 || place == piece.count {
                readHeader()
            }
        }
    }

    /// Two zigzag numbers, then so many bytes and the sync marker.
    private func readBlockHead() {
        var reader = AvroNumbers(bytes: waiting)
        guard let rows = reader.next(), let length = reader.next() else {
            isBroken = waiting.count > 20
            return
        }
        guard rows >= 0, length >= 0, length < 1 << 32 else { return isBroken = true }
        count += rows
        bytesToSkip = Int(length) + Self.syncByteCount
        waiting.removeAll(keepingCapacity: true)
    }

    /// `Obj\u{1}`, a map of texts to bytes, the sync marker; what stands behind it in `waiting` is the first blocks.
    private func readHeader() {
        guard waiting.count >= 4 else { return }
        guard waiting[..<4] == [0x4f, 0x62, 0x6a, 1] else { return isBroken = true }
        var reader = AvroNumbers(bytes: waiting, place: 4)
        while let pairs = reader.next() {
            if pairs == 0 {
                guard reader.skip(Self.syncByteCount) else { return }
                let rest = Array(waiting[reader.place...])
                waiting.removeAll()
                isHeaderRead = true
                rest.withUnsafeBytes { read($0) }
                return
            }
            // A negative count is followed by the block's length in bytes.
            if pairs < 0, reader.next() == nil { return }
            for _ in 0..<2 * min(pairs.magnitude, 1000) {
                guard let length = reader.next(), length >= 0, length <= Int64(Self.headerBytesMax),
                    reader.skip(Int(length))
                else { return }
            }
        }
    }
}

/// Avro's zigzag numbers out of bytes that may end too early.
private struct AvroNumbers {
    let bytes: [UInt8]
    private(set) var place = 0

    init(bytes: [UInt8], place: Int = 0) {
        self.bytes = bytes
        self.place = place
    }

    mutating func next() -> Int64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard place < bytes.count else { return nil }
            let byte = bytes[place]
            place += 1
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1) }
        }
        return nil
    }

    mutating func skip(_ count: Int) -> Bool {
        guard bytes.count - place >= count else { return false }
        place += count
        return true
    }
}
