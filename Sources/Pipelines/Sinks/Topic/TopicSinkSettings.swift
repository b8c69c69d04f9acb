public import Events
public import Records
import Settings

/// Rows as JSON into another topic of the same cluster.
public struct TopicSinkSettings: Sendable {
    public var topic: String
    /// The field by which rows are spread over partitions, as a producer's key is; nil keeps those of a partition together.
    public var key: FieldPath?
    public var codec: Codec
    public var batch: DeliverySettings

    public init(topic: String, key: FieldPath? = nil, codec: Codec = .gzip, batch: DeliverySettings = .init()) {
        self.topic = topic
        self.key = key
        self.codec = codec
        self.batch = batch
    }
}

extension TopicSinkSettings {
    /// Reads `topic`. Keys: `name`, `key`, `codec`, `batch`.
    init(yaml node: YAMLNode) throws(SettingsError) {
        var mapping = try node.mapping()
        self.init(topic: try DeadLetterSettings.topic(try mapping.required("name")))
        if let node = mapping.node("key") {
            guard let path = FieldPath(try node.string()) else {
                throw node.expected("a field's path, such as http.method or `odd name`.x")
            }
            key = path
        }
        if let node = mapping.node("codec") {
            guard let codec = Codec(name: try node.string()) else {
                throw node.expected("a codec: none, gzip, snappy, lz4 or zstd")
            }
            self.codec = codec
        }
        batch = try DeliverySettings(&mapping)
        try mapping.finish()
    }
}
