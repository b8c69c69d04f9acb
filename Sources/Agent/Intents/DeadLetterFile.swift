import Base
import KafkaClient
import NIOCore
import Records
import SystemPackage

/// A record that the broker will never take, and why.
struct DeadLetter {
    let batch: SealedBatch
    let record: Record
    let refusal: BatchRefusal
    private let headers: [RecordHeaders.Header]

    init(batch: SealedBatch, record: Record, refusal: BatchRefusal) throws(RecordError) {
        self.batch = batch
        self.record = record
        self.refusal = refusal
        headers = try record.headers.all()
    }

    /// One JSON object and a newline. Bytes that aren't UTF-8 stand as hexadecimal digits, under `value_hex` and so on.
    var line: [UInt8] {
        var json = JSONText()
        json.object { json in
            json.field("batch", batch.id.description)
            json.field("topic", batch.partition.topic)
            json.field("partition", Int64(batch.partition.partition))
            json.field("error", refusal.code.description)
            json.field("message", refusal.message)
            json.field("timestamp", record.timestamp.milliseconds)
            json.bytesField("key", record.key)
            json.bytesField("value", record.value)
            json.array("headers", headers) { json, header in
                json.field("name", header.name)
                json.bytesField("value", header.value)
            }
        }
        return json.bytes + [UInt8(ascii: "\n")]
    }
}

/// `dead-letters.jsonl` in the state directory. Opened for each letter, so that it may be moved away at any time.
struct DeadLetterFile {
    let path: FilePath
    private let folder: FilePath
    private let fileSystem: any FileSystem
    private let bytesMax: ByteCount
    /// What is read of the end of the file, to find where its last line begins.
    private static let tailBytesMax = 8 << 20

    init(folder: FilePath, fileSystem: any FileSystem, bytesMax: ByteCount) {
        self.folder = folder
        self.fileSystem = fileSystem
        self.bytesMax = bytesMax
        path = folder.appending("dead-letters.jsonl")
    }

    /// The batch of the letter that was appended last, durable on return; nil where there is none.
    func lastBatch() throws(FileError) -> BatchID? {
        guard try fileSystem.status(path) != nil else { return nil }
        let file = try fileSystem.open(path, .readWrite)
        defer { file.close() }
        let line = try lastLine(of: file).line
        let beginning = Array("{\"batch\":\"".utf8)
        guard line.starts(with: beginning) else { return nil }
        let digits = line.dropFirst(beginning.count).prefix { $0 != UInt8(ascii: "\"") }
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
        try file.sync()
        return BatchID(number)
    }

    /// Durable on return.
    ///
    /// - Throws: what keeps it from being written; `.tooLarge` where the file is as large as it may get.
    func append(_ letter: DeadLetter) throws(FileError) {
        let file = try fileSystem.open(path, .create)
        defer { file.close() }
        let end = try lastLine(of: file).end
        let line = letter.line
        guard end + Int64(line.count) <= Int64(bytesMax.bytes) else {
            throw FileError(
                .tooLarge, .write, path,
                detail: "it would be larger than \(bytesMax) (intents.dead_letters): move it away")
        }
        // What a crash left of a line is written over.
        try file.truncate(to: end)
        var failure: FileError?
        line.withUnsafeBytes { bytes in
            do throws(FileError) { try file.write(bytes, at: end) } catch { failure = error }
        }
        if let failure { throw failure }
        try file.sync()
        try fileSystem.syncDirectory(folder)
    }

    /// Where the last whole line ends, and that line.
    private func lastLine(of file: any File) throws(FileError) -> (end: Int64, line: ArraySlice<UInt8>) {
        let size = try file.status().size
        let start = max(0, size - Int64(Self.tailBytesMax))
        var bytes = [UInt8](repeating: 0, count: Int(size - start))
        var (read, failure) = (0, FileError?.none)
        bytes.withUnsafeMutableBytes { bytes in
            do throws(FileError) { read = try file.read(into: bytes, at: start) } catch { failure = error }
        }
        if let failure { throw failure }
        bytes.removeLast(bytes.count - read)
        let newline = UInt8(ascii: "\n")
        guard let end = bytes.lastIndex(of: newline) else { return (start == 0 ? 0 : size, []) }
        let before = bytes[..<end].lastIndex(of: newline)
        return (start + Int64(end) + 1, bytes[(before.map { $0 + 1 } ?? 0)..<end])
    }
}

extension JSONText {
    /// As text where it is UTF-8, else as hexadecimal digits under another name.
    fileprivate mutating func bytesField(_ name: String, _ value: ByteBuffer?) {
        guard let value else { return field(name, String?.none) }
        let bytes = Array(value.readableBytesView)
        if let text = String(validating: bytes, as: UTF8.self) {
            field(name, text)
        } else {
            let digits = Array("0123456789abcdef".utf8)
            let hex = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
            field(name + "_hex", String(decoding: hex, as: UTF8.self))
        }
    }
}
