import Base
import Events

/// Makes of a row's cell what its column stores: numbers as they are, a date as days and a timestamp as microseconds since 1970 (both
/// `.int`), text. Nothing is guessed and nothing rounded: what doesn't fit gives nil.
struct ColumnConversion {
    let type: ColumnType
    let unit: TimeUnit?

    /// - Parameter arena: where text goes that the cell doesn't hold yet.
    @inline(__always)
    func convert(_ cell: Cell, _ arena: inout ByteArena) -> Cell? {
        switch (type, cell) {
        case (.string, .text), (.int64, .int), (.double, .double), (.bool, .bool): return cell
        case (.timestamp, .timestamp(let time)):
            let (microseconds, overflow) = time.milliseconds.multipliedReportingOverflow(by: 1000)
            return overflow ? nil : .int(microseconds)
        default: return convertOther(cell, &arena)
        }
    }

    @inline(never)
    private func convertOther(_ cell: Cell, _ arena: inout ByteArena) -> Cell? {
        switch type {
        case .bool: return Self.bool(cell)
        case .int64: return Self.whole(cell).map { .int($0) }
        case .int32: return Self.whole(cell).flatMap { Int32(exactly: $0) }.map { .int(Int64($0)) }
        case .double: return Self.decimal(cell).map { .double($0) }
        case .string: return .text(Self.text(cell, &arena))
        case .date: return date(cell).map { .int($0) }
        case .timestamp: return microseconds(cell).map { .int($0) }
        }
    }

    private static func bool(_ cell: Cell) -> Cell? {
        guard case .text(let bytes) = cell else { return nil }
        switch String(decoding: bytes, as: UTF8.self) {
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: return nil
        }
    }

    private static func whole(_ cell: Cell) -> Int64? {
        switch cell {
        case .int(let number): number
        case .double(let number): Int64(exactly: number)
        case .text(let bytes) where bytes.count <= 20: Int64(String(decoding: bytes, as: UTF8.self))
        case .null, .bool, .timestamp, .text, .json: nil
        }
    }

    private static func decimal(_ cell: Cell) -> Double? {
        switch cell {
        case .double(let number): number
        case .int(let number): Double(exactly: number)
        case .text(let bytes) where bytes.count <= 64: Double(String(decoding: bytes, as: UTF8.self))
        case .null, .bool, .timestamp, .text, .json: nil
        }
    }

    private static func text(_ cell: Cell, _ arena: inout ByteArena) -> UnsafeRawBufferPointer {
        switch cell {
        case .text(let bytes), .json(let bytes): return bytes
        case .timestamp(let time): return arena.copy(CivilTime(time).iso8601)
        case .null, .bool, .int, .double:
            var bytes: [UInt8] = []
            JSONWriter.append(cell, to: &bytes)
            return arena.copy(bytes)
        }
    }

    private func date(_ cell: Cell) -> Int64? {
        switch cell {
        case .timestamp(let time): return Self.days(time)
        case .text(let bytes) where bytes.count == 10: return TimeText.iso8601(bytes).map(Self.days)
        case .null, .bool, .int, .double, .text, .json: return nil
        }
    }

    private static func days(_ time: Timestamp) -> Int64 {
        let (days, rest) = time.milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        return rest < 0 ? days - 1 : days
    }

    private func microseconds(_ cell: Cell) -> Int64? {
        if let unit, let number = Self.whole(cell) {
            let (microseconds, overflow) = number.multipliedReportingOverflow(by: unit.microseconds)
            return overflow ? nil : microseconds
        }
        switch cell {
        case .text(let bytes): return TimeText.iso8601Microseconds(bytes)
        case .double(let number):
            guard let unit else { return nil }
            return Int64(exactly: (number * Double(unit.microseconds)).rounded())
        case .null, .bool, .int, .timestamp, .json: return nil
        }
    }
}
