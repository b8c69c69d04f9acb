import Base
import Events
import Exports
import Records
import Settings
import SystemPackage

extension ExportSinkSettings {
    /// Reads `export`. Keys: `root`, `hdfs`, `s3`, `table`, `format`, `codec`, `level`, `compatibility`, `row_group`, `columns`, `extra`, `kafka_columns`,
    /// `partition_by`, `rotate` (`age`, `size`), `open_files`, `memory`, `success`.
    init(yaml node: YAMLNode, steps: Steps) throws(SettingsError) {
        var mapping = try node.mapping()
        let root = try Self.root(&mapping)
        let table = try PipelineSettings.name(try mapping.required("table"), "a table's name")
        var settings = ExportSettings()
        if let columns = mapping.node("partition_by") {
            var chosen: [TableLayout.Column] = []
            for name in try columns.sequence() { chosen.append(try name.choice(TableLayout.Column.self)) }
            settings.layout = TableLayout(columns: chosen)
        }
        settings.format = try Self.format(&mapping, steps, settings.layout)
        settings.openFilesMax = try mapping.int("open_files", default: settings.openFilesMax, in: 1...1000)
        settings.memoryMax = try mapping.bytes(
            "memory", default: settings.memoryMax, in: .mib(1)...ByteCount.gib(64))
        var rotate = try mapping.section("rotate")
        settings.commit.ageMax = try rotate.duration(
            "age", default: settings.commit.ageMax, in: .milliseconds(100)...(.seconds(86_400)))
        settings.commit.bytesMax = try rotate.bytes(
            "size", default: settings.commit.bytesMax, in: .kib(64)...ByteCount.gib(64))
        try rotate.finish()
        let successNode = mapping.node("success")
        let success = try successNode.map { node throws(SettingsError) in try SuccessSettings(yaml: node) }
        if let successNode, !settings.layout.columns.contains(.dt) {
            throw SettingsError("'success' needs a table with partition_by: [dt, hour] or [dt]", at: successNode.place)
        }
        try mapping.finish()
        self.init(root: root, table: table, settings: settings, success: success)
    }

    // MARK: - Format

    private static func format(
        _ mapping: inout SettingsMapping, _ steps: Steps, _ layout: TableLayout
    ) throws(SettingsError) -> TableFormat {
        let kind = try mapping.choice("format", default: TableFormat.Kind.jsonl)
        let kafka = try kafkaColumns(&mapping)
        // JSON lines hold each event as it is; `columns` is then an unknown key.
        let schema = kind == .jsonl ? nil : try schema(&mapping, "format \(kind.rawValue)", kafka, steps, layout)
        var compatibility = ParquetCompatibility.modern
        var rowGroup = ByteCount.mib(128)
        if kind == .parquet {
            compatibility = try mapping.choice("compatibility", default: compatibility)
            rowGroup = try mapping.bytes("row_group", default: rowGroup, in: .mib(1)...ByteCount.gib(1))
        }
        let codecs = TableFormat.codecs(of: kind, compatibility)
        var codec = codecs[0]
        if let node = mapping.node("codec") {
            let name = try node.string()
            guard let chosen = Codec(name: name), codecs.contains(chosen) else {
                let known = codecs.map(\.description).joined(separator: ", ")
                let hadoop = compatibility == .hadoop2 ? " with compatibility hadoop2" : ""
                throw node.expected("a codec that \(kind.rawValue)\(hadoop) has: \(known)")
            }
            codec = chosen
        }
        var level: Int?
        if let levels = codec.levels, let node = mapping.node("level") {
            level = try node.int(in: max(1, levels.lowerBound)...levels.upperBound)
        }
        return TableFormat(
            kind, codec: codec, level: level, schema: schema, kafka: kafka, rowGroupBytesMax: rowGroup,
            compatibility: compatibility)
    }

    // MARK: - Columns

