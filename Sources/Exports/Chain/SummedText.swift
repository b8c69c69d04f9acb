import Base
import Events

/// Two lines of JSON: an object, and the CRC-32C of its line with the newline. What stands in a chain and in a marker.
enum SummedText {
    static func lines(_ event: Event) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONWriter.append(event, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        let sum = Event([Field("crc32c", .string(CommitRecord.hex(CRC32C.checksum(bytes))))])
        JSONWriter.append(sum, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// The object; text that is cut or changed is an error.
    static func read(_ bytes: [UInt8]) throws(CommitRecordError) -> Event {
        guard let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            throw CommitRecordError("it has no first line")
        }
        let first = Array(bytes[...newline])
        let sum = try object(Array(bytes[(newline + 1)...]), "second line")
        guard sum["crc32c"] == .string(CommitRecord.hex(CRC32C.checksum(first))) else {
            throw CommitRecordError("its checksum doesn't match its contents")
        }
        return try object(first, "first line")
    }

    private static func object(_ bytes: [UInt8], _ place: String) throws(CommitRecordError) -> Event {
        do throws(JSONError) {
            if case .object(let fields) = try JSON.parse(bytes) { return Event(fields) }
        } catch { throw CommitRecordError("its \(place) is \(error)") }
        throw CommitRecordError("its \(place) is no object")
    }
}

/// Fields that must be there.
struct RecordFields {
    let event: Event

    func text(_ name: String) throws(CommitRecordError) -> String {
        guard case .string(let text) = event[name] else { throw CommitRecordError("its field '\(name)' is no text") }
        return text
    }

    func number(_ name: String) throws(CommitRecordError) -> Int64 {
        guard case .int(let number) = event[name] else { throw CommitRecordError("its field '\(name)' is no number") }
        return number
    }

    func objects(_ name: String) throws(CommitRecordError) -> [RecordFields] {
        guard case .list(let elements) = event[name] else { throw CommitRecordError("its field '\(name)' is no list") }
        var objects: [RecordFields] = []
        for element in elements {
            guard case .object(let fields) = element else {
                throw CommitRecordError("an element of its '\(name)' is no object")
            }
            objects.append(RecordFields(event: Event(fields)))
        }
        return objects
    }
}
