public import Base
import Events

/// What `_SUCCESS` in a folder of a table says: the folder was final when this was written, and what it held then.
///
/// Final means: every agent that was waited for had shipped all that its sources wrote until `lateness` after the folder's end, and all of it was exported.
/// Rows that come later all the same go into new files, and a marker of the next generation replaces this one. On disk it is two lines of JSON, as a commit
/// record is: the marker, and the CRC-32C of the first line.
public struct HourMarker: Sendable, Equatable {
    public static let fileName = "_SUCCESS"
    public static let sourcesMax = 1000

    /// A partition's chain, counted up to here.
    public struct Position: Sendable, Equatable {
        public var topic: String
        public var topicID: TopicID
        public var partition: Int32
        /// The next offset that was not exported.
        public var to: Offset

        public init(_ chain: ChainID, to: Offset) {
            topic = chain.topic
            topicID = chain.topicID
            partition = chain.partition
            self.to = to
        }

        init(topic: String, topicID: TopicID, partition: Int32, to: Offset) {
            self.topic = topic
            self.topicID = topicID
            self.partition = partition
            self.to = to
        }
    }

    /// An agent whose sources the folder depends on.
    public struct Agent: Sendable, Equatable {
        public var name: String
        /// All that its sources had written by then was shipped; `.none` where it never said.
        public var watermark: Timestamp
        /// It was silent for longer than is waited: its rows may be missing.
        public var isSilent: Bool

        public init(name: String, watermark: Timestamp, isSilent: Bool) {
            self.name = name
            self.watermark = watermark
            self.isSilent = isSilent
        }
    }

    public var pipeline: String
    public var table: String
    /// `dt=2026-11-22/hour=07`
    public var folder: String
    /// 1 at first; higher each time that late rows came.
    public var generation: Int64
    public var rows: Int64
    public var files: Int64
    public var positions: [Position]
    public var agents: [Agent]
    /// Names of the agents' sources, at most `sourcesMax`.
    public var sources: [String]
    public var sourcesTotal: Int64
    public var madeAt: Timestamp

    public init(
        pipeline: String, table: String, folder: String, generation: Int64, rows: Int64, files: Int64,
        positions: [Position], agents: [Agent], sources: [String], sourcesTotal: Int64, madeAt: Timestamp
    ) {
        self.pipeline = pipeline
        self.table = table
        self.folder = folder
        self.generation = generation
        self.rows = rows
        self.files = files
        self.positions = positions
        self.agents = agents
        self.sources = sources
        self.sourcesTotal = sourcesTotal
        self.madeAt = madeAt
    }

    /// Says the same of the folder.
    public func holdsSame(as other: HourMarker) -> Bool {
        rows == other.rows && files == other.files && pipeline == other.pipeline && table == other.table
    }
}

extension HourMarker {
    private static let magic = "export-success"
    public static let bytesMax = ByteCount.mib(4)

    public func encoded() -> [UInt8] {
        let event = Event([
            Field("millrace", .string(Self.magic)), Field("version", .int(1)), Field("pipeline", .string(pipeline)),
            Field("table", .string(table)), Field("folder", .string(folder)), Field("generation", .int(generation)),
            Field("rows", .int(rows)), Field("files", .int(files)), Field("made_at", .int(madeAt.milliseconds)),
            Field("offsets", .list(positions.map { .object($0.fields) })),
            Field("agents", .list(agents.map { .object($0.fields) })),
            Field("sources", .list(sources.map { .string($0) })), Field("sources_total", .int(sourcesTotal)),
        ])
        return SummedText.lines(event)
    }

    /// Reads what `encoded` wrote.
    public init(encoded bytes: [UInt8]) throws(CommitRecordError) {
        let event = try SummedText.read(bytes)
        let reader = RecordFields(event: event)
        guard event["millrace"] == .string(Self.magic), event["version"] == .int(1) else {
            throw CommitRecordError("it is no marker of version 1")
        }
        self.init(
            pipeline: try reader.text("pipeline"), table: try reader.text("table"), folder: try reader.text("folder"),
            generation: try reader.number("generation"), rows: try reader.number("rows"),
            files: try reader.number("files"), positions: [], agents: [], sources: [],
            sourcesTotal: try reader.number("sources_total"),
            madeAt: Timestamp(milliseconds: try reader.number("made_at")))
        for offsets in try reader.objects("offsets") {
            guard let id = KafkaUUID(try offsets.text("topic_id")),
                let partition = Int32(exactly: try offsets.number("partition"))
            else { throw CommitRecordError("a field of it is out of range") }
            positions.append(
                Position(
                    topic: try offsets.text("topic"), topicID: id, partition: partition,
                    to: Offset(try offsets.number("to"))))
        }
        for agent in try reader.objects("agents") {
            agents.append(
                Agent(
                    name: try agent.text("agent"), watermark: Timestamp(milliseconds: try agent.number("watermark")),
                    isSilent: agent.event["silent"] == .bool(true)))
        }
        if case .list(let names) = event["sources"] {
            for case .string(let name) in names { sources.append(name) }
        }
    }
}

extension HourMarker.Position {
    fileprivate var fields: [Field] {
        [
            Field("topic", .string(topic)), Field("topic_id", .string(topicID.description)),
            Field("partition", .int(Int64(partition))), Field("to", .int(to.rawValue)),
        ]
    }
}

extension HourMarker.Agent {
    fileprivate var fields: [Field] {
        [
            Field("agent", .string(name)), Field("watermark", .int(watermark.milliseconds)),
            Field("silent", .bool(isSilent)),
        ]
    }
}
