public import Base
import Events

/// A commit record that can't be trusted.
public struct CommitRecordError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

extension CommitRecord {
    private static let magic = "export-commit"
    private static let version: Int64 = 1
    /// A record larger than this is refused; the number of files of a commit is limited long before.
    public static let bytesMax = ByteCount.mib(16)

    /// The two lines that stand on the disk.
    public func encoded() -> [UInt8] {
        SummedText.lines(event)
    }

    private var event: Event {
        var fields = [
            Field("millrace", .string(Self.magic)), Field("version", .int(Self.version)),
            Field("kind", .string(kind.rawValue)), Field("pipeline", .string(chain.pipeline)),
            Field("table", .string(chain.table)), Field("topic", .string(chain.topic)),
            Field("topic_id", .string(chain.topicID.description)), Field("partition", .int(Int64(chain.partition))),
            Field("index", .int(index)), Field("attempt", .string(attempt.description)),
            Field("from", .int(from.rawValue)),
            Field("to", .int(to.rawValue)), Field("leader_epoch", .int(Int64(leaderEpoch.rawValue))),
            Field("last_commit", .int(lastCommitIndex)), Field("records", .int(recordCount)),
            Field("rows", .int(rowCount)), Field("made_at", .int(madeAt.milliseconds)), Field("note", .string(note)),
            Field("files", .list(files.map { .object($0.fields) })),
        ]
        if !sources.isEmpty { fields.append(Field("sources", .list(sources.values))) }
        return Event(fields)
    }

    /// Reads what `encoded` wrote; a record that is cut, changed or of a later version is an error.
    public init(encoded bytes: [UInt8]) throws(CommitRecordError) {
        let reader = RecordFields(event: try SummedText.read(bytes))
        guard reader.event["millrace"] == .string(Self.magic) else { throw CommitRecordError("it is no commit record") }
        guard reader.event["version"] == .int(Self.version) else {
            throw CommitRecordError(
                "its version is \(reader.event["version"].json), this program knows \(Self.version)")
        }
        guard let kind = Kind(rawValue: try reader.text("kind")),
            let topicID = KafkaUUID(try reader.text("topic_id")), let attempt = KafkaUUID(try reader.text("attempt")),
            let partition = Int32(exactly: try reader.number("partition")),
            let epoch = Int32(exactly: try reader.number("leader_epoch"))
        else { throw CommitRecordError("a field of it is out of range") }
        self.init(
            chain: ChainID(
                pipeline: try reader.text("pipeline"), table: try reader.text("table"), topic: try reader.text("topic"),
                topicID: topicID, partition: partition),
            index: try reader.number("index"), attempt: attempt, kind: kind, from: Offset(try reader.number("from")),
            to: Offset(try reader.number("to")), leaderEpoch: LeaderEpoch(epoch),
            lastCommitIndex: try reader.number("last_commit"), recordCount: try reader.number("records"),
            sources: try reader.sources(), files: try reader.files(),
            madeAt: Timestamp(milliseconds: try reader.number("made_at")),
            note: try reader.text("note"))
    }

    static func hex(_ sum: UInt32) -> String { String(sum, radix: 16).leftPadded(to: 8) }
}

extension SourceTally {
    fileprivate var values: [Value] {
        counts.sorted { $0.key < $1.key }.map { key, records in
            .object([
                Field("source", .string(key.source)), Field("hour_start", .int(Int64(key.hour) * 3_600_000)),
                Field("records", .int(records)),
            ])
        }
    }
}

extension CommitRecord.File {
    fileprivate var fields: [Field] {
        var fields = [
            Field("staged", .string(stagedName)), Field("path", .string(finalPath)), Field("length", .int(length)),
            Field("rows", .int(rows)), Field("crc32c", .string(CommitRecord.hex(crc32c))),
        ]
        if let upload {
            fields.append(Field("upload_id", .string(upload.id)))
            fields.append(Field("etags", .list(upload.etags.map { .string($0) })))
        }
        return fields
    }
}

extension RecordFields {
    fileprivate func sources() throws(CommitRecordError) -> SourceTally {
        var tally = SourceTally()
        guard !event["sources"].isNull else { return tally }
        for source in try objects("sources") {
            let hour = Int32(clamping: try source.number("hour_start") / 3_600_000)
            tally.add(try source.text("source"), hour: hour, records: try source.number("records"))
        }
        return tally
    }

    fileprivate func files() throws(CommitRecordError) -> [CommitRecord.File] {
        var files: [CommitRecord.File] = []
        for file in try objects("files") {
            guard let sum = UInt32(try file.text("crc32c"), radix: 16) else {
                throw CommitRecordError("a file's checksum is no number")
            }
            files.append(
                CommitRecord.File(
                    stagedName: try file.text("staged"), finalPath: try file.text("path"),
                    length: try file.number("length"), rows: try file.number("rows"), crc32c: sum,
                    upload: try file.upload()))
        }
        return files
    }

    private func upload() throws(CommitRecordError) -> CommitRecord.Upload? {
        guard !event["upload_id"].isNull else { return nil }
        guard case .list(let elements) = event["etags"] else {
            throw CommitRecordError("a file's upload has no list of its parts")
        }
        var etags: [String] = []
        for element in elements {
            guard case .string(let etag) = element else { throw CommitRecordError("a part of an upload is no text") }
            etags.append(etag)
        }
        return CommitRecord.Upload(id: try text("upload_id"), etags: etags)
    }
}
