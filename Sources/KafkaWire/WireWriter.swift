import Base
import NIOCore

/// Writes the primitives of the Kafka protocol.
public struct WireWriter: Sendable {
    /// A place in `buffer` where the sender has to put `byteCount` bytes of its own; see `WireRecords.external`.
    public struct External: Sendable, Hashable {
        /// An index of `buffer`: the external bytes stand before the byte that is there.
        public var position: Int
        public var byteCount: Int
        public var tag: Int
    }

    /// What was written so far, external bytes left out.
    public var buffer: ByteBuffer
    /// In the order of their positions.
    public private(set) var externals: [External] = []

    /// Large byte fields that were not copied into `buffer`: each stands before the byte at its position.
    public private(set) var spliced: [(position: Int, bytes: ByteBuffer)] = []
    /// From this length on byte fields are spliced.
    private var splicedBytesMin = Int.max
    private var taggedFieldDepth = 0

    public init(_ buffer: ByteBuffer = ByteBuffer()) { self.buffer = buffer }

    /// - Parameter splicedBytesMin: byte fields of this length and more are not copied; see `pieces`.
    public init(capacity: Int, splicedBytesMin: Int) {
        self.init(capacity: capacity)
        self.splicedBytesMin = splicedBytesMin
    }

    public init(capacity: Int) { buffer = ByteBufferAllocator().buffer(capacity: capacity) }

    /// The bytes of the buffer and those that go in between.
    public var byteCount: Int {
        var count = buffer.readableBytes
        for external in externals { count += external.byteCount }
        for (_, bytes) in spliced { count += bytes.readableBytes }
        return count
    }

    /// What was written, in order: the buffer's stretches and what was spliced between them.
    public var pieces: [ByteBuffer] {
        guard !spliced.isEmpty else { return [buffer] }
        var pieces: [ByteBuffer] = []
        var start = buffer.readerIndex
        for (position, bytes) in spliced {
            if position > start { pieces.append(buffer.getSlice(at: start, length: position - start)!) }
            pieces.append(bytes)
            start = position
        }
        if start < buffer.writerIndex {
            pieces.append(buffer.getSlice(at: start, length: buffer.writerIndex - start)!)
        }
        return pieces
    }

    // MARK: Numbers

    public mutating func write(_ value: Int8) { buffer.writeInteger(value) }
    public mutating func write(_ value: Int16) { buffer.writeInteger(value) }
    public mutating func write(_ value: Int32) { buffer.writeInteger(value) }
    public mutating func write(_ value: Int64) { buffer.writeInteger(value) }
    public mutating func write(_ value: UInt16) { buffer.writeInteger(value) }
    public mutating func write(_ value: UInt32) { buffer.writeInteger(value) }
    public mutating func write(_ value: Bool) { buffer.writeInteger(value ? 1 : 0, as: UInt8.self) }
    public mutating func write(_ value: Double) { buffer.writeInteger(value.bitPattern) }
    public mutating func write(_ value: ErrorCode) { buffer.writeInteger(value.rawValue) }
    public mutating func write(_ value: KafkaUUID) { buffer.writeMultipleIntegers(value.high, value.low) }

    public mutating func writeUnsignedVarint(_ value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            buffer.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.writeInteger(UInt8(truncatingIfNeeded: rest))
    }

    // MARK: Lengths

    /// A length of −1 is null.
    private mutating func writeByteLength(_ length: Int, _ flexible: Bool, short: Bool) throws(WireError) {
        if flexible {
            guard length < Int(Int32.max) else { throw WireError.tooLong("a length", length, max: Int(Int32.max) - 1) }
            writeUnsignedVarint(UInt32(length + 1))
        } else if short {
            guard length <= Int(Int16.max) else { throw WireError.tooLong("a string", length, max: Int(Int16.max)) }
            buffer.writeInteger(Int16(length))
        } else {
            guard length <= Int(Int32.max) else { throw WireError.tooLong("a length", length, max: Int(Int32.max)) }
            buffer.writeInteger(Int32(length))
        }
    }

    private mutating func writeNull(_ flexible: Bool, short: Bool) {
        if flexible {
            buffer.writeInteger(0, as: UInt8.self)
        } else if short {
            buffer.writeInteger(-1, as: Int16.self)
        } else {
            buffer.writeInteger(-1, as: Int32.self)
        }
    }

    // MARK: Strings and bytes

