import Base
import NIOCore
import Records
import Synchronization
import SystemPackage
import TestKit
import Testing

@testable import LogStorage

#if canImport(Glibc)
    import Glibc
#endif

struct GroupCommitTests {
    @Test func anInlineFlusherAnswersBeforeItReturns() throws {
        let log = try Machine(.fsync).log()
        try log.add(["a"])
        let answer = Mutex<Offset?>(nil)
        InlineFlusher().requestFlush(log) { result in answer.withLock { $0 = try? result.get() } }
        #expect(answer.withLock { $0 } == Offset(1))
    }

    /// Appenders, readers and a flush group at work on a real disk; every ack is checked against what is durable and readable.
    @Test func appendersReadersAndFlushesGetAlongOnARealDisk() throws {
        var template = Array("/tmp/millrace-log-XXXXXX".utf8CString)
        let root = FilePath(String(cString: mkdtemp(&template)))
        defer { removeAll(root) }
        let directory = LogDirectory(path: root, fileSystem: PosixFileSystem(), time: SystemTime())
        try directory.open()
        var config = LogConfig()
        config.segmentBytes = .kib(256)
        let log = try directory.create(topic: "t", id: topicID, partition: 0, config: config)
        let group = FlushGroup(threads: 2)
        let appenders = 6
        let each = 300
        let acknowledged = Atomic(0)
        let failures = Mutex<[String]>([])
        let done = ThreadSemaphore()
        for number in 0..<appenders {
            startThread {
                defer { done.signal() }
                let answered = ThreadSemaphore()
                for sequence in 0..<each {
                    do {
                        let bytes = try batch(
                            ["\(number)/\(sequence)"], at: SystemTime().wallTime, producer: Int64(number),
                            sequence: Int32(sequence))
                        let result = try log.append(
                            bytes, leaderEpoch: LeaderEpoch(0), origin: .client, now: SystemTime().wallTime)
                        group.requestFlush(log) { flushed in
                            if (try? flushed.get()).map({ $0 >= result.nextOffset }) != true
                                || log.highWatermark < result.nextOffset
                            {
                                failures.withLock { $0.append("flush answered \(flushed) for \(result)") }
                            }
                            acknowledged.add(1, ordering: .relaxed)
                            answered.signal()
                        }
                        if sequence % 8 == 7 { for _ in 0..<8 { answered.wait() } }
                    } catch { failures.withLock { $0.append("\(error)") } }
                }
            }
        }
        var next = Offset.zero
        var seen: [Int: Int] = [:]
        while next < Offset(Int64(appenders * each)) {
            let slice = try log.read(from: next, bytesMax: .kib(32), atLeastOneBatch: true, upTo: .highWatermark)
            for record in try records(in: slice.bytes()) where record.offset >= next.rawValue {
                try #require(record.offset == next.rawValue)
                let words = record.value.split(separator: "/").map { Int($0)! }
                try #require(words[1] == seen[words[0], default: 0])
                seen[words[0]] = words[1] + 1
                next = next + 1
            }
            if slice.isEmpty { usleep(200) }
            if failures.withLock({ !$0.isEmpty }) { break }
        }
        for _ in 0..<appenders { done.wait() }
        group.close()
        #expect(failures.withLock { $0 }.isEmpty)
        #expect(acknowledged.load(ordering: .relaxed) == appenders * each)
        try directory.shutDown()
        let again = LogDirectory(path: root, fileSystem: PosixFileSystem(), time: SystemTime())
        #expect(try again.open())
        #expect(try again.log(for: partition)?.all().count == appenders * each)
        try again.shutDown()
    }

