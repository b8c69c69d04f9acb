public import Events

/// The columns of a table with a schema (Parquet, Avro, CSV), in their order: the events' own, one for whatever has no column, and
/// where each record came from.
///
/// The shape of a record never changes the schema: a field without a column, or one that can't be what its column holds, goes to the
/// extra column as a member of a JSON object.
public struct TableSchema: Sendable, Equatable {
    public enum Source: Sendable, Equatable {
        case field(FieldPath, TimeUnit?)
        /// Fields without a column, as JSON text.
        case extra
        case topic, partition, offset
        /// The record's timestamp.
        case timestamp
    }

    public struct Column: Sendable, Equatable {
        public var name: String
        public var type: ColumnType
        public var source: Source

        public init(_ name: String, _ type: ColumnType, _ source: Source) {
            self.name = name
            self.type = type
            self.source = source
        }

        /// The column of a top-level field of the same name.
        public static func field(_ name: String, _ type: ColumnType) -> Column {
            Column(name, type, .field(FieldPath([name]), nil))
        }
    }

    public let columns: [Column]

    /// - Parameter fields: the events' own columns; names differ from each other, also in lower case (`problem`).
    public init(fields: [Column], kafka: KafkaColumns = .init(), extra: String = "_extra") {
        columns =
            fields + [
                Column(extra, .string, .extra), Column(kafka.topic, .string, .topic),
                Column(kafka.partition, .int32, .partition), Column(kafka.offset, .int64, .offset),
                Column(kafka.timestamp, .timestamp, .timestamp),
            ]
    }

    /// The columns for a parser's fields: their names as SQL takes them, with `_` appended where a name is taken.
    public static func derived(
        from fields: [(name: String, type: ValueType)], kafka: KafkaColumns, layout: TableLayout
    ) -> [Column] {
        var taken = Set((kafka.names + layout.columns.map(\.rawValue) + ["_extra"]).map { $0.lowercased() })
        return fields.map { field in
            var name = identifier(field.name)
            while !taken.insert(name.lowercased()).inserted { name += "_" }
            // The one time that the journal writes as a number.
            let unit: TimeUnit? = field.name == "__REALTIME_TIMESTAMP" ? .us : nil
            return Column(name, ColumnType(field.type), .field(FieldPath([field.name]), unit))
        }
    }

    private static func identifier(_ name: String) -> String {
        let plain = String(
            decoding: name.utf8.map { isIdentifier([$0], first: false) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
        return isIdentifier(Array(plain.utf8), first: true) ? plain : "_" + plain
    }

    /// Letters, digits and `_`, not beginning with a digit: what every format and every engine takes as a column's name.
    public static func isIdentifier(_ name: String) -> Bool { isIdentifier(Array(name.utf8), first: true) }

    private static func isIdentifier(_ bytes: [UInt8], first: Bool) -> Bool {
        guard 1...128 ~= bytes.count, !first || !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[0]) else {
            return false
        }
        return bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    /// What keeps engines from reading such a table, or nil: Hive, Spark and DuckDB know no upper case in names.
    public func problem(with layout: TableLayout) -> String? {
        var taken = Set(layout.columns.map(\.rawValue))
        for column in columns {
            guard Self.isIdentifier(column.name) else {
                return "'\(column.name)' can't be a column's name: letters, digits and '_', not beginning with a digit"
            }
            guard taken.insert(column.name.lowercased()).inserted else {
                return "two columns are called '\(column.name.lowercased())' (engines don't tell upper from lower case)"
            }
        }
        return nil
    }
}

/// The names of the columns that say where a record came from.
public struct KafkaColumns: Sendable, Equatable {
    public var topic: String
    public var partition: String
    public var offset: String
    public var timestamp: String

    public init(
        topic: String = "kafka_topic", partition: String = "kafka_partition", offset: String = "kafka_offset",
        timestamp: String = "kafka_timestamp"
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
    }

    var names: [String] { [topic, partition, offset, timestamp] }
}
