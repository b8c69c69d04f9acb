import Exports

/// The statements of a PostgreSQL sink.
enum PostgresSQL {
    /// `schema.table` with each part in quotes.
    static func quoted(_ name: String) -> String {
        name.split(separator: ".").map { quotedPart(String($0)) }.joined(separator: ".")
    }

    private static func quotedPart(_ name: String) -> String {
        "\"" + name.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }

    static func positionsTable(_ settings: PostgresSinkSettings) -> String {
        """
        CREATE TABLE IF NOT EXISTS \(quoted(settings.positions)) (
          pipeline text NOT NULL, sink text NOT NULL, topic text NOT NULL, topic_id text NOT NULL, partition integer NOT NULL,
          next_offset bigint, leader_epoch integer NOT NULL DEFAULT -1, attempt text NOT NULL,
          updated_at timestamptz NOT NULL DEFAULT now(),
          PRIMARY KEY (pipeline, sink, topic_id, partition))
        """
    }

    static func table(_ settings: PostgresSinkSettings) -> String {
        let columns = settings.schema.columns.map { "\(quotedPart($0.name)) \(type($0.type))" }
        return "CREATE TABLE IF NOT EXISTS \(quoted(settings.table)) (\(columns.joined(separator: ", ")))"
    }

    private static func type(_ type: ColumnType) -> String {
        switch type {
        case .bool: "boolean"
        case .int32: "integer"
        case .int64: "bigint"
        case .double: "double precision"
        case .string: "text"
        case .date: "date"
        case .timestamp: "timestamptz"
        }
    }

    static func copy(_ settings: PostgresSinkSettings) -> String {
        let columns = settings.schema.columns.map { quotedPart($0.name) }.joined(separator: ", ")
        return "COPY \(quoted(settings.table)) (\(columns)) FROM STDIN"
    }

    /// $1 pipeline, $2 sink, $3 topic, $4 topic id, $5 partition, $6 attempt. Waits for a transaction of the owner before.
    static func takeOver(_ settings: PostgresSinkSettings) -> String {
        """
        INSERT INTO \(quoted(settings.positions)) AS position (pipeline, sink, topic, topic_id, partition, attempt)
        VALUES ($1, $2, $3, $4, $5::integer, $6)
        ON CONFLICT (pipeline, sink, topic_id, partition) DO UPDATE SET attempt = excluded.attempt, updated_at = now()
        RETURNING position.next_offset
        """
    }

    /// $1 pipeline, $2 sink, $3 topic id, $4 partition, $5 attempt, $6 the next offset, $7 its epoch. Changes no row where another owner took over.
    static func advance(_ settings: PostgresSinkSettings) -> String {
        """
        UPDATE \(quoted(settings.positions)) SET next_offset = $6::bigint, leader_epoch = $7::integer, updated_at = now()
        WHERE pipeline = $1 AND sink = $2 AND topic_id = $3 AND partition = $4::integer AND attempt = $5
          AND (next_offset IS NULL OR next_offset <= $6::bigint)
        """
    }
}
