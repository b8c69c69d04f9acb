import Base

/// The names of a row's fields, each with a number. One layout serves row after row; what depends on names (columns, keys, which field
/// tells the time) is worked out once for it.
///
/// A parser that knows its fields shares one layout, which never changes. A row of JSON grows its own as names come, up to
/// `namesMax`; then it begins another.
public final class RowLayout: @unchecked Sendable {
    // Sendable: a shared layout is never grown; one that grows belongs to one row.
    public private(set) var names: [String]
    private var bytes: [[UInt8]] = []
    /// How each field tells when the event happened; nil where it doesn't.
    private(set) var clocks: [EventClock?] = []
    /// Open addressing: number + 1, 0 for an empty slot.
    private var slots: [Int32] = []

    /// A peer decides how many names there are.
    public static let namesMax = 4096

    public init(_ names: [String] = []) {
        self.names = []
        slots = Array(repeating: 0, count: 64)
        for name in names { name.utf8.withContiguousBytes { _ = add($0) } }
    }

    public var count: Int { names.count }

    /// The layout of lines that their parser doesn't know.
    static let unparsed = RowLayout([UnparsedFields.line, UnparsedFields.reason])

    func number(of name: UnsafeRawBufferPointer) -> Int32? {
        var slot = Int(truncatingIfNeeded: ByteHash.of(name)) & (slots.count - 1)
        while slots[slot] != 0 {
            if isNamed(slots[slot] - 1, name) { return slots[slot] - 1 }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    @inline(__always)
    func isNamed(_ number: Int32, _ name: UnsafeRawBufferPointer) -> Bool {
        bytes[Int(number)].withUnsafeBytes { ByteComparison.areEqual($0, name) }
    }

    /// Adds a name that is not there yet.
    func add(_ name: UnsafeRawBufferPointer) -> Int32 {
        if (names.count + 1) * 2 > slots.count { rehash(slots.count * 2) }
        let number = Int32(names.count)
        let text = String(decoding: name, as: UTF8.self)
        names.append(text)
        bytes.append(Array(name))
        clocks.append(EventClock(field: text))
        insert(number, ByteHash.of(name))
        return number
    }

    private func rehash(_ count: Int) {
        slots = Array(repeating: 0, count: count)
        for number in names.indices { insert(Int32(number), bytes[number].withUnsafeBytes { ByteHash.of($0) }) }
    }

    private func insert(_ number: Int32, _ hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = number + 1
    }
}

/// The fields of a row whose line its parser didn't know.
public enum UnparsedFields {
    /// The raw line.
    public static let line = "line"
    /// Why it is not one of the parser's.
    public static let reason = "_error"
}

extension String.UTF8View {
    fileprivate func withContiguousBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        Array(self).withUnsafeBytes(body)
    }
}