    /// Reads `kafka_columns`. Keys: `topic`, `partition`, `offset`, `timestamp`.
    static func kafkaColumns(_ mapping: inout SettingsMapping) throws(SettingsError) -> KafkaColumns {
        var kafka = KafkaColumns()
        var names = try mapping.section("kafka_columns")
        kafka.topic = try names.string("topic", default: kafka.topic)
        kafka.partition = try names.string("partition", default: kafka.partition)
        kafka.offset = try names.string("offset", default: kafka.offset)
        kafka.timestamp = try names.string("timestamp", default: kafka.timestamp)
        try names.finish()
        return kafka
    }

    /// Reads `columns` and `extra`, or derives the columns from the steps.
    /// - Parameter what: that needs columns.
    static func schema(
        _ mapping: inout SettingsMapping, _ what: String, _ kafka: KafkaColumns, _ steps: Steps, _ layout: TableLayout
    ) throws(SettingsError) -> TableSchema {
        let extra = try mapping.string("extra", default: "_extra")
        let node = mapping.node("columns")
        let columns: [TableSchema.Column]
        if let node {
            columns = try declared(node)
        } else if let derived = steps.usualColumns(kafka: kafka, layout: layout) {
            columns = derived
        } else {
            throw SettingsError(
                "\(what) needs 'columns' here: only the input knows what fields its records have, e.g. "
                    + "columns: {status: int64, user: {type: string, from: request.user}}", at: mapping.place)
        }
        let schema = TableSchema(fields: columns, kafka: kafka, extra: extra)
        if let problem = schema.problem(with: layout) { throw SettingsError(problem, at: node?.place ?? mapping.place) }
        return schema
    }

    private static func declared(_ node: YAMLNode) throws(SettingsError) -> [TableSchema.Column] {
        var mapping = try node.mapping()
        var columns: [TableSchema.Column] = []
        for name in mapping.chosenNames() {
            guard let column = mapping.node(name) else { throw node.expected("a type for column '\(name)'") }
            if case .scalar = column.value {
                columns.append(.field(name, try column.choice(ColumnType.self)))
                continue
            }
            var details = try column.mapping()
            let type = try details.required("type").choice(ColumnType.self)
            let fromNode = details.node("from")
            let from = try fromNode?.string()
            guard let path = from.map({ FieldPath($0) }) ?? FieldPath([name]) else {
                throw (fromNode ?? column).expected("a field's path, such as http.method or `odd name`.x")
            }
            let unit = try details.node("unit")?.choice(TimeUnit.self)
            if unit != nil && type != .timestamp { throw column.expected("a unit for a timestamp only") }
            try details.finish()
            columns.append(TableSchema.Column(name, type, .field(path, unit)))
        }
        try mapping.finish()
        return columns
    }
}

extension Steps {
    /// A column for each field that the parser knows, and for lines that it doesn't; nil where only the input knows.
    func usualColumns(kafka: KafkaColumns, layout: TableLayout) -> [TableSchema.Column]? {
        guard var fields = usualFields else { return nil }
        if onError == .keep, !(parser is RawLineParser) { fields.append((UnparsedFields.line, .string)) }
        if noteErrors { fields.append((UnparsedFields.reason, .string)) }
        return TableSchema.derived(from: fields, kafka: kafka, layout: layout)
    }
}

extension SuccessSettings {
    private enum WaitFor: String, CaseIterable { case agents, clock }

    /// Reads `success`. Keys: `lateness`, `silent_after`, `wait_for`, `check`, `status_topic`.
    init(yaml node: YAMLNode) throws(SettingsError) {
        self.init()
        var mapping = try node.mapping()
        marker.lateness = try mapping.duration(
            "lateness", default: marker.lateness, in: .zero...(.seconds(30 * 86_400)))
        marker.silentAfter = try mapping.duration(
            "silent_after", default: marker.silentAfter, in: .seconds(1)...(.seconds(365 * 86_400)))
        marker.waitsForAgents = try mapping.choice("wait_for", default: WaitFor.agents) == .agents
        interval = try mapping.duration("check", default: interval, in: .milliseconds(100)...(.seconds(3600)))
        statusTopic = try mapping.string("status_topic", default: statusTopic)
        try mapping.finish()
    }
}
