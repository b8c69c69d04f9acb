public import Base
import Exports
import Settings

/// `dlq`: where records go that a step with `on_error: dlq` fails on.
public struct DeadLetterSettings: Sendable, Equatable {
    public var topic: String
    /// How long dead letters wait for others before they are written.
    public var linger: Duration
    /// Dead letters of one partition that wait in memory; they are written when they are more.
    public var batchBytes: ByteCount

    public init(topic: String, linger: Duration = .seconds(1), batchBytes: ByteCount = .kib(256)) {
        self.topic = topic
        self.linger = linger
        self.batchBytes = batchBytes
    }
}

extension DeadLetterSettings {
    /// Reads `dlq`: a topic's name, or `topic`, `linger`, `batch`.
    init(yaml node: YAMLNode) throws(SettingsError) {
        if case .scalar = node.value {
            self.init(topic: try Self.topic(node))
            return
        }
        var mapping = try node.mapping()
        self.init(topic: try Self.topic(try mapping.required("topic")))
        linger = try mapping.duration("linger", default: linger, in: .zero...(.seconds(60)))
        batchBytes = try mapping.bytes("batch", default: batchBytes, in: .kib(1)...ByteCount.mib(16))
        try mapping.finish()
    }

    static func topic(_ node: YAMLNode) throws(SettingsError) -> String {
        let name = try node.string()
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, 1...249 ~= name.utf8.count, name != ".", name != ".." else {
            throw node.expected("a topic's name: letters, digits, '.', '_' and '-'")
        }
        return name
    }
}
