/// The compact protocol of Apache Thrift, as far as Parquet's metadata needs it (thrift-compact-protocol.md): fields by ascending id, integers
/// as zigzag varints, no maps.
struct ThriftCompactWriter {
    enum FieldType: UInt8 {
        case isTrue = 1
        case isFalse = 2
        case byte = 3
        case i16 = 4
        case i32 = 5
        case i64 = 6
        case double = 7
        case binary = 8
        case list = 9
        case structure = 12
    }

    private(set) var bytes: [UInt8] = []
    private var lastID: Int16 = 0

    mutating func i32(_ id: Int16, _ value: Int32) {
        header(id, .i32)
        varint(Self.zigzag(Int64(value)))
    }

    mutating func i64(_ id: Int16, _ value: Int64) {
        header(id, .i64)
        varint(Self.zigzag(value))
    }

    mutating func i16(_ id: Int16, _ value: Int16) {
        header(id, .i16)
        varint(Self.zigzag(Int64(value)))
    }

    mutating func bool(_ id: Int16, _ value: Bool) { header(id, value ? .isTrue : .isFalse) }

    mutating func binary(_ id: Int16, _ value: some Collection<UInt8>) {
        header(id, .binary)
        binary(value)
    }

    mutating func structure(_ id: Int16, _ body: (inout ThriftCompactWriter) -> Void) {
        header(id, .structure)
        structure(body)
    }

    mutating func list<Elements: Collection>(
        _ id: Int16, _ type: FieldType, _ elements: Elements,
        _ write: (inout ThriftCompactWriter, Elements.Element) -> Void
    ) {
        header(id, .list)
        if elements.count < 15 {
            bytes.append(UInt8(elements.count) << 4 | type.rawValue)
        } else {
            bytes.append(0xf0 | type.rawValue)
            varint(UInt64(elements.count))
        }
        for element in elements { write(&self, element) }
    }

    // MARK: - Elements without a field's header

    /// A structure as a list's element or as the whole message.
    mutating func structure(_ body: (inout ThriftCompactWriter) -> Void) {
        let outer = lastID
        lastID = 0
        body(&self)
        bytes.append(0)
        lastID = outer
    }

    mutating func i32(_ value: Int32) { varint(Self.zigzag(Int64(value))) }

    mutating func binary(_ value: some Collection<UInt8>) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    // MARK: - Pieces

    private mutating func header(_ id: Int16, _ type: FieldType) {
        let delta = id - lastID
        precondition(delta > 0, "field \(id) after \(lastID)")
        if delta <= 15 {
            bytes.append(UInt8(delta) << 4 | type.rawValue)
        } else {
            bytes.append(type.rawValue)
            varint(Self.zigzag(Int64(id)))
        }
        lastID = id
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }
}
