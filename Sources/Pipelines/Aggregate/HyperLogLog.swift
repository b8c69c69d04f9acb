/// How many different values there are (Flajolet et al.: "HyperLogLog", 2007), exactly up to 256, from then on within about 1.6 % (one standard error; 4,096
/// registers).
struct HyperLogLog {
    private static let bits = 12
    private static let registerCount = 1 << bits
    private static let exactMax = 256

    private var exact: Set<UInt64>? = []
    private var registers: [UInt8] = []

    /// - Parameter hash: of the value; the same in every process (`StableHash`).
    mutating func add(_ hash: UInt64) {
        if exact != nil {
            exact?.insert(hash)
            guard let values = exact, values.count > Self.exactMax else { return }
            registers = [UInt8](repeating: 0, count: Self.registerCount)
            for value in values { note(value) }
            exact = nil
        } else {
            note(hash)
        }
    }

    private mutating func note(_ hash: UInt64) {
        let place = Int(hash >> UInt64(64 - Self.bits))
        let rest = hash << UInt64(Self.bits)
        let rank = UInt8(min(rest.leadingZeroBitCount, 64 - Self.bits) + 1)
        registers[place] = max(registers[place], rank)
    }

    var count: Int64 {
        if let exact { return Int64(exact.count) }
        let size = Double(Self.registerCount)
        var sum = 0.0
        var zeros = 0
        for register in registers {
            sum += 1 / Double(UInt64(1) << UInt64(register))
            if register == 0 { zeros += 1 }
        }
        let raw = 0.7213 / (1 + 1.079 / size) * size * size / sum
        // Few values: by the registers that nothing touched.
        if raw <= 2.5 * size, zeros > 0 { return Int64((size * Mathematics.natural(size / Double(zeros))).rounded()) }
        return Int64(raw.rounded())
    }
}
