public import Base
public import Records

/// What a table's files are.
public struct TableFormat: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// An object a line, each event with its own fields.
        case jsonl
        /// RFC 4180, a header line first.
        case csv
        /// Avro object container files.
        case avro
        case parquet
    }

    public var kind: Kind
    public var codec: Codec
    /// Nil is the codec's default.
    public var level: Int?
    /// The columns; JSON lines have none.
    public var schema: TableSchema?
    public var kafka: KafkaColumns
    /// A Parquet row group ends once its pages and dictionaries take this much.
    public var rowGroupBytesMax: ByteCount
    public var compatibility: ParquetCompatibility

    /// - Precondition: a schema for all but JSON lines, and one of `codecs(of:)`.
    public init(
        _ kind: Kind = .jsonl, codec: Codec? = nil, level: Int? = nil, schema: TableSchema? = nil,
        kafka: KafkaColumns = .init(), rowGroupBytesMax: ByteCount = .mib(128),
        compatibility: ParquetCompatibility = .modern
    ) {
        self.kind = kind
        self.codec = codec ?? Self.codecs(of: kind)[0]
        self.level = level
        self.schema = schema
        self.kafka = kafka
        self.rowGroupBytesMax = rowGroupBytesMax
        self.compatibility = compatibility
        precondition(kind == .jsonl || schema != nil, "\(kind) needs a schema")
        precondition(Self.codecs(of: kind).contains(self.codec), "\(kind) has no \(self.codec)")
    }

    /// The codecs that the format has and readers take, the default first.
    public static func codecs(of kind: Kind, _ compatibility: ParquetCompatibility = .modern) -> [Codec] {
        switch (kind, compatibility) {
        // There is no snappy framing of text files that most readers know.
        case (.jsonl, _), (.csv, _): [.gzip, .zstd, .none]
        // Every reader knows Avro's deflate, which is gzip without its frame.
        case (.avro, _): [.gzip, .zstd, .snappy, .none]
        case (.parquet, .modern): [.zstd, .snappy, .gzip, .none]
        case (.parquet, .hadoop2): [.snappy, .gzip, .none]
        }
    }

    /// As it stands at the end of a file's name: `json.gz`, `zstd.parquet`.
    public var fileExtension: String {
        switch kind {
        case .jsonl: "json" + textSuffix
        case .csv: "csv" + textSuffix
        case .avro: "avro"
        case .parquet: codec == .none ? "parquet" : codec == .gzip ? "gz.parquet" : "\(codec).parquet"
        }
    }

    private var textSuffix: String {
        switch codec {
        case .gzip: ".gz"
        case .zstd: ".zst"
        case .none, .snappy, .lz4: ""
        }
    }
}
