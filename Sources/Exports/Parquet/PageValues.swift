import Base

/// The values of the pages of one column chunk: as numbers into a dictionary while that pays, in PLAIN from then on.
///
/// A dictionary is given up when it grows beyond `dictionaryBytesMax` ("overflow"), or at the end of the first page where it would save
/// little. What the page under way holds is then written in PLAIN; pages before it keep their numbers.
struct PageValues {
    enum Encoding { case dictionary, plain }

    static let dictionaryBytesMax = 1 << 20
    /// A dictionary and its numbers have to stay below this share of PLAIN, in percent.
    private static let dictionaryShareMax = 90

    private let type: ParquetType
    private(set) var encoding: Encoding
    private(set) var texts = TextDictionary()
    private(set) var numbers = NumberDictionary()
    private var indexes: [UInt32] = []
    private var plain: [UInt8] = []
    private var bits = BitEncoding()
    /// What the page's values would take in PLAIN.
    private(set) var plainByteCount = 0
    private(set) var count = 0

    init(_ type: ParquetType) {
        self.type = type
        encoding = type == .boolean ? .plain : .dictionary
    }

    /// The memory that they take.
    var byteCount: Int { plain.count + bits.bytes.count + 4 * indexes.count + dictionaryMemory }

    var dictionaryCount: Int { type == .byteArray ? texts.count : numbers.count }
    private var dictionaryByteCount: Int {
        type == .byteArray ? texts.plain.count : numbers.count * type.fixedWidth
    }
    private var dictionaryMemory: Int {
        dictionaryCount == 0 ? 0 : type == .byteArray ? texts.byteCount : numbers.byteCount
    }

    // MARK: - Appending

    mutating func append(_ bit: Bool) {
        bits.append(bit)
        count += 1
    }

    /// - Parameter bits: of the number, as wide as the type.
    @inline(__always)
    mutating func append(bits: UInt64) {
        count += 1
        plainByteCount += type.fixedWidth
        switch encoding {
        case .plain: PlainEncoding.append(bits, width: type.fixedWidth, to: &plain)
        case .dictionary:
            if let last = indexes.last, numbers.values[Int(last)] == bits {
                indexes.append(last)
            } else {
                indexes.append(numbers.number(of: bits))
                if dictionaryByteCount > Self.dictionaryBytesMax { giveDictionaryUp() }
            }
        }
    }

    /// True where the text is one that the column's statistics may not know yet.
    @inline(__always)
    mutating func append(_ text: UnsafeRawBufferPointer) -> Bool {
        count += 1
        plainByteCount += 4 + text.count
        switch encoding {
        case .plain:
            PlainEncoding.append(text, to: &plain)
            return true
        case .dictionary:
            if let last = indexes.last, texts.isText(last, text) {
                indexes.append(last)
                return false
            }
            let (number, isNew) = texts.number(of: text)
            indexes.append(number)
            if texts.plain.count > Self.dictionaryBytesMax { giveDictionaryUp() }
            return isNew
        }
    }

    private mutating func giveDictionaryUp() {
        for index in indexes { appendPlain(index) }
        indexes = []
        encoding = .plain
    }

    private mutating func appendPlain(_ index: UInt32) {
        switch type {
        case .byteArray: texts.append(index, to: &plain)
        case .int32, .int64, .double:
            PlainEncoding.append(numbers.values[Int(index)], width: type.fixedWidth, to: &plain)
        case .boolean: preconditionFailure("booleans have no dictionary")
        }
    }

    // MARK: - Ending

    /// Looks at the first page before it ends: a dictionary that saves little is given up, and none remains.
    mutating func decideForOne() {
        guard encoding == .dictionary else { return }
        let bytes = dictionaryByteCount + count * width / 8
        if bytes * 100 <= plainByteCount * Self.dictionaryShareMax { return }
        giveDictionaryUp()
    }

    /// Forgets a dictionary that no page refers to.
    mutating func dropDictionary() {
        texts = TextDictionary()
        numbers = NumberDictionary()
    }

    /// Bits of the dictionary's numbers; at least one, for readers stumble over none.
    private var width: Int { max(1, UInt32.bitWidth - UInt32(max(0, dictionaryCount - 1)).leadingZeroBitCount) }

    /// Writes the page's values and begins the next page.
    mutating func finishPage(to bytes: inout [UInt8]) {
        switch encoding {
        case .dictionary:
            bytes.append(UInt8(width))
            indexes.withUnsafeBufferPointer { HybridEncoding.append($0, width: width, to: &bytes) }
            indexes.removeAll(keepingCapacity: true)
        case .plain:
            bytes.append(contentsOf: type == .boolean ? bits.bytes : plain)
            plain.removeAll(keepingCapacity: true)
            bits.removeAll()
        }
        count = 0
        plainByteCount = 0
    }

    /// The dictionary page's values.
    func dictionaryPlain() -> [UInt8] {
        if type == .byteArray { return texts.plain }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(dictionaryByteCount)
        for value in numbers.values { PlainEncoding.append(value, width: type.fixedWidth, to: &bytes) }
        return bytes
    }
}