    /// At most 32,767 bytes of UTF-8, as in Kafka.
    public mutating func write(_ text: String, _ flexible: Bool) throws(WireError) {
        let length = text.utf8.count
        guard length <= Int(Int16.max) else { throw WireError.tooLong("a string", length, max: Int(Int16.max)) }
        try writeByteLength(length, flexible, short: true)
        buffer.writeString(text)
    }

    public mutating func writeNullable(_ text: String?, _ flexible: Bool) throws(WireError) {
        guard let text else { return writeNull(flexible, short: true) }
        try write(text, flexible)
    }

    public mutating func write(_ bytes: ByteBuffer, _ flexible: Bool) throws(WireError) {
        try writeByteLength(bytes.readableBytes, flexible, short: false)
        if bytes.readableBytes >= splicedBytesMin {
            precondition(taggedFieldDepth == 0, "nothing can be spliced into a tagged field, whose size moves it")
            spliced.append((buffer.writerIndex, bytes))
        } else {
            buffer.writeImmutableBuffer(bytes)
        }
    }

    public mutating func writeNullable(_ bytes: ByteBuffer?, _ flexible: Bool) throws(WireError) {
        guard let bytes else { return writeNull(flexible, short: false) }
        try write(bytes, flexible)
    }

    public mutating func write(_ records: WireRecords, _ flexible: Bool) throws(WireError) {
        switch records {
        case .bytes(let bytes):
            try write(bytes, flexible)
        case .external(let byteCount, let tag):
            precondition(byteCount >= 0, "\(byteCount) external bytes")
            try writeByteLength(byteCount, flexible, short: false)
            externals.append(External(position: buffer.writerIndex, byteCount: byteCount, tag: tag))
        }
    }

    public mutating func writeNullable(_ records: WireRecords?, _ flexible: Bool) throws(WireError) {
        guard let records else { return writeNull(flexible, short: false) }
        try write(records, flexible)
    }

    // MARK: Arrays and structs

    private mutating func writeArrayCount(_ count: Int, _ flexible: Bool) throws(WireError) {
        guard count < Int(Int32.max) else { throw WireError.tooLong("an array", count, max: Int(Int32.max) - 1) }
        try writeByteLength(count, flexible, short: false)
    }

    mutating func write<Element: WireStruct>(_ elements: [Element], _ flexible: Bool, _ version: Int16)
        throws(WireError)
    {
        try writeArrayCount(elements.count, flexible)
        for element in elements { try element.encode(into: &self, version: version) }
    }

    mutating func writeNullable<Element: WireStruct>(_ elements: [Element]?, _ flexible: Bool, _ version: Int16)
        throws(WireError)
    {
        guard let elements else { return writeNull(flexible, short: false) }
        try write(elements, flexible, version)
    }

    mutating func write<Element: WirePrimitive>(_ elements: [Element], _ flexible: Bool) throws(WireError) {
        try writeArrayCount(elements.count, flexible)
        for element in elements { try element.write(into: &self, flexible) }
    }

    mutating func writeNullable<Element: WirePrimitive>(_ elements: [Element]?, _ flexible: Bool) throws(WireError) {
        guard let elements else { return writeNull(flexible, short: false) }
        try write(elements, flexible)
    }

    /// A struct that may be null has a byte before it: 1, or −1 for null.
    mutating func writeNullableStruct<Value: WireStruct>(_ value: Value?, _ version: Int16) throws(WireError) {
        guard let value else { return write(-1 as Int8) }
        write(1 as Int8)
        try value.encode(into: &self, version: version)
    }

    // MARK: Tagged fields

    /// Writes a tag; what is then written up to `endTaggedField` is its value.
    mutating func beginTaggedField(_ tag: UInt32) -> Int {
        writeUnsignedVarint(tag)
        // One byte for the size: nearly all are below 128; `endTaggedField` makes room where one is not.
        buffer.writeInteger(0, as: UInt8.self)
        taggedFieldDepth += 1
        return buffer.writerIndex
    }

    mutating func endTaggedField(_ start: Int) throws(WireError) {
        taggedFieldDepth -= 1
        let size = buffer.writerIndex - start
        guard size >= 0x80 else {
            buffer.setInteger(UInt8(size), at: start - 1)
            return
        }
        guard let value = buffer.getSlice(at: start, length: size) else { preconditionFailure("the value was written") }
        buffer.moveWriterIndex(to: start - 1)
        guard size <= Int(Int32.max) else { throw WireError.tooLong("a tagged field", size, max: Int(Int32.max)) }
        writeUnsignedVarint(UInt32(size))
        buffer.writeImmutableBuffer(value)
    }
}
