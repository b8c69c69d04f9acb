import Base
import Events
import Foundation
import Settings
import Testing

@testable import Pipelines

/// Writes a database of MaxMind's format (MaxMind DB File Format 2.0), small ones: an IPv6 tree of networks, each with a map.
private struct DatabaseWriter {
    indirect enum Item {
        case text(String)
        case number(UInt32)
        case short(UInt16)
        case long(UInt64)
        case decimal(Double)
        case flag(Bool)
        case list([Item])
        case map([(String, Item)])
    }

    private var nodes: [(left: Int?, right: Int?)] = [(nil, nil)]
    /// By node and side: the record that ends there.
    private var ends: [Int: [Bool: Int]] = [:]
    private var data: [UInt8] = []

    /// The network as its first bits in the tree; IPv4 lies in ::/96.
    mutating func add(_ address: [UInt8], bits: Int, _ item: Item) {
        let offset = data.count
        data += Self.bytes(of: item)
        var node = 0
        for bit in 0..<bits {
            let isRight = address[bit / 8] >> (7 - bit % 8) & 1 == 1
            if bit == bits - 1 {
                ends[node, default: [:]][isRight] = offset
                return
            }
            let next = isRight ? nodes[node].right : nodes[node].left
            if let next {
                node = next
                continue
            }
            nodes.append((nil, nil))
            if isRight { nodes[node].right = nodes.count - 1 } else { nodes[node].left = nodes.count - 1 }
            node = nodes.count - 1
        }
    }

    static func bytes(of item: Item) -> [UInt8] {
        switch item {
        case .text(let text):
            precondition(text.utf8.count < 285)
            let count = text.utf8.count
            return (count < 29 ? [UInt8(2 << 5 | count)] : [UInt8(2 << 5 | 29), UInt8(count - 29)]) + Array(text.utf8)
        case .number(let number):
            return [6 << 5 | 4] + (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
        case .short(let number): return [5 << 5 | 2, UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
        case .long(let number):
            return [8, 9 - 7] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * UInt64($0))) }
        case .decimal(let number):
            let bits = number.bitPattern
            return [3 << 5 | 8] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) }
        case .flag(let flag): return [flag ? 1 : 0, 14 - 7]
        case .list(let items): return [UInt8(items.count), 11 - 7] + items.flatMap(bytes)
        case .map(let members):
            return [UInt8(7 << 5 | members.count)] + members.flatMap { bytes(of: .text($0.0)) + bytes(of: $0.1) }
        }
    }

    var file: [UInt8] {
        var tree: [UInt8] = []
        for (place, node) in nodes.enumerated() {
            for (isRight, child) in [(false, node.left), (true, node.right)] {
                let value = ends[place]?[isRight].map { nodes.count + 16 + $0 } ?? child ?? nodes.count
                tree += [UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
            }
        }
        let metadata = Item.map([
            ("node_count", .number(UInt32(nodes.count))), ("record_size", .short(24)), ("ip_version", .short(6)),
            ("database_type", .text("Test")), ("languages", .list([.text("en")])),
            ("binary_format_major_version", .short(2)), ("binary_format_minor_version", .short(0)),
            ("build_epoch", .long(1)), ("description", .map([("en", .text("a test"))])),
        ])
        return tree + [UInt8](repeating: 0, count: 16) + data + [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)
            + Self.bytes(of: metadata)
    }
}

@Suite struct GeoIPTests {
    /// 203.0.113.0/24 and 2001:db8::/32.
    private func withDatabase(_ body: (String) throws -> Void) throws {
        var writer = DatabaseWriter()
        writer.add(
            [UInt8](repeating: 0, count: 12) + [203, 0, 113, 0], bits: 120,
            .map([
                ("country", .map([("iso_code", .text("DE"))])),
                ("city", .map([("names", .map([("en", .text("Münster"))]))])),
                ("location", .map([("latitude", .decimal(51.96))])), ("autonomous_system_number", .number(64500)),
                ("is_anycast", .flag(true)),
            ]))
        writer.add([0x20, 0x01, 0x0d, 0xb8], bits: 32, .map([("country", .map([("iso_code", .text("FR"))]))]))
        let file = FileManager.default.temporaryDirectory.appending(path: "millrace-\(UUID().uuidString).mmdb")
        try Data(writer.file).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try body(file.path)
    }

    private func settings(_ geoip: String) throws -> PipelineSettings {
        try PipelineSettings.load(
            try YAMLNode.parse(
                "pipeline: p\nfrom: {topics: [t]}\nto: [{file: {path: /x}}]\nsteps:\n  - parse: json\n  - geoip: \(geoip)",
                file: "p.yaml"))
    }

    private func row(_ settings: PipelineSettings, _ address: String) -> String {
        guard case .row(let event, _) = settings.steps.outcome(of: Array(#"{"a":\#(address)}"#.utf8)) else {
            return "none"
        }
        return event.json
    }

    @Test func addressesGetWhatTheDatabaseSays() throws {
        try withDatabase { path in
            let standard = try settings("{field: a, database: \(path)}")
            #expect(row(standard, #""203.0.113.7""#) == #"{"a":"203.0.113.7","geo_country":"DE","geo_city":"Münster"}"#)
            #expect(row(standard, #""2001:db8::1""#) == #"{"a":"2001:db8::1","geo_country":"FR","geo_city":null}"#)
            #expect(row(standard, #""198.51.100.1""#) == #"{"a":"198.51.100.1","geo_country":null,"geo_city":null}"#)
            #expect(row(standard, "null") == #"{"a":null,"geo_country":null,"geo_city":null}"#)
            #expect(
                row(standard, #""host""#) == #"{"a":"host","_error":"geoip: a: 'host' is no address"}"#)
            let chosen = try settings(
                "{field: a, database: \(path), fields: {asn: autonomous_system_number, lat: location.latitude, any: is_anycast, no: country}}"
            )
            #expect(
                row(chosen, #""203.0.113.255""#)
                    == #"{"a":"203.0.113.255","asn":64500,"lat":51.96,"any":true,"no":null}"#)
        }
    }

    @Test func aDatabaseThatCannotBeReadIsSaidAtItsPlaceBeforeTheFirstRecord() throws {
        let error = #expect(throws: SettingsError.self) { try settings("{database: /no/such.mmdb}") }
        #expect(
            error?.line == 6 && error?.message.contains("/no/such.mmdb can't be read as a MaxMind database") == true)
        let relative = #expect(throws: SettingsError.self) { try settings("{database: x.mmdb}") }
        #expect(relative?.message.contains("an absolute path") == true)
    }
}