    /// 64 appenders, each of whom waits for the flush of what it appended. A flush takes until all of them wait, so that any two in a row serve everybody.
    @Test func manyWaitersShareOneFlush() throws {
        let appenders = 64
        let each = 25
        let disk = CountingDisk(base: SimulatedFileSystem())
        let directory = LogDirectory(path: "/data", fileSystem: disk, time: SystemTime())
        try directory.open()
        let log = try directory.create(topic: "t", id: topicID, partition: 0, config: LogConfig())
        let group = FlushGroup(threads: 2)
        disk.counts.withLock { $0 = CountingDisk.Counts(appendersLeft: appenders) }
        let done = ThreadSemaphore()
        let failures = Mutex<[String]>([])
        for number in 0..<appenders {
            startThread {
                let answered = ThreadSemaphore()
                for sequence in 0..<each {
                    do {
                        let end = try log.add(["\(number)/\(sequence)"], at: SystemTime().wallTime).nextOffset
                        disk.counts.withLock { $0.waiting += 1 }
                        group.requestFlush(log) { flushed in
                            if (try? flushed.get()).map({ $0 >= end }) != true {
                                failures.withLock { $0.append("\(flushed) for \(end)") }
                            }
                            disk.counts.withLock { $0.waiting -= 1 }
                            answered.signal()
                        }
                        answered.wait()
                    } catch { failures.withLock { $0.append("\(error)") } }
                }
                disk.counts.withLock { $0.appendersLeft -= 1 }
                done.signal()
            }
        }
        for _ in 0..<appenders { done.wait() }
        group.close()
        #expect(failures.withLock { $0 }.isEmpty)
        let syncs = disk.counts.withLock { $0.syncs }
        #expect(syncs > 0 && syncs * 16 <= appenders * each, "\(syncs) flushes for \(appenders * each) appends")
        #expect(try log.all(upTo: .highWatermark).count == appenders * each)
        try directory.shutDown()
    }

    private func removeAll(_ path: FilePath) {
        let disk = PosixFileSystem()
        for entry in (try? disk.list(path)) ?? [] {
            let child = path.appending(entry.name)
            if entry.isDirectory { removeAll(child) } else { try? disk.unlink(child) }
        }
        try? disk.removeDirectory(path)
    }
}

/// Counts the syncs of segments; each takes until all appenders that are left wait for one.
private final class CountingDisk: FileSystem {
    struct Counts {
        var syncs = 0
        var waiting = 0
        var appendersLeft = 0
    }

    let base: SimulatedFileSystem
    let counts = Mutex(Counts())

    init(base: SimulatedFileSystem) { self.base = base }

    private func syncBegins() {
        counts.withLock { $0.syncs += 1 }
        // Some seconds at most: then something is wrong, and told by the count.
        for _ in 0..<20_000 where counts.withLock({ $0.waiting < $0.appendersLeft }) { usleep(100) }
    }

    func open(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File {
        let file = try base.open(path, mode)
        return path.string.hasSuffix(".log") ? CountedFile(file) { [unowned self] in syncBegins() } : file
    }

    func openDirect(_ path: FilePath, _ mode: OpenMode) throws(FileError) -> any File { try open(path, mode) }
    func status(_ path: FilePath) throws(FileError) -> FileStatus? { try base.status(path) }
    func list(_ directory: FilePath) throws(FileError) -> [DirectoryEntry] { try base.list(directory) }
    func createDirectory(_ path: FilePath) throws(FileError) { try base.createDirectory(path) }
    func removeDirectory(_ path: FilePath) throws(FileError) { try base.removeDirectory(path) }
    func rename(_ source: FilePath, to target: FilePath) throws(FileError) { try base.rename(source, to: target) }
    func link(_ source: FilePath, to target: FilePath) throws(FileError) { try base.link(source, to: target) }
    func unlink(_ path: FilePath) throws(FileError) { try base.unlink(path) }
    func syncDirectory(_ path: FilePath) throws(FileError) { try base.syncDirectory(path) }
    func space(at path: FilePath) throws(FileError) -> (free: Int64, total: Int64) { try base.space(at: path) }
    func lock(_ path: FilePath) throws(FileError) -> any FileLock { try base.lock(path) }

    private final class CountedFile: File {
        let file: any File
        let syncBegins: @Sendable () -> Void

        init(_ file: any File, _ syncBegins: @escaping @Sendable () -> Void) {
            self.file = file
            self.syncBegins = syncBegins
        }

        var descriptor: CInt? { file.descriptor }
        func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
            try file.read(into: buffer, at: position)
        }
        func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(FileError) {
            try file.write(bytes, at: position)
        }
        func sync() throws(FileError) {
            syncBegins()
            try file.sync()
        }
        func truncate(to size: Int64) throws(FileError) { try file.truncate(to: size) }
        func allocate(_ size: Int64) throws(FileError) { try file.allocate(size) }
        func status() throws(FileError) -> FileStatus { try file.status() }
        func close() { file.close() }
    }
}
