import Events

/// One value of a result: what is taken of each record, and what it comes to.
enum Aggregation: Sendable {
    /// Of all records, or of those for which the condition holds.
    case count(Expression?)
    /// Records per second of the window.
    case rate(Expression?)
    /// What part of the records the condition holds for.
    case share(Expression)
    case sum(FieldPath)
    case min(FieldPath)
    case max(FieldPath)
    case avg(FieldPath)
    /// By DDSketch.
    case quantile(FieldPath, Double)
    /// By Space-Saving.
    case top(FieldPath, Int)
    /// By HyperLogLog.
    case distinct(FieldPath)

    /// An empty one.
    func make() -> Accumulator {
        switch self {
        case .count, .rate: .count(0)
        case .share: .share(0, of: 0)
        case .sum: .sum(.zero)
        case .min, .max: .extreme(nil)
        case .avg: .average(0, count: 0)
        case .quantile: .quantile(DDSketch())
        case .top(_, let count): .top(SpaceSaving(capacity: Swift.max(100, count * 10)))
        case .distinct: .distinct(HyperLogLog())
        }
    }
}

/// What came together so far.
enum Accumulator {
    case count(Int64)
    case share(Int64, of: Int64)
    case sum(Total)
    case extreme(Value?)
    case average(Double, count: Int64)
    case quantile(DDSketch)
    case top(SpaceSaving)
    case distinct(HyperLogLog)

    /// Whole numbers add up exactly as long as they fit; then, and with the first decimal, as decimals.
    enum Total {
        case whole(Int64)
        case decimal(Double)

        static let zero = Total.whole(0)
    }

    mutating func add(_ event: Event, _ hash: UInt64, by aggregation: Aggregation) {
        switch (aggregation, self) {
        case (.count(let condition), .count(let count)), (.rate(let condition), .count(let count)):
            if condition?.matches(event, recordHash: hash) ?? true { self = .count(count + 1) }
        case (.share(let condition), .share(let part, let all)):
            self = .share(part + (condition.matches(event, recordHash: hash) ? 1 : 0), of: all + 1)
        case (.sum(let path), .sum(let total)): self = .sum(total.adding(event[path]))
        case (.min(let path), .extreme(let found)): keep(event[path], found) { $0 < $1 }
        case (.max(let path), .extreme(let found)): keep(event[path], found) { $0 > $1 }
        case (.avg(let path), .average(let sum, let count)):
            if let number = event[path].number { self = .average(sum + number, count: count + 1) }
        case (.quantile(let path, _), .quantile(var sketch)):
            self = .count(0)
            if let number = event[path].number { sketch.add(number) }
            self = .quantile(sketch)
        case (.top(let path, _), .top(var values)):
            let value = event[path]
            self = .count(0)
            if !value.isNull { values.add(value.plainText) }
            self = .top(values)
        case (.distinct(let path), .distinct(var values)):
            let value = event[path]
            self = .count(0)
            if !value.isNull { values.add(StableHash.of(value.json)) }
            self = .distinct(values)
        default: preconditionFailure("an accumulator of another aggregation")
        }
    }

    private mutating func keep(_ value: Value, _ found: Value?, _ isBetter: (Double, Double) -> Bool) {
        guard let number = value.number else { return }
        if found?.number.map({ isBetter(number, $0) }) ?? true { self = .extreme(value) }
    }

    func result(of aggregation: Aggregation, seconds: Double) -> Value {
        switch (aggregation, self) {
        case (.rate, .count(let count)): return .double(Double(count) / seconds)
        case (_, .count(let count)): return .int(count)
        case (_, .share(let part, let all)): return all == 0 ? .null : .double(Double(part) / Double(all))
        case (_, .sum(.whole(let number))): return .int(number)
        case (_, .sum(.decimal(let number))): return .double(number)
        case (_, .extreme(let value)): return value ?? .null
        case (_, .average(let sum, let count)): return count == 0 ? .null : .double(sum / Double(count))
        case (.quantile(_, let share), .quantile(let sketch)):
            return sketch.quantile(share).map { .double($0) } ?? .null
        case (.top(_, let count), .top(let values)):
            return .list(
                values.top(count).map { .object([Field("value", .string($0.value)), Field("count", .int($0.count))]) })
        case (_, .distinct(let values)): return .int(values.count)
        default: preconditionFailure("an accumulator of another aggregation")
        }
    }
}

extension Accumulator.Total {
    func adding(_ value: Value) -> Self {
        switch (self, value) {
        case (.whole(let sum), .int(let number)):
            let (total, overflows) = sum.addingReportingOverflow(number)
            return overflows ? .decimal(Double(sum) + Double(number)) : .whole(total)
        case (.whole(let sum), .double(let number)): return .decimal(Double(sum) + number)
        case (.decimal(let sum), _): return value.number.map { .decimal(sum + $0) } ?? self
        default: return self
        }
    }
}

extension Value {
    /// Nil for what is no number; text is none.
    var number: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        case .null, .bool, .string, .timestamp, .list, .object: nil
        }
    }
}
