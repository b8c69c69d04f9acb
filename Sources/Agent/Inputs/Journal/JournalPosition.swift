import Base

#if canImport(Glibc)
    import Glibc
#endif

/// A place in a journal: the cursor of the last entry that was read, and its time for when the cursor is gone.
///
///     | kind u8 = 2 | version u8 = 1 | journal u64 | realtime µs i64 | cursor … |
///
/// An entry is one line of JSON as `journalctl -o json` writes it, and begins with these fields in this order:
///
///     {"__CURSOR":"s=…","__REALTIME_TIMESTAMP":"1700000000000000", …
struct JournalPosition: Hashable, Sendable {
    static let linePrefix: StaticString = "{\"__CURSOR\":\""
    static let timePrefix: StaticString = "\",\"__REALTIME_TIMESTAMP\":\""

    /// Hash of the journal's name (its folder, or `system`).
    var journal: UInt64
    var realtimeMicroseconds: Int64
    var cursor: [UInt8]

    var cursorText: String { String(decoding: cursor, as: UTF8.self) }

    /// The position after the last of some entries; `lines` ends with a newline.
    init(journal name: String, lastEntryOf lines: UnsafeRawBufferPointer) {
        let body = lines.dropLast()
        let begin = body.lastIndex(of: 0x0A).map { $0 + 1 } ?? body.startIndex
        var fields = JournalLine(UnsafeRawBufferPointer(rebasing: body[begin...]))
        guard let cursor = fields.cursor(), let time = fields.realtimeMicroseconds() else {
            preconditionFailure("an entry without a cursor was delivered")
        }
        self.init(journal: StableHash.of(name), realtimeMicroseconds: time, cursor: Array(cursor))
    }

    init(journal: UInt64, realtimeMicroseconds: Int64, cursor: [UInt8]) {
        self.journal = journal
        self.realtimeMicroseconds = realtimeMicroseconds
        self.cursor = cursor
    }

    init(journal: UInt64, _ position: JournalFrame.Position) {
        self.init(
            journal: journal, realtimeMicroseconds: position.realtimeMicroseconds, cursor: Array(position.cursor))
    }

    func isAt(_ position: JournalFrame.Position) -> Bool {
        cursor.count == position.cursor.count && cursor.elementsEqual(position.cursor)
    }

    var encoded: StreamPosition {
        var writer = PositionWriter(.journal, capacity: 18 + cursor.count)
        writer.write(UInt8(1))
        writer.write(journal)
        writer.write(realtimeMicroseconds)
        writer.write(tail: cursor)
        return StreamPosition(bytes: writer.bytes)
    }

    /// Nil where the bytes are not a journal's position of this version.
    init?(_ position: StreamPosition) {
        guard var reader = PositionReader(position, .journal), reader.read(UInt8.self) == 1,
            let journal = reader.read(UInt64.self), let time = reader.read(Int64.self)
        else { return nil }
        self.init(journal: journal, realtimeMicroseconds: time, cursor: Array(reader.rest))
    }
}

/// Reads the leading fields of an entry's line, in their fixed order.
struct JournalLine {
    private let line: UnsafeRawBufferPointer
    private var index = 0

    init(_ line: UnsafeRawBufferPointer) { self.line = line }

    /// The cursor, or nil where the line isn't an entry.
    mutating func cursor() -> Slice<UnsafeRawBufferPointer>? { value(after: JournalPosition.linePrefix) }

    mutating func realtimeMicroseconds() -> Int64? {
        guard let digits = value(after: JournalPosition.timePrefix), !digits.isEmpty, digits.count <= 18 else {
            return nil
        }
        var number: Int64 = 0
        for digit in digits {
            guard digit >= 0x30, digit <= 0x39 else { return nil }
            number = number * 10 + Int64(digit - 0x30)
        }
        return number
    }

    private mutating func value(after prefix: StaticString) -> Slice<UnsafeRawBufferPointer>? {
        guard skip(prefix), let end = quote() else { return nil }
        defer { index = end }
        return line[index..<end]
    }

    private mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard line.count - index >= count, memcmp(line.baseAddress! + index, text.utf8Start, count) == 0 else {
            return false
        }
        index += count
        return true
    }

    private func quote() -> Int? {
        guard let found = memchr(line.baseAddress! + index, 0x22, line.count - index) else { return nil }
        return UnsafeRawPointer(found) - line.baseAddress!
    }
}
