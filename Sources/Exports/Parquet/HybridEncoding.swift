/// Small numbers as runs and bit-packed groups of eight (Parquet's RLE / bit-packing hybrid).
///
///     run     = varint(length << 1) | value in ⌈width / 8⌉ bytes
///     groups  = varint(count << 1 | 1) | count · 8 values of `width` bits, the lowest bits first
enum HybridEncoding {
    private static let runMin = 8

    static func append(_ values: UnsafeBufferPointer<UInt32>, width: Int, to bytes: inout [UInt8]) {
        var place = 0
        var packedFrom = 0
        while place < values.count {
            var end = place + 1
            while end < values.count, values[end] == values[place] { end += 1 }
            // Groups are whole: what is missing of the last one is taken from the run.
            let borrowed = (8 - (place - packedFrom) % 8) % 8
            if end - place - borrowed >= runMin {
                pack(values, packedFrom..<place + borrowed, width: width, to: &bytes)
                appendRun(of: values[place], length: end - place - borrowed, width: width, to: &bytes)
                packedFrom = end
            }
            place = end
        }
        pack(values, packedFrom..<values.count, width: width, to: &bytes)
    }

    static func appendRun(of value: UInt32, length: Int, width: Int, to bytes: inout [UInt8]) {
        varint(UInt64(length) << 1, to: &bytes)
        for byte in 0..<(width + 7) / 8 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }

    private static func pack(
        _ values: UnsafeBufferPointer<UInt32>, _ range: Range<Int>, width: Int, to bytes: inout [UInt8]
    ) {
        if range.isEmpty { return }
        let groups = (range.count + 7) / 8
        varint(UInt64(groups) << 1 | 1, to: &bytes)
        var bits: UInt64 = 0
        var count = 0
        let end = bytes.count + groups * width
        for place in range {
            bits |= UInt64(values[place]) << count
            count += width
            while count >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: bits))
                bits >>= 8
                count -= 8
            }
        }
        if count > 0 { bytes.append(UInt8(truncatingIfNeeded: bits)) }
        while bytes.count < end { bytes.append(0) }
    }

    private static func varint(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
