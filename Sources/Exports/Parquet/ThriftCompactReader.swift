/// Reads what `ThriftCompactWriter` writes, field by field, out of a file that may be damaged: every length is checked, and nesting has
/// a limit.
struct ThriftCompactReader {
    private let bytes: [UInt8]
    private var place = 0
    private static let depthMax = 16

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Walks the fields of one structure; `body` reads the value of a field that it wants and returns true, or returns false, and it is
    /// skipped. Returns false for bytes that are no such structure.
    mutating func structure(_ body: (inout ThriftCompactReader, Int16, ThriftCompactWriter.FieldType) -> Bool) -> Bool {
        var lastID: Int16 = 0
        while let head = byte() {
            if head == 0 { return true }
            guard let type = ThriftCompactWriter.FieldType(rawValue: head & 0x0f) else { return false }
            if head >> 4 == 0 {
                guard let id = integer().flatMap({ Int16(exactly: $0) }) else { return false }
                lastID = id
            } else {
                lastID = lastID &+ Int16(head >> 4)
            }
            if !body(&self, lastID, type), !skip(type, depth: 0) { return false }
        }
        return false
    }

    /// A zigzag integer of any width.
    mutating func integer() -> Int64? {
        varint().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
    }

    mutating func binary() -> [UInt8]? {
        guard let count = varint(), count <= UInt64(bytes.count - place) else { return nil }
        defer { place += Int(count) }
        return Array(bytes[place..<place + Int(count)])
    }

    /// A list's head: what it holds, and how many.
    mutating func list() -> (type: ThriftCompactWriter.FieldType, count: Int)? {
        guard let head = byte(), let type = ThriftCompactWriter.FieldType(rawValue: head & 0x0f) else { return nil }
        if head >> 4 < 15 { return (type, Int(head >> 4)) }
        // Each element takes a byte at least.
        guard let count = varint(), count <= UInt64(bytes.count - place) else { return nil }
        return (type, Int(count))
    }

    private mutating func skip(_ type: ThriftCompactWriter.FieldType, depth: Int) -> Bool {
        guard depth < Self.depthMax else { return false }
        switch type {
        case .isTrue, .isFalse: return true
        case .byte: return byte() != nil
        case .i16, .i32, .i64: return varint() != nil
        case .double:
            guard bytes.count - place >= 8 else { return false }
            place += 8
            return true
        case .binary: return binary() != nil
        case .list:
            guard let (element, count) = list() else { return false }
            for _ in 0..<count where !skip(element, depth: depth + 1) { return false }
            return true
        case .structure:
            while let head = byte() {
                if head == 0 { return true }
                guard let inner = ThriftCompactWriter.FieldType(rawValue: head & 0x0f) else { return false }
                if head >> 4 == 0, integer() == nil { return false }
                if !skip(inner, depth: depth + 1) { return false }
            }
            return false
        }
    }

    private mutating func byte() -> UInt8? {
        guard place < bytes.count else { return nil }
        defer { place += 1 }
        return bytes[place]
    }

    private mutating func varint() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            guard let byte = byte() else { return nil }
            number |= UInt64(byte & 0x7f) << UInt64(shift)
            if byte < 0x80 { return number }
        }
        return nil
    }
}
