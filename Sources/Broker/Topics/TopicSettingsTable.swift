import LogStorage

/// A topic's settings as clients see them: every one, with its value and where that comes from.
enum TopicSettingsTable {
    struct Setting {
        var name: String
        var value: String
        var source: Source
        var type: ValueType
    }

    /// Kafka's `ConfigSource`.
    enum Source: Int8 {
        case topic = 1
        case brokerFile = 4
        case builtIn = 5
    }

    /// Kafka's `ConfigType`.
    enum ValueType: Int8 {
        case boolean = 1
        case string = 2
        case int = 3
        case long = 5
        case double = 6
        case list = 7
    }

    /// Settings that are kept for clients that ask for them, with Kafka's defaults.
    private static let carried: [(name: String, value: String, type: ValueType)] = [
        ("compression.type", "producer", .string), ("flush.messages", String(Int64.max), .long),
        ("min.insync.replicas", "1", .int), ("preallocate", "false", .boolean),
        ("segment.index.bytes", "10485760", .int), ("segment.jitter.ms", "0", .long),
        ("unclean.leader.election.enable", "false", .boolean),
    ]

    static func describe(_ config: LogConfig, own: [String: String], defaults: [String: String]) -> [Setting] {
        let settings = config.settings.map {
            Setting(name: $0.name, value: $0.value, source: .builtIn, type: type(of: $0.name))
        }
        let others = carried.map { Setting(name: $0.name, value: $0.value, source: .builtIn, type: $0.type) }
        return (settings + others).map { setting in
            var setting = setting
            if let value = own[setting.name] {
                setting.value = value
                setting.source = .topic
            } else if let value = defaults[setting.name] {
                setting.value = value
                setting.source = .brokerFile
            }
            return setting
        }
        .sorted { $0.name < $1.name }
    }

    private static func type(of name: String) -> ValueType {
        switch name {
        case "cleanup.policy": .list
        case "message.timestamp.type", "millrace.durability": .string
        case "millrace.validate.records": .boolean
        case "min.cleanable.dirty.ratio": .double
        case "max.message.bytes", "segment.bytes", "index.interval.bytes": .int
        default: .long
        }
    }
}
