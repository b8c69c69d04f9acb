import BrokerTestKit
import Foundation
import KafkaWire
import Testing

/// `docs/protocol.md` says what the broker says.
@Suite struct ProtocolPageTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/protocol.md")

    /// The rows of the page's first table, as `Fetch (1) 4–18`.
    private static func rows() throws -> [String] {
        let text = try String(contentsOf: page, encoding: .utf8)
        let served = text.components(separatedBy: "## Not served")[0]
        return served.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count >= 2, cells[0].hasSuffix(")"), cells[0] != "API (key)" else { return nil }
            return "\(cells[0]) \(cells[1])"
        }
    }

    @Test func thePageSaysWhatApiVersionsSays() async throws {
        try await TestBroker.with { broker in
            let socket = try WireSocket(to: broker.address)
            let said = try await socket.call(ApiVersionsRequest(), version: 2).apiKeys.map { api in
                let name = ApiKey(rawValue: api.apiKey).map { "\($0)" } ?? "?"
                let versions =
                    api.minVersion == api.maxVersion ? "\(api.minVersion)" : "\(api.minVersion)–\(api.maxVersion)"
                return name.prefix(1).uppercased() + name.dropFirst() + " (\(api.apiKey)) \(versions)"
            }
            let rows = try Self.rows()
            for row in said where !rows.contains(row) {
                Issue.record("docs/protocol.md has no row that says: \(row)")
            }
            for row in rows where !said.contains(row) {
                Issue.record("docs/protocol.md says '\(row)', which the broker does not")
            }
        }
    }
}
