import Base

/// The least and greatest value of a column chunk, so that readers can leave chunks out. Where an order can't be told (only NaNs, a
/// text that has no next one), there are none: readers then read the chunk.
struct ColumnStatistics {
    private(set) var wholes: ClosedRange<Int64>?
    private(set) var decimals: ClosedRange<Double>?
    private(set) var texts: (min: [UInt8], max: [UInt8])?
    var nullCount: Int64 = 0

    /// Longer texts are cut: the least one to its beginning, the greatest one to the next text after its beginning.
    static let textBytesMax = 64

    @inline(__always)
    mutating func add(_ number: Int64) {
        guard let known = wholes else {
            wholes = number...number
            return
        }
        if number < known.lowerBound {
            wholes = number...known.upperBound
        } else if number > known.upperBound {
            wholes = known.lowerBound...number
        }
    }

    /// NaN has no place in the order and is left out; a zero stands for both zeros (parquet.thrift, ColumnOrder).
    mutating func add(_ number: Double) {
        if number.isNaN { return }
        let low = number == 0 ? -0.0 : number
        let high = number == 0 ? 0.0 : number
        guard let known = decimals else {
            decimals = low...high
            return
        }
        if low < known.lowerBound || number == 0 && known.lowerBound == 0 {
            decimals = low...known.upperBound
        }
        if high > known.upperBound || number == 0 && known.upperBound == 0, let known = decimals {
            decimals = known.lowerBound...high
        }
    }

    mutating func add(_ text: UnsafeRawBufferPointer) {
        guard let known = texts else {
            texts = (Array(text), Array(text))
            return
        }
        if known.min.withUnsafeBytes({ ByteComparison.precedes(text, $0) }) { texts?.min = Array(text) }
        if known.max.withUnsafeBytes({ ByteComparison.precedes($0, text) }) { texts?.max = Array(text) }
    }

    /// The beginning of a text, at most `textBytesMax` long and never within a character.
    static func lowerBound(_ text: [UInt8]) -> (bytes: [UInt8], isExact: Bool) {
        guard text.count > textBytesMax else { return (text, true) }
        return (Array(text[..<characterStart(text, textBytesMax)]), false)
    }

    /// A text that no text with this beginning surpasses; nil where there is none.
    static func upperBound(_ text: [UInt8]) -> (bytes: [UInt8], isExact: Bool)? {
        guard text.count > textBytesMax else { return (text, true) }
        var scalars = Array(String(decoding: text[..<characterStart(text, textBytesMax)], as: UTF8.self).unicodeScalars)
        while let last = scalars.popLast() {
            // The surrogates between D7FF and E000 are no characters.
            let next = last.value == 0xd7ff ? 0xe000 : last.value + 1
            guard let scalar = Unicode.Scalar(next) else { continue }
            var bound = String.UnicodeScalarView()
            bound.append(contentsOf: scalars)
            bound.append(scalar)
            return (Array(String(bound).utf8), false)
        }
        return nil
    }

    /// The last place at or before `limit` at which a character begins.
    private static func characterStart(_ text: [UInt8], _ limit: Int) -> Int {
        var place = limit
        while place > 0, text[place] & 0xc0 == 0x80 { place -= 1 }
        return place
    }
}
