import Base
import Events
import Histogram

/// What a benchmark measured, as a table for people or one JSON object.
struct BenchReport {
    private var rows: [(name: String, value: Value, unit: String)] = []

    /// - Parameter unit: as people write it; the JSON's name carries it already.
    mutating func add(_ name: String, _ value: Value, _ unit: String = "") { rows.append((name, value, unit)) }

    mutating func addThroughput(records: Int64, bytes: Int64, seconds: Double) {
        add("seconds", .double(Self.rounded(seconds)), "s")
        add("records", .int(records))
        add("bytes", .int(bytes), "B")
        add("records_per_second", .int(Int64(Double(records) / max(seconds, 1e-9))))
        add(
            "megabytes_per_second", .double(Self.rounded(Double(bytes) / 1e6 / max(seconds, 1e-9))), "MB/s (10^6 bytes)"
        )
    }

    /// Percentiles of a histogram of nanoseconds, in milliseconds.
    mutating func add(_ name: String, _ histogram: Histogram<UInt64>) {
        guard histogram.totalCount > 0 else { return }
        for (label, percentile) in [("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99), ("p999", 99.9), ("max", 100)]
            as [(String, Double)]
        {
            let nanoseconds = percentile == 100 ? histogram.max : histogram.valueAtPercentile(percentile)
            add("\(name)_\(label)_ms", .double(Self.rounded(Double(nanoseconds) / 1e6)), "ms")
        }
    }

    /// What the server spent between two readings, for so many bytes of records.
    mutating func addServer(_ before: ServerMeter.Reading, _ after: ServerMeter.Reading?, bytes: Int64) {
        guard let after else {
            add("server", .string("ended during the benchmark"))
            return
        }
        let gigabytes = Double(bytes) / 1e9
        let user = after.userSeconds - before.userSeconds
        let kernel = after.kernelSeconds - before.kernelSeconds
        add("server_user_cpu_seconds", .double(Self.rounded(user)), "s")
        add("server_kernel_cpu_seconds", .double(Self.rounded(kernel)), "s")
        if gigabytes > 0 {
            add("server_user_cpu_seconds_per_gb", .double(Self.rounded(user / gigabytes)), "s/GB (10^9 bytes)")
            add("server_kernel_cpu_seconds_per_gb", .double(Self.rounded(kernel / gigabytes)), "s/GB")
            add("server_cpu_seconds_per_gb", .double(Self.rounded((user + kernel) / gigabytes)), "s/GB")
        }
        add("server_resident_bytes", .int(Int64(after.resident.bytes)), "B")
        add("server_peak_resident_bytes", .int(Int64(after.peak.bytes)), "B")
    }

    func print(as format: OutputFormat) {
        switch format {
        case .json: Swift.print(Value.object(rows.map { Field($0.name, $0.value) }).json)
        case .table:
            let width = rows.map(\.name.count).max() ?? 0
            let values = rows.map { row -> String in
                if case .string(let text) = row.value { text } else { row.value.json }
            }
            let valueWidth = values.map(\.count).max() ?? 0
            for (row, value) in zip(rows, values) {
                var line =
                    row.name.padding(to: width) + "  " + String(repeating: " ", count: valueWidth - value.count) + value
                if !row.unit.isEmpty { line += " \(row.unit)" }
                Swift.print(line)
            }
        }
    }

    /// Three digits after the point.
    private static func rounded(_ number: Double) -> Double { (number * 1000).rounded() / 1000 }
}
