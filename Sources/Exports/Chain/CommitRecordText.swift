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
        var bytes: [UInt8] = []
        JSONWriter.append(event, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        let sum = Event([Field("crc32c", .string(Self.hex(CRC32C.checksum(bytes))))])
        JSONWriter.append(sum, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private var event: Event {
        Event([
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
        ])
    }

    /// Reads what `encoded` wrote; a record that is cut, changed or of a later version is an error.
    public init(encoded bytes: [UInt8]) throws(CommitRecordError) {
        guard let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            throw CommitRecordError("it has no first line")
        }
        let first = Array(bytes[...newline])
        let sum = try Self.object(Array(bytes[(newline + 1)...]), "second line")
        guard sum["crc32c"] == .string(Self.hex(CRC32C.checksum(first))) else {
            throw CommitRecordError("its checksum doesn't match its contents")
        }
        let reader = RecordFields(event: try Self.object(first, "first line"))
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
            files: try reader.files(), madeAt: Timestamp(milliseconds: try reader.number("made_at")),
            note: try reader.text("note"))
    }

    private static func object(_ bytes: [UInt8], _ place: String) throws(CommitRecordError) -> Event {
        do throws(JSONError) {
            if case .object(let fields) = try JSON.parse(bytes) { return Event(fields) }
        } catch { throw CommitRecordError("its \(place) is \(error)") }
        throw CommitRecordError("its \(place) is no object")
    }

    static func hex(_ sum: UInt32) -> String { String(sum, radix: 16).leftPadded(to: 8) }
}

extension CommitRecord.File {
    fileprivate var fields: [Field] {
        [
            Field("staged", .string(stagedName)), Field("path", .string(finalPath)), Field("length", .int(length)),
            Field("rows", .int(rows)), Field("crc32c", .string(CommitRecord.hex(crc32c))),
        ]
    }
}

/// Fields that must be there.
private struct RecordFields {
    let event: Event

    func text(_ name: String) throws(CommitRecordError) -> String {
        guard case .string(let text) = event[name] else { throw CommitRecordError("its field '\(name)' is no text") }
        return text
    }

    func number(_ name: String) throws(CommitRecordError) -> Int64 {
        guard case .int(let number) = event[name] else { throw CommitRecordError("its field '\(name)' is no number") }
        return number
    }

    func files() throws(CommitRecordError) -> [CommitRecord.File] {
        guard case .list(let elements) = event["files"] else { throw CommitRecordError("its field 'files' is no list") }
        var files: [CommitRecord.File] = []
        for element in elements {
            guard case .object(let fields) = element else { throw CommitRecordError("a file of it is no object") }
            let reader = RecordFields(event: Event(fields))
            guard let sum = UInt32(try reader.text("crc32c"), radix: 16) else {
                throw CommitRecordError("a file's checksum is no number")
            }
            files.append(
                CommitRecord.File(
                    stagedName: try reader.text("staged"), finalPath: try reader.text("path"),
                    length: try reader.number("length"), rows: try reader.number("rows"), crc32c: sum))
        }
        return files
    }
}
