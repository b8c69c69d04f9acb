import ArgumentParser
import Events

/// How data is printed: a table for people, a JSON object a line for scripts.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case table, json }

/// Rows under named columns.
struct Table {
    private let columns: [String]
    private var rows: [[Value]] = []

    init(_ columns: [String]) { self.columns = columns }

    mutating func add(_ row: [Value]) {
        precondition(row.count == columns.count)
        rows.append(row)
    }

    func print(as format: OutputFormat) {
        switch format {
        case .json:
            for row in rows {
                Swift.print(Value.object(zip(columns, row).map { Field($0, $1) }).json)
            }
        case .table:
            let texts = rows.map { $0.map(Self.text) }
            let widths = columns.indices.map { index in
                ([columns[index]] + texts.map { $0[index] }).map(\.count).max() ?? 0
            }
            for line in [columns.map { $0.uppercased() }] + texts {
                let padded = zip(line, widths).map { $0.padding(to: $1) }
                var text = padded.joined(separator: "  ")
                while text.last == " " { text.removeLast() }
                Swift.print(text)
            }
        }
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .null: "-"
        case .string(let text): text
        default: value.json
        }
    }
}

extension String {
    func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
