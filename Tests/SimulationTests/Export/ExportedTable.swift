import Base
import Events
import Exports
import NIOCore
import Records
import SystemPackage
import TestKit

/// What a reader finds in the table, held against the chains that name its files.
struct ExportedTable {
    /// The line at each offset of each partition; more than one would be a repetition.
    var lines: [TopicPartition: [Int64: [String]]] = [:]
    /// Up to where each chain goes.
    var ends: [TopicPartition: Offset] = [:]
    var problems: [String] = []

    init(_ partitions: [TopicPartition], on disk: SimulatedFileSystem) throws {
        let store = LocalStore(root: ExportHost.root, fileSystem: disk)
        var named: Set<String> = []
        for partition in partitions {
            let chain = ExportHost.chain(of: partition)
            var previous: CommitRecord?
            for index in try store.recordIndexes(of: chain) {
                guard let record = try store.record(index, of: chain) else { continue }
                if let problem = CommitChain.problem(previous, record) { problems.append(problem) }
                previous = record
                for file in record.files {
                    if !named.insert(file.finalPath).inserted { problems.append("\(file.finalPath) is named twice") }
                    try read(file, of: partition, store, disk)
                }
            }
            ends[partition] = previous?.to ?? .zero
        }
        let folder = store.tableFolder("lines")
        guard try disk.exists(folder) else { return }
        for path in try disk.allFiles(below: folder) {
            let below = String(path.string.dropFirst(folder.string.utf8.count + 1))
            if !named.contains(below) { problems.append("\(below) stands in the table, but no record names it") }
        }
    }

    private mutating func read(
        _ file: CommitRecord.File, of partition: TopicPartition, _ store: LocalStore, _ disk: SimulatedFileSystem
    ) throws {
        let path = store.tableFolder("lines").pushing(FilePath(file.finalPath))
        guard let bytes = try disk.contents(of: path, bytesMax: .mib(64)) else {
            return problems.append("\(file.finalPath) is missing")
        }
        if Int64(bytes.count) != file.length || CRC32C.checksum(bytes) != file.crc32c {
            problems.append("\(file.finalPath) is not as its record says")
        }
        let rows = try Codec.gzip.decompress(ByteBuffer(bytes: bytes), max: .mib(64))
        var count: Int64 = 0
        for row in rows.readableBytesView.split(separator: UInt8(ascii: "\n")) {
            count += 1
            guard case .object(let fields) = try JSON.parse(Array(row)) else { continue }
            let event = Event(fields)
            guard case .int(let offset) = event["kafka_offset"], case .string(let line) = event["line"] else {
                problems.append("\(file.finalPath) holds \(String(decoding: row, as: UTF8.self))")
                continue
            }
            lines[partition, default: [:]][offset, default: []].append(line)
        }
        if count != file.rows { problems.append("\(file.finalPath) has \(count) rows, its record says \(file.rows)") }
    }
}
