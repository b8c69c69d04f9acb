import Base
import KafkaClient
import KafkaConnection
import Records
import SecuritySettings
import Settings
import SystemPackage

/// Everything that an agent can be told.
public struct AgentSettings: Sendable {
    /// Any brokers of the cluster.
    public var brokers: [Address]
    public var state: FilePath = "/var/lib/millrace/agent"
    /// First part of every record key; also the agent's key in the status topic.
    public var host: String
    public var files: [FileInputSettings] = []
    public var tailer: FileTailerSettings
    public var journals: [JournalInputSettings] = []
    public var syslogs: [SyslogSettings] = []
    public var stdin: StdinSettings?
    public var seal = SealSettings()
    public var intents = IntentSettings()
    public var producer = ProducerSettings()
    public var connection = ConnectionSettings()
    /// How the brokers are connected to. Who runs the agent makes `connection.security` of it.
    public var security = ClientSecuritySettings()
    public var statusTopic = "__millrace_status"
    public var statusInterval = Duration.seconds(10)
    /// How long a stop waits for acknowledgements. What isn't acknowledged then is sent again by the next run.
    public var stopTimeout = Duration.seconds(10)

    public init(brokers: [Address], host: String) {
        self.brokers = brokers
        self.host = host
        tailer = FileTailerSettings(host: host)
        connection.clientID = "millrace-agent"
    }

    /// What contradicts itself, for a person; nil where all is well.
    public var contradiction: String? {
        if brokers.isEmpty { return "no broker is named" }
        let sealed = seal.openBytesMax.bytes + seal.batchBytes.bytes
        if sealed > intents.capacity.bytes / 8 {
            return "intents.size (\(intents.capacity)) must be at least 8 × (batch.open_bytes + batch.bytes), "
                + "which is \(ByteCount(8 * sealed))"
        }
        let spooled = syslogs.map(\.messageBytesMax.bytes) + (stdin.map { [$0.lineBytesMax.bytes] } ?? [])
        let line = (files.map(\.lineBytesMax.bytes) + journals.map(\.entryBytesMax.bytes) + spooled).max() ?? 0
        if line > intents.capacity.bytes / 16 {
            return "a line may be \(ByteCount(line)) long, more than a sixteenth of intents.size (\(intents.capacity))"
        }
        let spools = syslogs.map(\.name) + (stdin.map { [$0.name] } ?? [])
        if let twice = spools.first(where: { name in spools.count { $0 == name } > 1 }) {
            return "two sources are called '\(twice)': give each a name of its own (name: …)"
        }
        let names = journals.map(\.journalName)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            return "journal '\(twice)' stands among the sources twice: give each a name of its own (name: …)"
        }
        return nil
    }
}

extension AgentSettings {
    /// Reads the keys of `agent.yaml` that are not about sources; `sources` is left to `readSources`.
    ///
    /// ```yaml
    /// broker: agg.example:9092              # or a list
    /// tls: {ca: /etc/millrace/tls/ca.pem}   # cert, key, server_name, verify_hostname; see `ClientTLSSettings`
    /// state: /var/lib/millrace/agent
    /// host: web-1
    /// batch: {codec: gzip, level: 6, bytes: 256KiB, linger: 50ms, open_bytes: 4MiB}
    /// intents: {size: 64MiB, durability: fsync, dead_letters: 64MiB}
    /// delivery: exactly_once
    /// ambiguous: repeat
    /// status: {topic: __millrace_status, interval: 10s}
    /// stop_timeout: 10s
    /// files: {linger: 30s, poll: 1s, reconcile: 60s, idle_close: 5m, descriptors: 128}
    /// ```
    public init(
        reading root: inout SettingsMapping, host defaultHost: String,
        readSources: (YAMLNode, inout AgentSettings) throws(SettingsError) -> Void
    ) throws(SettingsError) {
        let brokerNode = try root.required("broker")
        var brokers: [Address] = []
        for text in try brokerNode.strings() {
            guard let list = Address.list(text) else {
                throw SettingsError("expected host:port, found '\(text)'", at: brokerNode.place)
            }
            brokers += list
        }
        self.init(brokers: brokers, host: try root.string("host", default: defaultHost))
        security = try ClientSecuritySettings(reading: &root)
        state = FilePath(try root.string("state", default: state.string))
        stopTimeout = try root.duration("stop_timeout", default: stopTimeout)
        var batch = try root.section("batch")
        try readBatch(&batch)
        var ring = try root.section("intents")
        intents.capacity = try ring.bytes("size", default: intents.capacity, in: .mib(1)...(.gib(64)))
        intents.durability = try ring.choice("durability", default: intents.durability)
        intents.deadLettersMax = try ring.bytes(
            "dead_letters", default: intents.deadLettersMax, in: .mib(1)...(.gib(64)))
        try ring.finish()
        if let delivery = root.node("delivery"), try delivery.string() != "exactly_once" {
            throw SettingsError("expected exactly_once", at: delivery.place)
        }
        producer.ambiguous = try root.choice("ambiguous", default: producer.ambiguous)
        var status = try root.section("status")
        statusTopic = try status.string("topic", default: statusTopic)
        statusInterval = try status.duration("interval", default: statusInterval)
        try status.finish()
        var tailing = try root.section("files")
        try readFiles(&tailing)
        let sources = try root.required("sources")
        try readSources(sources, &self)
        if let contradiction { throw SettingsError(contradiction, at: root.place) }
    }

    /// What holds for all `file` and `nginx` sources.
    private mutating func readFiles(_ section: inout SettingsMapping) throws(SettingsError) {
        let shortest = Duration.milliseconds(100)
        let longest = Duration.seconds(86_400)
        tailer.linger = try section.duration("linger", default: tailer.linger, in: .seconds(1)...longest)
        tailer.pollInterval = try section.duration("poll", default: tailer.pollInterval, in: shortest...longest)
        tailer.reconcileInterval = try section.duration(
            "reconcile", default: tailer.reconcileInterval, in: .seconds(1)...longest)
        tailer.idleClose = try section.duration("idle_close", default: tailer.idleClose, in: .seconds(1)...longest)
        tailer.descriptorsMax = try section.int("descriptors", default: tailer.descriptorsMax, in: 1...1_000_000)
        try section.finish()
    }

    private mutating func readBatch(_ batch: inout SettingsMapping) throws(SettingsError) {
        if let codec = batch.node("codec") { seal.codec = try codec.choice(CodecName.self).codec }
        if let level = batch.node("level") { seal.level = try level.int(in: 1...22) }
        seal.batchBytes = try batch.bytes("bytes", default: seal.batchBytes, in: .kib(1)...(.mib(64)))
        seal.linger = try batch.duration("linger", default: seal.linger)
        seal.openBytesMax = try batch.bytes("open_bytes", default: seal.openBytesMax, in: .kib(1)...(.gib(1)))
        try batch.finish()
    }

    private enum CodecName: String, CaseIterable {
        case none, gzip, snappy, lz4, zstd

        var codec: Codec {
            switch self {
            case .none: .none
            case .gzip: .gzip
            case .snappy: .snappy
            case .lz4: .lz4
            case .zstd: .zstd
            }
        }
    }
}
