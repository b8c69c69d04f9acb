import Base
import CZlib
import Events
import Exports
import Foundation
import SystemPackage
import TestKit

/// Inflates a gzip file whole.
func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
        throw GunzipError()
    }
    defer { inflateEnd(&stream) }
    var output: [UInt8] = []
    var input = bytes
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    return try input.withUnsafeMutableBufferPointer { input in
        stream.next_in = input.baseAddress
        stream.avail_in = CUnsignedInt(input.count)
        while true {
            let result = chunk.withUnsafeMutableBufferPointer { chunk in
                stream.next_out = chunk.baseAddress
                stream.avail_out = CUnsignedInt(chunk.count)
                return inflate(&stream, Z_NO_FLUSH)
            }
            output += chunk.prefix(chunk.count - Int(stream.avail_out))
            if result == Z_STREAM_END { return output }
            guard result == Z_OK else { throw GunzipError() }
        }
    }
}

struct GunzipError: Error {}

/// A topic's partition as a test knows it: record `offset` happened in one of a few hours, and is filtered out where `isFiltered`.
struct TestTopic: Sendable {
    var count: Int64

    static let base: Int64 = 1_795_305_600_000

    func time(_ offset: Int64) -> Timestamp {
        Timestamp(
            milliseconds: Self.base + Int64(RecordHash.of(partition: 1, offset: offset / 6) % 4) * 3_600_000 + offset)
    }

    func isFiltered(_ offset: Int64) -> Bool { RecordHash.of(partition: 2, offset: offset) % 7 == 0 }
}

/// What stands in a table and its chain.
struct TableContents {
    var offsets: [Int64: Int] = [:]
    var problems: [String] = []

    /// Reads every file below the table and holds each against its chain's records, which it also walks.
    init(_ store: LocalStore, _ fileSystem: SimulatedFileSystem, _ chain: ChainID, removed: Set<String> = []) throws {
        var named: Set<String> = []
        var previous: CommitRecord?
        for index in try store.recordIndexes(of: chain) {
            guard let record = try store.record(index, of: chain) else { continue }
            if let problem = CommitChain.problem(previous, record) { problems.append(problem) }
            previous = record
            for file in record.files {
                if !named.insert(file.finalPath).inserted { problems.append("\(file.finalPath) is named twice") }
                if !removed.contains(file.finalPath) { try read(file, store, fileSystem, chain) }
            }
        }
        for path in try fileSystem.allFiles(below: store.tableFolder(chain.table)) {
            let below = String(path.string.dropFirst(store.tableFolder(chain.table).string.utf8.count + 1))
            if !named.contains(below) { problems.append("\(below) stands in the table, but no record names it") }
            if removed.contains(below) { problems.append("\(below) came back") }
        }
    }

    private mutating func read(
        _ file: CommitRecord.File, _ store: LocalStore, _ fileSystem: SimulatedFileSystem, _ chain: ChainID
    ) throws {
        let path = store.tableFolder(chain.table).pushing(FilePath(file.finalPath))
        guard let bytes = try fileSystem.contents(of: path, bytesMax: .mib(64)) else {
            return problems.append("\(file.finalPath) is missing")
        }
        if Int64(bytes.count) != file.length || CRC32C.checksum(bytes) != file.crc32c {
            problems.append("\(file.finalPath) is not as its record says")
        }
        let lines = try gunzip(bytes).split(separator: UInt8(ascii: "\n"))
        if Int64(lines.count) != file.rows { problems.append("\(file.finalPath) has \(lines.count) rows") }
        for line in lines {
            guard case .object(let fields) = try JSON.parse(Array(line)) else { continue }
            let event = Event(fields)
            guard case .int(let offset) = event["kafka_offset"], case .string(let time) = event["time"] else {
                continue
            }
            offsets[offset, default: 0] += 1
            let folder = TableLayout().folder(TableLayout().key(TimeText.iso8601(time)))
            if !file.finalPath.hasPrefix(folder + "/") { problems.append("offset \(offset) is in \(file.finalPath)") }
        }
    }
}

/// Runs asynchronous code to its end on the calling thread, so that a simulated disk can be stopped in the middle of it.
final class InlineExecutor: TaskExecutor, @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isDone = false

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        jobs.append(job)
        condition.signal()
        condition.unlock()
    }

    static func run(_ body: @escaping @Sendable () async -> Void) {
        let executor = InlineExecutor()
        Task(executorPreference: executor) {
            await body()
            executor.finish()
        }
        executor.drain()
    }

    private func finish() {
        condition.lock()
        isDone = true
        condition.signal()
        condition.unlock()
    }

    private func drain() {
        while true {
            condition.lock()
            while jobs.isEmpty && !isDone { condition.wait() }
            if jobs.isEmpty {
                condition.unlock()
                return
            }
            let job = jobs.removeFirst()
            condition.unlock()
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
