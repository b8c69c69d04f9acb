import Foundation
import KafkaClient
import KafkaWire
import Testing

/// The table "When the broker refuses" of docs/agent.md, against the code.
@Suite struct RefusalPageTests {
    private static let rows: [(names: [String], verdict: String)] = {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/agent.md")
        let lines = (try? String(contentsOf: page, encoding: .utf8))?.split(separator: "\n") ?? []
        let table = lines.drop { !$0.hasPrefix("| answer to Produce") }.dropFirst(2).prefix { $0.hasPrefix("|") }
        return table.map { row in
            let cells = row.split(separator: "|")
            let names = cells[0].split(separator: "`").enumerated().filter { $0.offset % 2 == 1 }.map {
                String($0.element)
            }
            let verdict = cells[1].trimmingCharacters(in: .whitespaces).prefix { $0 != ":" }
            return (names, String(verdict))
        }
    }()

    private static func verdict(_ code: ErrorCode) -> String {
        switch ProduceVerdict(code) {
        case .acknowledged: "acknowledged"
        case .retry(refreshingMetadata: false): "retry"
        case .retry(refreshingMetadata: true): "retry at another broker"
        case .reconcile: "reconcile"
        case .renew: "renew"
        case .divide: "divide"
        case .hold: "hold"
        }
    }

    @Test func eachErrorOfTheTableIsTreatedAsItSays() throws {
        try #require(Self.rows.count == 6)
        let codes = (Int16(-1)...200).map { ErrorCode(rawValue: $0) }
        let byName = Dictionary(codes.map { ("\($0)", $0) }) { first, _ in first }
        var named: Set<String> = []
        for row in Self.rows {
            for name in row.names {
                let code = try #require(byName[name], "no error is called \(name)")
                #expect(Self.verdict(code) == row.verdict, "\(name)")
                #expect(named.insert(name).inserted, "\(name) stands there twice")
            }
        }
    }

    /// What Kafka's documentation of Produce and its broker's code answer with.
    @Test func eachErrorOfProduceStandsInTheTable() {
        let named = Set(Self.rows.flatMap(\.names))
        let produce: [Int16] = [
            -1, 2, 3, 5, 6, 7, 10, 13, 17, 18, 19, 20, 21, 29, 31, 32, 35, 42, 43, 44, 45, 46, 47, 48, 49, 51, 53, 56,
            59, 74,
            76, 87, 89, 90, 100, 120,
        ]
        for code in produce { #expect(named.contains("\(ErrorCode(rawValue: code))"), "\(ErrorCode(rawValue: code))") }
    }
}
