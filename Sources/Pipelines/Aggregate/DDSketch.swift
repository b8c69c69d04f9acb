/// Quantiles of any number of values within a relative error (Masson, Rim, Lee: "DDSketch", VLDB 2019): buckets whose bounds grow by a factor.
///
/// A quantile of positive values is within 1 % of the true one. At most `bucketsMax` buckets: where values lie further apart than they span (a factor of 10^17),
/// the lowest are merged, at the price of the lowest quantiles. Values that are zero or below are counted apart, as zero.
struct DDSketch: Equatable {
    static let relativeError = 0.01
    static let bucketsMax = 2048
    private static let gamma = (1 + relativeError) / (1 - relativeError)
    private static let logGamma = Mathematics.natural(gamma)

    /// By the bucket's number: of values above gamma^(n-1), up to gamma^n.
    private var buckets: [Int32: Int64] = [:]
    private var zeroCount: Int64 = 0
    private(set) var count: Int64 = 0

    mutating func add(_ value: Double) {
        guard value.isFinite else { return }
        count += 1
        guard value > 1e-12 else {
            zeroCount += 1
            return
        }
        let number = Int32((Mathematics.natural(value) / Self.logGamma).rounded(.up))
        buckets[number, default: 0] += 1
        if buckets.count > Self.bucketsMax { mergeLowest() }
    }

    private mutating func mergeLowest() {
        let lowest = buckets.keys.sorted().prefix(2)
        guard let first = lowest.first, let second = lowest.last, first != second else { return }
        buckets[second, default: 0] += buckets.removeValue(forKey: first) ?? 0
    }

    /// The value below which this share of the values lies; nil of none.
    func quantile(_ share: Double) -> Double? {
        guard count > 0 else { return nil }
        // The rank that DuckDB's and NumPy's `lower` interpolation take.
        let rank = Int64(share * Double(count - 1))
        var seen = zeroCount
        if rank < seen { return 0 }
        for number in buckets.keys.sorted() {
            seen += buckets[number] ?? 0
            if rank < seen { return 2 * Mathematics.power(Self.gamma, Double(number)) / (Self.gamma + 1) }
        }
        return nil
    }
}
