/// What the reader tells the agent through the pipe, one after the other:
///
///     | length u32 | kind u8 | body … |        little-endian; the length counts kind and body
///
///     entry      | bytesUncut u32 | keyBytes u16 | key … | line … \n |
///     passed     | realtime µs i64 | cursor … |
///     caughtUp   nothing
///     gap, trouble, failed      | text … |
enum JournalFrame {
    enum Kind: UInt8 {
        /// An entry as a line of JSON that begins as `JournalPosition` says. `bytesUncut` is zero where nothing was left out. The key is
        /// what names the entry's source: its unit, else its identifier; empty where it has neither.
        case entry = 1
        /// Nothing up to here that isn't sent already passes the filters.
        case passed = 2
        /// Everything that the journal holds now was sent; said once.
        case caughtUp = 3
        /// Entries are gone or damaged.
        case gap = 4
        /// Reading goes on, yet something is wrong.
        case trouble = 5
        /// The reader ends for this reason.
        case failed = 6
    }

    static let lengthBytes = 4
    static let entryHeaderBytes = 1 + 4 + 2
    static let keyBytesMax = 256
    /// What a line may have beyond the limit on entries: field names, and nulls for what didn't fit.
    static let slackBytes = 512 << 10

    static func append(_ kind: Kind, text: String, to bytes: inout [UInt8]) {
        append(UInt32(1 + text.utf8.count), to: &bytes)
        bytes.append(kind.rawValue)
        bytes.append(contentsOf: text.utf8)
    }

    static func appendPassed(realtime: UInt64, cursor: String, to bytes: inout [UInt8]) {
        append(UInt32(1 + 8 + cursor.utf8.count), to: &bytes)
        bytes.append(Kind.passed.rawValue)
        append(realtime, to: &bytes)
        bytes.append(contentsOf: cursor.utf8)
    }

    static func appendEntry(line: [UInt8], key: ArraySlice<UInt8>, bytesUncut: Int, to bytes: inout [UInt8]) {
        append(UInt32(entryHeaderBytes + key.count + line.count), to: &bytes)
        bytes.append(Kind.entry.rawValue)
        append(UInt32(clamping: bytesUncut), to: &bytes)
        append(UInt16(key.count), to: &bytes)
        bytes.append(contentsOf: key)
        bytes.append(contentsOf: line)
    }

    private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    enum Parsed {
        case incomplete
        /// What came is no frame of ours: the reader is broken.
        case invalid
        case entry(line: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, bytesUncut: Int, position: Position)
        case passed(Position)
        case caughtUp
        case text(Kind, String)
    }

    /// A cursor that stands in the frame's bytes, and its entry's time.
    struct Position {
        var realtimeMicroseconds: Int64
        var cursor: UnsafeRawBufferPointer
    }

    static let cursorBytesMax = 768

    /// The first frame, and how many bytes it takes. The pointers within it are those of `bytes`.
    static func parse(_ bytes: UnsafeRawBufferPointer, bytesMax: Int) -> (frame: Parsed, byteCount: Int) {
        guard bytes.count >= lengthBytes else { return (.incomplete, 0) }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard length >= 1, length <= bytesMax else { return (.invalid, 0) }
        guard bytes.count >= lengthBytes + length else { return (.incomplete, 0) }
        let frame = UnsafeRawBufferPointer(rebasing: bytes[lengthBytes..<(lengthBytes + length)])
        return (parse(frame: frame), lengthBytes + length)
    }

    private static func parse(frame: UnsafeRawBufferPointer) -> Parsed {
        guard let kind = Kind(rawValue: frame[0]) else { return .invalid }
        switch kind {
        case .entry:
            guard frame.count > entryHeaderBytes else { return .invalid }
            let bytesUncut = Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
            let keyBytes = Int(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: 5, as: UInt16.self)))
            guard keyBytes <= keyBytesMax, frame.count > entryHeaderBytes + keyBytes, frame.last == 0x0A else {
                return .invalid
            }
            let key = UnsafeRawBufferPointer(rebasing: frame[entryHeaderBytes..<(entryHeaderBytes + keyBytes)])
            let line = UnsafeRawBufferPointer(rebasing: frame[(entryHeaderBytes + keyBytes)...])
            var fields = JournalLine(line)
            guard let cursor = fields.cursor(), cursor.count <= cursorBytesMax,
                let time = fields.realtimeMicroseconds()
            else { return .invalid }
            let position = Position(realtimeMicroseconds: time, cursor: UnsafeRawBufferPointer(rebasing: cursor))
            return .entry(line: line, key: key, bytesUncut: bytesUncut, position: position)
        case .passed:
            guard frame.count > 9, frame.count <= 9 + cursorBytesMax else { return .invalid }
            let time = Int64(littleEndian: frame.loadUnaligned(fromByteOffset: 1, as: Int64.self))
            return .passed(
                Position(realtimeMicroseconds: time, cursor: UnsafeRawBufferPointer(rebasing: frame[9...])))
        case .caughtUp: return .caughtUp
        case .gap, .trouble, .failed: return .text(kind, String(decoding: frame.dropFirst(), as: UTF8.self))
        }
    }
}
