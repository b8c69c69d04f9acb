import Base
import Glibc
import NIOCore
import Records
import Testing

/// What `Fixtures/README.md` describes.
struct GoldenBatches: Sendable, CustomTestStringConvertible {
    struct Batch: Sendable {
        var header: [Substring]
        var records: [[Substring]] = []
    }

    var file: String
    var name: String
    var bytes: ByteBuffer
    var batches: [Batch] = []

    var testDescription: String { "\(file) \(name)" }

    static let all: [GoldenBatches] = ["java.txt", "python.txt"].flatMap { file in
        var found: [GoldenBatches] = []
        for words in Fixtures.lines(of: file) {
            switch words[0] {
            case "batches":
                let bytes = ByteBuffer(bytes: Fixtures.bytes(words[2])!)
                found.append(GoldenBatches(file: file, name: String(words[1]), bytes: bytes))
            case "batch": found[found.count - 1].batches.append(Batch(header: Array(words[1...])))
            case "record":
                let last = found[found.count - 1].batches.count - 1
                found[found.count - 1].batches[last].records.append(Array(words[1...]))
            default: break
            }
        }
        return found
    }

    static func named(_ name: String) -> GoldenBatches { all.first { $0.name == name }! }
}

enum Fixtures {
    /// The lines of a fixture that begin with `kind`, or all, as words.
    static func lines(of file: String, kind: String? = nil) -> [[Substring]] {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let path = "/\(folder)/Fixtures/\(file)"
        guard let stream = fopen(path, "r") else { preconditionFailure("no fixture \(path)") }
        defer { fclose(stream) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, stream), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
            .filter { kind == nil || $0[0] == kind! }
    }

    /// Nil for `null`.
    static func bytes(_ word: some StringProtocol) -> [UInt8]? {
        if word == "null" { return nil }
        if word == "empty" { return [] }
        if word.hasPrefix("zeros*") { return [UInt8](repeating: 0, count: Int(word.dropFirst(6))!) }
        let digits = Array(word.utf8).map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

extension RecordBatch {
    /// All records, as they would be written again.
    func newRecords(decompressedMax: ByteCount = .mib(64)) throws(RecordError) -> [NewRecord] {
        var (sequence, found) = (try records(decompressedMax: decompressedMax), [NewRecord]())
        while let record = try sequence.next() {
            found.append(
                NewRecord(
                    timestamp: record.timestamp, key: record.key.map { Array($0.readableBytesView) },
                    value: record.value.map { Array($0.readableBytesView) },
                    headers: try record.headers.all().map { ($0.name, $0.value.map { Array($0.readableBytesView) }) }))
        }
        return found
    }
}
