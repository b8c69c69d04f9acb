/// Prometheus's text exposition format 0.0.4.
enum PrometheusText {
    static func render(_ series: [MetricRegistry.Key: Series], help: [String: String]) -> String {
        var byName: [String: [(MetricRegistry.Key, Series)]] = [:]
        for (key, one) in series { byName[key.name, default: []].append((key, one)) }
        var text = ""
        for (name, members) in byName.sorted(by: { $0.key < $1.key }) {
            guard let first = members.first else { continue }
            if let help = help[name] { text += "# HELP \(name) \(escapeHelp(help))\n" }
            text += "# TYPE \(name) \(typeName(first.1))\n"
            let sorted = members.sorted { labels($0.0.labels) < labels($1.0.labels) }
            for (key, one) in sorted { text += lines(key, one) }
        }
        return text
    }

    private static func typeName(_ series: Series) -> String {
        switch series {
        case .counter: "counter"
        case .gauge: "gauge"
        case .histogram: "histogram"
        }
    }

    private static func lines(_ key: MetricRegistry.Key, _ series: Series) -> String {
        switch series {
        case .counter(let cell), .gauge(let cell):
            return "\(key.name)\(labels(key.labels)) \(number(cell.value))\n"
        case .histogram(let cell):
            let snapshot = cell.snapshot
            var text = ""
            var below: UInt64 = 0
            for (place, count) in snapshot.counts.enumerated() {
                below += count
                let bound = place < cell.bounds.count ? number(cell.bounds[place]) : "+Inf"
                let all = key.labels + [MetricRegistry.Label(name: "le", value: bound)]
                text += "\(key.name)_bucket\(labels(all)) \(below)\n"
            }
            text += "\(key.name)_sum\(labels(key.labels)) \(number(snapshot.sum))\n"
            text += "\(key.name)_count\(labels(key.labels)) \(below)\n"
            return text
        }
    }

    private static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 9e15 { return String(Int64(value)) }
        return "\(value)"
    }

    private static func labels(_ labels: [MetricRegistry.Label]) -> String {
        if labels.isEmpty { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escape($0.value))\"" }.joined(separator: ",") + "}"
    }

    private static func escape(_ value: String) -> String {
        var text = ""
        for character in value {
            switch character {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
        return text
    }

    private static func escapeHelp(_ help: String) -> String {
        help.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: " ")
    }
}
