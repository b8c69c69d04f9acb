import Base
import Events
import ExportTestKit
import Exports
import Foundation
import SystemPackage
import TestKit

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
